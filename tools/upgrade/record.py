#!/usr/bin/python3
"""Records what a release of fermata leaves behind, for the tests of upgrades.

    git worktree add /tmp/old COMMIT && (cd /tmp/old && swift build --product fermata)
    tools/upgrade/record.py --fermata /tmp/old/.build/debug/fermata --release "COMMIT, what was new" NAME
    tools/upgrade/record.py --fermata .build/debug/fermata --postgresql NAME

makes qemu-fixtures/states/NAME.tar.xz, or NAME.sql.xz of the state on a PostgreSQL server. The first has a whole state folder: the
database, two checkpoints of two small guests (one on QEMU 7.2, one on 10.0, each with a disk), and a `recorded.json`, which says what
is in it, read with nothing of fermata's. Whoever changes the schema or a checkpoint's format records the release before that change.

A state folder knows absolute paths (images below a disk, kernels, QEMUs), so it is recorded in FOLDER and the tests unpack it there.
"""

import argparse
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path("/tmp/fermata-recorded")
RAM = pathlib.Path("/dev/shm", FOLDER.name)
OUTPUT = ROOT / "qemu-fixtures/states"

#: The guest says a count each second: one that went on says the next number, one that began anew says 1.
MACHINE = """\
  {name}:
    qemu: {qemu}
    machine: virt
    cpu: cortex-a53
    memory: 32M
    kernel: cache/ticker/ticker-arm.elf
    rtc: {{base: 2024-02-29T12:00:00Z, clock: vm}}
    serial: [log]
    disks: [{{file: disk.qcow2, format: qcow2, id: disk0, interface: virtio}}]
"""
QEMUS = {"seven": "/usr/bin/qemu-system-aarch64", "ten": f"{FOLDER}/cache/qemu-10.0/bin/qemu-system-aarch64"}


