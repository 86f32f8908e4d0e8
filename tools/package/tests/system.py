"""A system that systemd has started, in which fermata is installed."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def why_not() -> str | None:
    """What keeps this machine from having one."""
    if os.geteuid() != 0:
        return "only root can start a system of its own"
    for program in ("/lib/systemd/systemd", "unshare", "nsenter", "setpriv"):
        if not shutil.which(program):
            return f"there is no {program}"
    return None


class System:
    """Started when made; `close` ends it, with all of its processes."""

    def __init__(self, root: pathlib.Path):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fermata-system-", dir="/tmp"))
        self.log = self.folder.with_suffix(".log")
        with self.log.open("wb") as log:
            self.boot = subprocess.Popen([HERE / "boot.sh", self.folder, root], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            self.wait("the system", lambda: self.first() is not None and self.sh("systemctl is-system-running", check=False) == "running\n")
        except BaseException:
            self.close()
            raise

    def wait(self, what, is_so, patience=60):
        end = time.monotonic() + patience
        while not is_so():
            assert self.boot.poll() is None, f"{what}: {self.log.read_text(errors='replace')}"
            assert time.monotonic() < end, f"{what}: not after {patience} s; {self.log.read_text(errors='replace')}"
            time.sleep(0.1)

    def first(self):
        """Its first process, as this system numbers it, once that is systemd."""
        try:
            children = pathlib.Path(f"/proc/{self.boot.pid}/task/{self.boot.pid}/children").read_text().split()
            return next((int(child) for child in children if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n"), None)
        except FileNotFoundError:
            return None

    def sh(self, script, check=True, **environment):
        command = ["nsenter", "--target", str(self.first()), "--all", "/bin/bash", "-c", script]
        done = subprocess.run(
            command, env=dict(os.environ, **environment), capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL
        )
        assert not check or done.returncode == 0, f"{script}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def unit(self, verb, *names):
        """systemctl; of a unit that does not start it is told what it said."""
        said = f"journalctl --no-pager --lines 30 {' '.join(f'--unit {name}' for name in names)} >&2; exit 1"
        return self.sh(f"systemctl {verb} {' '.join(names)} || {{ {said}; }}")

    def main_process(self, unit):
        return int(self.sh(f"systemctl show --property MainPID --value {unit}"))

    def close(self):
        # The first process is the others' end.
        self.boot.kill()
        self.boot.wait()
        for parent in [pathlib.Path("/sys/fs/cgroup"), *pathlib.Path("/sys/fs/cgroup").glob("*/")]:
            group = parent / self.folder.name
            end = time.monotonic() + 20
            while group.exists() and time.monotonic() < end:
                for inner, _, _ in os.walk(group, topdown=False):
                    try:
                        pathlib.Path(inner).rmdir()
                    except OSError:
                        # Its processes are just ending.
                        time.sleep(0.05)
                        break
        self.folder.rmdir()
        self.log.unlink()
