"""State folders of tests' own, and a small machine to run in them."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
CACHE = pathlib.Path(os.environ.get("FERMATA_CACHE", ROOT / ".cache"))
PROGRAM = os.environ.get("FERMATA_BINARY", str(ROOT / ".build/debug/fermata"))

#: Bare metal: says its clocks once a second, is there at once.
TICKER = f"""
simulation: ticker
machines:
  arm:
    {{arch: aarch64, machine: virt, cpu: cortex-a53, memory: 32M, kernel: "{CACHE}/ticker/ticker-arm.elf", serial: [log],
     rtc: {{base: 2024-02-29T12:00:00Z, clock: vm}}}}
"""


class Home:
    """A state folder. Short, since paths of sockets are made of it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.path = self.folder / "home"
        self.ram = pathlib.Path("/dev/shm", self.folder.name)
        self.ram.mkdir()
        self.environment = {"FERMATA_HOME": str(self.path), "FERMATA_RAM_FOLDER": str(self.ram), "FERMATA_BINARY": PROGRAM}

    @classmethod
    def new(cls):
        return cls(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))

    def fermata(self, *words):
        done = subprocess.run(
            [PROGRAM, *words, "--json"], env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"fermata {words}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout.splitlines()[-1])

    def simulations(self):
        return {simulation["simulation"]: simulation["state"] for simulation in self.fermata("ps")["simulations"]}

    def processes(self):
        """QEMUs of this state folder."""
        found = []
        for entry in os.listdir("/proc"):
            try:
                line = pathlib.Path("/proc", entry, "cmdline").read_bytes() if entry.isdigit() else b""
            except OSError:
                continue
            if b"qemu" in line.split(b"\0")[0] and f"{self.path}/machines/".encode() in line:
                found.append(int(entry))
        return found

    def traces(self):
        """What is left of simulations, wherever."""
        found = [str(path) for path in self.path.glob("machines/*/*")]
        for folder in ("leases", "checkpoints", "logs", "leads"):
            found += [str(path) for path in self.path.glob(f"{folder}/*")]
        return found + [f"process {process}" for process in self.processes()] + [
            str(path) for path in self.ram.rglob("*") if path.is_file()
        ]

    def wait_until_clean(self):
        deadline = time.monotonic() + 60
        while self.traces() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.traces() == []

    def clear(self):
        subprocess.run(
            [PROGRAM, "serve", "--stop"], env={**os.environ, **self.environment}, capture_output=True, check=False
        )
        left = self.processes()
        for process in left:
            os.kill(process, signal.SIGKILL)
        for folder in (self.folder, self.ram):
            shutil.rmtree(folder, ignore_errors=True)
        return left