class Release:
    """The program, with the state folder in FOLDER."""

    def __init__(self, program: str, **environment: str) -> None:
        self.program = program
        self.environment = {
            **os.environ,
            "FERMATA_HOME": str(FOLDER / "home"),
            "FERMATA_RAM_FOLDER": str(RAM),
            "FERMATA_CLOCK_ERROR": "1s",
            **environment,
        }
        verbs = subprocess.run([program, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.verbs = set(re.findall(r"^  ([a-z]+) ", verbs, re.MULTILINE))

    def __call__(self, *words: str) -> None:
        for attempt in range(5):
            done = subprocess.run([self.program, *words], env=self.environment, cwd=FOLDER, check=False)
            # The host was too busy at the instant, and nothing has happened.
            if done.returncode != 4:
                break
        if done.returncode != 0:
            sys.exit(f"fermata {' '.join(words)} ended with {done.returncode}")

    def ticks(self) -> dict[str, int]:
        """The last count that each guest has said."""
        found = {}
        for log in (FOLDER / "home").rglob("serial0.log"):
            for name in QEMUS:
                counts = re.findall(rb'"tick":(\d+)', log.read_bytes())
                if name in log.parts and counts:
                    found[name] = max(found.get(name, 0), int(counts[-1]))
        return found

    def wait_until_tick(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.ticks()) < len(QEMUS) or min(self.ticks().values()) < count:
            if time.monotonic() > deadline:
                sys.exit(f"the guests do not tick: {self.ticks()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the daemon, and waits until it has let go of its files."""
        lock = FOLDER / "home/daemon.lock"
        os.kill(int(lock.read_text().split()[0]), signal.SIGTERM)
        with open(lock, "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)


def prepare() -> None:
    for folder in (FOLDER, RAM):
        folder.mkdir(mode=0o700)
    (FOLDER / "cache").symlink_to(os.environ.get("FERMATA_CACHE", ROOT / ".cache"))
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(FOLDER / "disk.qcow2"), "1M"], check=True)
    machines = "".join(MACHINE.format(name=name, qemu=qemu) for name, qemu in QEMUS.items())
    (FOLDER / "lab.yaml").write_text(f"simulation: old\nmachines:\n{machines}")


def use(release: Release) -> dict[str, dict[str, int]]:
    """One evening with the lab, with all of what the release has that leaves something in the database."""
    ticks = {}
    release("up", "lab.yaml")
    release.wait_until_tick(2)
    for name in ("first", "second"):
        release("suspend", f"old@{name}")
        ticks[name] = release.ticks()
        if name == "first":
            release("resume", "old", "--clock", "+1h")
            release.wait_until_tick(max(ticks["first"].values()) + 1)
    if "label" in release.verbs:
        release("label", "old@first", "stage=login", "keep=")
        release("note", "old@first", "both have booted")
    if "clone" in release.verbs:
        release("clone", "old@first", "--as", "twin")
        release("down", "twin")
    # Format 1 has no seal to wait for.
    deadline = time.monotonic() + 60
    while max(formats()) > 1 and len(list((FOLDER / "home/checkpoints/old").glob("*/seal.json"))) < 2:
        if time.monotonic() > deadline:
            sys.exit("the checkpoints are not sealed")
        time.sleep(0.1)
    return ticks


def formats() -> set[int]:
    return {json.loads(path.read_text())["format"] for path in (FOLDER / "home/checkpoints/old").glob("*/checkpoint.json")}


def recorded(release: str, ticks: dict[str, dict[str, int]]) -> dict[str, object]:
    """What is there, by SQLite and not by fermata."""
    database = sqlite3.connect(f"file:{FOLDER}/home/state.sqlite?mode=ro", uri=True)
    database.row_factory = sqlite3.Row

    def rows(query: str) -> list[dict[str, object]]:
        return [dict(row) for row in database.execute(query)]

    content = {
        "release": release,
        "schema": [row["identifier"] for row in rows("SELECT identifier FROM grdb_migrations ORDER BY identifier")],
        "checkpointFormat": max(formats()),
        "simulations": rows("SELECT name, state, checkpoint FROM simulations ORDER BY name"),
        "operations": rows("SELECT id, kind, simulation, phase, outcome FROM operations ORDER BY startedNs, id"),
        "checkpoints": rows("SELECT id, simulation, name, parent, instantNs FROM checkpoints ORDER BY createdNs, id"),
        "ticks": ticks,
    }
    database.close()
    return content


def pack(name: str, content: dict[str, object]) -> pathlib.Path:
    (FOLDER / "recorded.json").write_text(json.dumps(content, indent=2) + "\n")
    # What no daemon reads again; each begins a log of its own.
    for path in [*(FOLDER / "home").glob("*.log"), *(FOLDER / "home").glob("*.lock"), *(FOLDER / "home").rglob("*.sock")]:
        path.unlink()
    shutil.rmtree(FOLDER / "home/logs", ignore_errors=True)
    output = OUTPUT / f"{name}.tar.xz"
    subprocess.run(
        ["tar", "--sparse", "--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--xz", "-C", str(FOLDER), "-cf",
         str(output), "disk.qcow2", "home", "lab.yaml", "recorded.json"],
        check=True,
        env={**os.environ, "XZ_OPT": "-9e"},
    )  # fmt: skip
    return output


def record_on_server(program: str, name: str) -> pathlib.Path:
    """The same on a server, as pg_dump writes it. The checkpoints are as in a state folder without one, and are not kept."""
    server, tool = pathlib.Path("/tmp/fermata-recorded-pg"), str(ROOT / "tools/postgresql.sh")
    for words in (["create"], ["start"]):
        subprocess.run([tool, *words, str(server)], check=True)
    try:
        subprocess.run([tool, "database", str(server), "old"], check=True)
        release = Release(program, FERMATA_DATABASE=f"postgresql://fermata@/old?host={server}", FERMATA_HOST="desk")
        use(release)
        release.stop()
        output = OUTPUT / f"{name}.sql.xz"
        with open(output, "wb") as file:
            dump = subprocess.run([tool, "dump", str(server), "old"], check=True, stdout=subprocess.PIPE).stdout
            subprocess.run(["xz", "-9e"], input=dump, stdout=file, check=True)
        return output
    finally:
        subprocess.run([tool, "remove", str(server)], check=True)


def end_what_is_left() -> None:
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"{FOLDER}/home/".encode() in line and b"qemu" in line.split(b"\0")[0]:
            os.kill(int(entry.name), signal.SIGKILL)
    for folder in (FOLDER, RAM):
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Records what a release of fermata leaves behind.")
    parser.add_argument("--fermata", required=True, type=os.path.abspath, help="the program of that release")
    parser.add_argument("--release", default="", help="what it is, in words")
    parser.add_argument("--postgresql", action="store_true", help="of the state on a server")
    parser.add_argument("name", help="of the recording")
    arguments = parser.parse_args()
    prepare()
    try:
        if arguments.postgresql:
            output = record_on_server(arguments.fermata, arguments.name)
        else:
            release = Release(arguments.fermata)
            ticks = use(release)
            release.stop()
            output = pack(arguments.name, recorded(arguments.release, ticks))
        print(f"{output}: {output.stat().st_size} bytes")
    finally:
        end_what_is_left()


if __name__ == "__main__":
    main()
