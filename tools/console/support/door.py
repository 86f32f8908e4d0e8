"""How a browser gets in: by `fermata console`. With FERMATA_CONSOLE_FILES=source by dev.py, which does the same with the files as
they are in the source tree, so that the page can be worked on without a build."""

import os
import pathlib
import subprocess
import sys

from .lab import free_port


class Door:
    def __init__(self, lab):
        self.lab = lab
        self.proxy = None
        if os.environ.get("FERMATA_CONSOLE_FILES") == "source":
            # The daemon's own door has the other.
            lab.port = free_port()
            program = pathlib.Path(__file__).resolve().parents[1] / "dev.py"
            self.proxy = subprocess.Popen(
                [sys.executable, str(program), "--home", str(lab.home), "--port", str(lab.port)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            self.first = self.proxy.stdout.readline().strip()

    @property
    def is_real(self):
        return self.proxy is None

    def link(self):
        """Good once."""
        if self.is_real:
            return self.lab.run("console").stdout.strip().splitlines()[-1]
        if self.first:
            link, self.first = self.first, None
            return link
        self.proxy.stdin.write("\n")
        self.proxy.stdin.flush()
        return self.proxy.stdout.readline().strip()

    def close(self):
        if self.proxy:
            self.proxy.kill()
            self.proxy.wait()
