"""Five machines of four architectures on three hosts, and what the guests themselves say of what they lived through.

Two Linux guests on x86_64 keep a TCP session of twenty numbered lines a second between two hosts. A bare-metal ticker on each of
aarch64, riscv64 and s390x says each second what its counter reads. All of it is in the logs of their serial ports, to the last line.
"""

import json
import pathlib
import time

from hostlab import CACHE, QEMU, HostLab, wait

NAME = "mixed"
SECOND = 10**9
TICKERS = {"arm": "aarch64", "riscv": "riscv64", "mainframe": "s390x"}
PLACES = {"server": "h0", "client": "h1", "arm": "h0", "riscv": "h1", "mainframe": "h2"}

MANIFEST = f"""\
simulation: {NAME}
machines:
  server:
    qemu: {QEMU}/qemu-system-x86_64
    machine: pc
    memory: 96M
    host: h0
    kernel: {CACHE}/linux/vmlinuz
    initrd: {CACHE}/linux/initramfs.cpio.gz
    append: >-
      console=ttyS0 quiet loglevel=1 nowatchdog panic=-1 nokaslr mitigations=off cryptomgr.notests tsc=reliable
      ipv6.disable=1 fermata.role=server fermata.ip=10.0.0.1 fermata.peer=10.0.0.2
  client:
    qemu: {QEMU}/qemu-system-x86_64
    machine: pc
    memory: 96M
    host: h1
    kernel: {CACHE}/linux/vmlinuz
    initrd: {CACHE}/linux/initramfs.cpio.gz
    append: >-
      console=ttyS0 quiet loglevel=1 nowatchdog panic=-1 nokaslr mitigations=off cryptomgr.notests tsc=reliable
      ipv6.disable=1 fermata.role=client fermata.ip=10.0.0.2 fermata.peer=10.0.0.1
  arm: {{qemu: {QEMU}/qemu-system-aarch64, machine: virt, cpu: cortex-a53, memory: 32M, host: h0, kernel: {CACHE}/ticker/ticker-arm.elf}}
  riscv: {{qemu: {QEMU}/qemu-system-riscv64, machine: virt, memory: 32M, host: h1, firmware: {CACHE}/ticker/ticker-riscv.elf}}
  mainframe: {{qemu: {QEMU}/qemu-system-s390x, machine: s390-ccw-virtio, memory: 32M, host: h2, kernel: {CACHE}/ticker/ticker-s390x.elf}}
links:
  - {{name: lan, kind: dgram, between: [server, client]}}
"""


