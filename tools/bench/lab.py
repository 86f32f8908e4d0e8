"""What suspend.py and checkpoint.py share: Linux guests that fill their memory with noise, in a state folder that ends with the script,
and how figures are told. Kernel, initial file system and QEMU 10.0 are those of FERMATA_CACHE, else of .cache (tools/setup.sh).
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("FERMATA_CACHE") or ROOT / ".cache").resolve()
QEMU = CACHE / "qemu-10.0/bin/qemu-system-x86_64"
KERNEL, INITRD = CACHE / "linux/vmlinuz", CACHE / "linux/initramfs.cpio.gz"
APPEND = "console=ttyS0 quiet loglevel=1 nowatchdog panic=-1 nokaslr mitigations=off cryptomgr.notests ipv6.disable=1 fermata.role=idle"


def parser(documentation, rows):
    """The options of both. From here on a kill ends the script as Ctrl-C does, and leaves nothing behind either.

    rows: all names that `--only` takes, in the order in which they are measured when it is left out.
    """

    def chosen(text):
        names = text.split(",")
        if unknown := set(names) - set(rows):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: there are {', '.join(rows)}")
        return names

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    made = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--fermata", default=str(ROOT / ".build/debug/fermata"))
    made.add_argument("--rounds", type=int, default=7)
    made.add_argument("--only", default=list(rows), type=chosen)
    made.add_argument("--ram-folder", type=pathlib.Path, default=os.environ.get("FERMATA_RAM_FOLDER") or None)
    return made


def append(memory):
    """Most of the memory is filled; the guest says `ready` afterwards."""
    return f"{APPEND} fermata.fill={memory * 7 // 8 - 64}"


def wait_until_ready(log):
    deadline = time.monotonic() + 900
    while b'"ready"' not in (log.read_bytes() if log.exists() else b""):
        if time.monotonic() > deadline:
            raise SystemExit(f"the guest is not ready: {log}")
        time.sleep(0.5)


def timed(body):
    """In milliseconds, and what it returned."""
    start = time.monotonic()
    result = body()
    return (time.monotonic() - start) * 1000, result


def summary(spans):
    """Two cells of a table: the median and the range, in milliseconds."""
    return f"{statistics.median(spans):.1f} ms | {min(spans):.1f} to {max(spans):.1f} ms"


class Lab:
    """A state folder of its own, whose daemon, machines and RAM end with it: `with Lab(options) as bench`."""

    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fermata-bench-")).resolve()
        self.home = self.folder / "home"
        self.environment = dict(os.environ, FERMATA_HOME=str(self.home))
        root = pathlib.Path("/dev/shm")
        if options.ram_folder:
            root = options.ram_folder.resolve()
            self.environment["FERMATA_RAM_FOLDER"] = str(root)
        # As fermata names it, which leaves it there, empty, when all RAM in it is gone.
        tag = hashlib.sha256(str(self.home).encode()).hexdigest()[:8]
        self.ram_folder = root / f"fermata-{os.geteuid()}-{tag}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Whoever is impatient does not leave half of it behind.
        ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for simulation in self.run("ps", limit=60)["simulations"]:
                self.run("down", simulation["simulation"], limit=60)
            self.run("serve", "--stop", limit=60)
        except (SystemExit, OSError, subprocess.TimeoutExpired) as failure:
            print(failure, file=sys.stderr)
        finally:
            self.end_processes()
            shutil.rmtree(self.ram_folder, ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)
            for number, before in ignored.items():
                signal.signal(number, before)

    def run(self, *arguments, limit=None):
        """What the command answers, as JSON. limit: in seconds."""
        answer = subprocess.run(
            [self.options.fermata, *map(str, arguments), "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=limit,
        )
        if answer.returncode != 0:
            raise SystemExit(f"fermata {' '.join(map(str, arguments))}: {answer.stdout}{answer.stderr}")
        return json.loads(answer.stdout.strip().splitlines()[-1])

    def up(self, memory, machines=1, qemu=QEMU):
        """The simulation `bench` of machines `m0`, `m1`…, each with its RAM, of so many MiB, in a file of fermata's own."""
        names = [f"m{index}" for index in range(machines)]
        manifest = self.folder / "bench.yaml"
        manifest.write_text(
            "simulation: bench\nmachines:\n"
            + "".join(
                f"  {name}:\n    qemu: {qemu}\n    machine: pc\n    memory: {memory}M\n"
                f"    kernel: {KERNEL}\n    initrd: {INITRD}\n    append: \"{append(memory)}\"\n"
                for name in names
            )
        )
        self.run("up", manifest)
        if len(list(self.ram_folder.glob("*.ram"))) != machines:
            raise SystemExit(f"{machines} x {memory} MiB of RAM are not in files in {self.ram_folder.parent}: is there room?")
        for name in names:
            wait_until_ready(self.home / f"logs/bench/{name}/serial0.log")

    def processes(self, program=b""):
        """Those that name a file in the lab's folder, and of them those whose own name has that in it."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes()
                if program in line.split(b"\0")[0] and bytes(self.folder) in line:
                    found.append(int(entry.name))
        return found

    def qemus(self):
        # What is unpacked is started by a script of that name.
        return self.processes(b"qemu-system")

    def end_processes(self):
        """There are some when a command was interrupted, or failed."""
        deadline = time.monotonic() + 30
        while (found := self.processes()) and time.monotonic() < deadline:
            for process in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.1)
