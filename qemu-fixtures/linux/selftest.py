#!/usr/bin/env python3
"""Proves that the Linux guests of the labs are fit for their purpose, with nothing but QEMU and its monitor.

Two guests with one TCP connection (or a serial line) are stopped, saved, killed, started again and continued. Fails
unless the connection, the numbered lines, the clocks and the disks of both are as if nothing had been.

Usage: selftest.py [--qemu PATH]... [--link lan|serial]... [--pause SECONDS]
       (default: the system's QEMU and the cache's QEMU 10.0, both links)
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("FERMATA_CACHE", ROOT / ".cache"))
APPEND = (
    "console=ttyS0 quiet loglevel=1 nowatchdog panic=-1 nokaslr mitigations=off cryptomgr.notests"
    " tsc=reliable ipv6.disable=1 fermata.role={role} {link}"
)
ADDRESSES = {"server": "10.0.0.1", "client": "10.0.0.2"}
SECOND = 10**9


class Failure(Exception):
    pass


class Guest:
    """One QEMU process after the other for the same machine."""

    def __init__(self, qemu, link, folder, role, peer):
        self.qemu, self.link, self.folder, self.role, self.peer = qemu, link, folder, role, peer
        self.records = []
        self.pending = b""
        self.state = folder / f"{role}.state"
        self.disk = folder / f"{role}.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.disk, "16M"], check=True)

    def start(self, incoming=False):
        for name in ("qmp", "serial", "link"):
            (self.folder / f"{self.role}.{name}").unlink(missing_ok=True)
        append, link = self.link_arguments()
        self.process = subprocess.Popen(
            [
                self.qemu, "-nodefaults", "-display", "none", "-no-reboot", "-M", "pc-i440fx-7.2", "-accel", "tcg",
                "-m", "128M", "-rtc", "base=2024-02-29T12:00:00,clock=vm", "-S",
                "-kernel", CACHE / "linux/vmlinuz", "-initrd", CACHE / "linux/initramfs.cpio.gz",
                "-append", APPEND.format(role=self.role, link=append),
                "-qmp", f"unix:{self.folder}/{self.role}.qmp,server=on,wait=off",
                "-serial", f"unix:{self.folder}/{self.role}.serial,server=on,wait=off",
                "-drive", f"file={self.disk},if=virtio,format=qcow2",
            ]
            + link
            + (["-incoming", f"exec:cat {self.state}"] if incoming else []),
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.qmp = self.connect("qmp").makefile("rw")
        self.qmp.readline()
        self.command("qmp_capabilities")
        self.serial = self.connect("serial")
        self.serial.setblocking(False)

    def link_arguments(self):
        """What the kernel command line says of the link, and what QEMU's says."""
        if self.link == "serial":
            server = ",server=on,wait=off" if self.role == "server" else ""
            return "fermata.line=ttyS1", ["-serial", f"unix:{self.folder}/server.link{server}"]
        ends = f"local.type=unix,local.path={self.folder}/{self.role}.link"
        ends += f",remote.type=unix,remote.path={self.folder}/{self.peer}.link"
        mac = f"52:54:00:00:00:0{ADDRESSES[self.role][-1]}"
        return (
            f"fermata.ip={ADDRESSES[self.role]} fermata.peer={ADDRESSES[self.peer]}",
            ["-netdev", f"dgram,id=lan,{ends}", "-device", f"virtio-net-pci,netdev=lan,romfile=,mac={mac}"],
        )

    def connect(self, name):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        for _ in range(600):
            if self.process.poll() is not None:
                raise Failure(f"QEMU of the {self.role} ended with {self.process.returncode}")
            try:
                connection.connect(str(self.folder / f"{self.role}.{name}"))
                return connection
            except OSError:
                time.sleep(0.05)
        raise Failure(f"the {self.role}'s {name} socket does not answer")

    def command(self, name, **arguments):
        self.send(name, **arguments)
        return self.reply(name)

    def send(self, name, **arguments):
        self.qmp.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.qmp.flush()

    def reply(self, name):
        while True:
            line = self.qmp.readline()
            if not line:
                raise Failure(f"QEMU of the {self.role} is gone, '{name}' has no answer")
            answer = json.loads(line)
            if "error" in answer:
                raise Failure(f"{name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def wait_for_status(self, *wanted):
        for _ in range(1200):
            status = self.command("query-status")["status"]
            if status in wanted:
                return
            time.sleep(0.05)
        raise Failure(f"the {self.role} is {status}, not {' or '.join(wanted)}")

    def read_serial(self):
        try:
            self.pending += self.serial.recv(65536)
        except BlockingIOError:
            return
        *lines, self.pending = self.pending.split(b"\n")
        for line in lines:
            # The firmware and the kernel use the same line: everything that is not a record is theirs.
            if line.startswith(b"{"):
                self.records.append(json.loads(line))

    def wait_for(self, what, condition, seconds=180):
        """The first record from now on that fulfils the condition."""
        seen = len(self.records)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read_serial()
            for record in self.records[seen:]:
                if condition(record):
                    return record
            time.sleep(0.01)
        raise Failure(f"the {self.role} did not print {what} within {seconds} s; last: {self.records[-1:]}")

    def ask(self, command, tag):
        self.serial.setblocking(True)
        self.serial.sendall(f"{command} {tag}\n".encode())
        self.serial.setblocking(False)
        return self.wait_for(f"'{command}'", lambda record: record["tag"] == tag)

    def save_and_kill(self):
        self.command("migrate-set-parameters", **{"max-bandwidth": 0})
        self.command("migrate", uri=f"exec:cat > {self.state}")
        self.wait_for_status("postmigrate")
        self.end()

    def end(self):
        process = getattr(self, "process", None)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()


def check(condition, text):
    if not condition:
        raise Failure(text)


def prove(qemu, link, pause, folder):
    server = Guest(qemu, link, folder, "server", "client")
    client = Guest(qemu, link, folder, "client", "server")
    guests = (server, client)
    try:
        begun = time.monotonic()
        for guest in guests:
            guest.start()
        for guest in guests:
            guest.command("cont")
        client.wait_for("the first lines", lambda record: record["event"] == "lines")
        print(f"  both booted and connected, 20 lines received: {time.monotonic() - begun:.1f} s")
        client.wait_for("more lines", lambda record: record["event"] == "lines")

        before = {guest.role: guest.ask("clocks", "before") for guest in guests}
        # The receiver last, so that nothing is left in the socket between the two: keeping that is not QEMU's business.
        server.command("stop")
        time.sleep(0.1)
        client.command("stop")
        stopped = time.monotonic()
        for guest in guests:
            guest.save_and_kill()
        time.sleep(pause)
        for guest in guests:
            guest.start(incoming=True)
        for guest in guests:
            guest.wait_for_status("paused")
        for guest in guests:
            guest.send("cont")
        for guest in guests:
            guest.reply("cont")
        gone = time.monotonic() - stopped

        after = {guest.role: guest.ask("clocks", "after") for guest in guests}
        client.wait_for("lines after the pause", lambda record: record["event"] == "lines")
        final = client.ask("clocks", "final")

        for role in ADDRESSES:
            for clock in ("rtcNs", "wallNs", "uptimeNs"):
                passed = (after[role][clock] - before[role][clock]) / SECOND
                print(f"  {role} {clock}: {passed:+.3f} s over a pause of {gone:.1f} s")
                # A whole-second clock may tick once more than passed, a slow host adds its own delays.
                check(0 <= passed < gone / 2, f"the {role}'s {clock} moved by {passed} s, it should have stood still")
        check(final["lines"] == final["sequence"] > before["client"]["lines"], f"lines are missing: {final}")
        check(final["gaps"] == 0, f"{final['gaps']} gaps in the lines")
        check(final["connections"] == 1 and not final["closed"], f"the connection did not last: {final}")
        for guest in guests:
            disk = guest.ask("disk", "check")
            check(disk["written"] == disk["read"] > 0, f"the {guest.role}'s disk and RAM disagree: {disk}")
        print(
            f"  {final['lines']} lines, no gap, one connection, {final['retransmits']} retransmits,"
            f" longest silence {final['longestIntervalNs'] / SECOND:.3f} s of guest time"
        )
    finally:
        for guest in guests:
            guest.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--qemu", action="append", help="a qemu-system-x86_64; may be given several times")
    parser.add_argument("--link", action="append", choices=("lan", "serial"), help="default: both")
    parser.add_argument("--pause", type=float, default=5, help="seconds between the end and the new start")
    options = parser.parse_args()
    for qemu in options.qemu or ["qemu-system-x86_64", str(CACHE / "qemu-10.0/bin/qemu-system-x86_64")]:
        for link in options.link or ("lan", "serial"):
            print(f"{qemu}, {link}:", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                try:
                    prove(qemu, link, options.pause, pathlib.Path(folder))
                except Failure as failure:
                    sys.exit(f"  FAILED: {failure}")
    print("the guests are fit: all as if nothing had been")


if __name__ == "__main__":
    main()