class Guests:
    """The machines, once they run, and their records."""

    def __init__(self, lab: HostLab) -> None:
        self.lab = lab
        # How long each log was when they were suspended; empty: nothing is to be taken back to there.
        self.marks: dict[str, int] = {}
        # The checkpoint that a test has left them suspended to, for the next one.
        self.stands: str | None = None
        # Of each log what does not count: from where, to where.
        self.undone: dict[str, list[tuple[int, int]]] = {machine: [] for machine in PLACES}
        # Seconds, of the slowest resume so far.
        self.pace = 0.0
        lab.up(NAME, MANIFEST)
        wait("session between the Linux guests", lambda: self.last("client")["sequence"] >= 20)
        for ticker in TICKERS:
            wait(f"tick of {ticker}", lambda: self.last(ticker)["sequence"] >= 1)

    def ensure(self) -> None:
        """As they were: also after a test that ended in the middle."""
        wait("end of what was under way", self.is_settled)
        if self.lab.state(NAME) == "suspended":
            self.take_back()
            self.resume()
        self.marks = {}
        self.stands = None

    def is_settled(self) -> bool:
        state = self.lab.state(NAME)
        return state in ("running", "down") or state == "suspended" and not any(self.processes().values())

    def suspend(self) -> str:
        """What they say from then on counts only if they are not taken back. Gives the checkpoint's name."""
        answer = self.lab.done("suspend", NAME)
        self.marks = {machine: self.log(machine).stat().st_size for machine in PLACES}
        return answer.result["checkpoint"]

    def resume(self) -> str:
        """Gives the name of the checkpoint that they go on from."""
        began = time.monotonic()
        answer = self.lab.done("resume", NAME)
        self.pace = max(self.pace, time.monotonic() - began)
        self.marks = {}
        return answer.result["checkpoint"]

    def take_back(self) -> None:
        """A resume was undone, maybe when machines ran already: they say again what they said meanwhile."""
        for machine, mark in self.marks.items():
            end = self.log(machine).stat().st_size
            if end > mark:
                self.undone[machine].append((mark, end))
                self.marks[machine] = end

    def has_spoken(self, machine: str) -> bool:
        """Since it was suspended."""
        return self.log(machine).stat().st_size > self.marks[machine]

    def log(self, machine: str) -> pathlib.Path:
        return self.lab.folder / PLACES[machine] / "logs" / NAME / machine / "serial0.log"

    def said(self, machine: str) -> bytes:
        """All that it ever said in its own life: without what was undone."""
        try:
            log = self.log(machine).read_bytes()
        except OSError:
            return b""
        for begin, end in reversed(self.undone[machine]):
            log = log[:begin] + log[end:]
        return log

    def records(self, machine: str) -> list[dict]:
        """Of the last line only what is whole."""
        records = []
        for line in self.said(machine).split(b"\n")[:-1]:
            try:
                record = json.loads(line.strip())
            except ValueError:
                continue  # the kernel's own words
            if isinstance(record, dict):
                records.append(dict(record, sequence=record["tick"]) if record.get("event") == "tick" else record)
        return records

    def last(self, machine: str) -> dict:
        kind = "tick" if machine in TICKERS else "lines"
        nothing = {"sequence": 0, "gaps": 0}
        return ([record for record in self.records(machine) if record.get("event") == kind] or [nothing])[-1]

    def progress(self) -> dict[str, int]:
        return {machine: self.last(machine)["sequence"] for machine in PLACES}

    def processes(self) -> dict[str, int | None]:
        places = {host.name: host for host in self.lab.hosts}
        return {machine: places[place].machine(machine) for machine, place in PLACES.items()}

    def go_on(self, since: dict[str, int]) -> None:
        """Waits until each guest has said more, and then looks whether any of them has lost anything, ever."""
        for machine in PLACES:
            more = since[machine] + (2 if machine in TICKERS else 20)
            wait(f"life in {machine} after {since[machine]}", lambda: self.last(machine)["sequence"] >= more)
        self.check()

    def check(self) -> None:
        problems = []
        for machine in PLACES:
            records = self.records(machine)
            problems += self.ticks(machine, records) if machine in TICKERS else self.session(machine, records)
        assert not problems, "; ".join(problems)

    def ticks(self, machine: str, records: list[dict]) -> list[str]:
        """Each tick once, in order, and none at a time of the guest's clock that is not its own."""
        ticks = [record for record in records if record.get("event") == "tick"]
        problems = []
        for before, after in zip(ticks, ticks[1:]):
            if after["tick"] != before["tick"] + 1:
                problems.append(f"{machine}: tick {after['tick']} came after {before['tick']}: {self.between(machine, before, after)}")
        late = [(tick["counterNs"] - ticks[0]["counterNs"]) - (tick["tick"] - ticks[0]["tick"]) * SECOND for tick in ticks]
        # A guest that the host leaves no time is late by its own clock, and catches up; one whose clock leapt is late by the leap.
        if not -SECOND // 2 < min(late) <= max(late) < 3 * SECOND:
            problems.append(f"{machine}: its ticks are between {min(late) / 1e9:.3f} and {max(late) / 1e9:.3f} s late by its own counter")
        return problems

    def between(self, machine: str, before: dict, after: dict) -> bytes:
        """What a machine said from one tick to another, as it is in its log."""
        log = self.said(machine)
        begin, end = (log.find(b'"tick":%d,' % record["tick"]) for record in (before, after))
        return log[begin:end]

    def session(self, machine: str, records: list[dict]) -> list[str]:
        """One connection, never closed, and no line missing."""
        problems = []
        for record in records:
            if record.get("gaps") or record.get("closed") or record.get("connections", 0) > 1:
                problems.append(f"{machine}: the session was lost: {record}")
                break
        boots = sum(record.get("event") == "ready" for record in records)
        if boots != 1:
            problems.append(f"{machine}: booted {boots} times")
        said = [record for record in records if record.get("event") == "lines"]
        for before, after in zip(said, said[1:]):
            if after["sequence"] != before["sequence"] + 20:
                problems.append(f"{machine}: said line {after['sequence']} after {before['sequence']}")
            if after["uptimeNs"] <= before["uptimeNs"]:
                problems.append(f"{machine}: its uptime went back at line {after['sequence']}")
        return problems
