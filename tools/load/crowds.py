"""crowd.py as tests and benchmarks use it."""

import json
import pathlib
import subprocess
import sys

PROGRAM = pathlib.Path(__file__).resolve().parent / "crowd.py"


class CrowdProcess:
    """A crowd that is there: `with CrowdProcess(lab, listeners=1000) as crowd`. It leaves with the block."""

    def __init__(self, lab, listeners=0, noise=None, way="tls"):
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            self.say(json.dumps({"door": lab.doors(), "way": way, "listeners": listeners, "noise": noise or {}}))
            self.hear("ready")
        except BaseException:
            self.leave()
            raise

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, key):
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {}
        assert key in answer, f"the crowd ended: {self.process.stderr.read()[-4000:]}"
        return answer

    def cut(self):
        """Every second listener loses its connection, and comes back."""
        self.say("cut")
        self.hear("done")

    def until(self, last):
        """Every listener has seen that event."""
        self.say(f"until {last}")
        self.hear("done")

    def result(self):
        self.process.stdin.close()
        return self.hear("listeners")

    def leave(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()
