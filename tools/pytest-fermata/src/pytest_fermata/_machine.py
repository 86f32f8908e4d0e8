from __future__ import annotations

import dataclasses
import datetime
import os
import pathlib
import re
import socket
import time
from typing import TYPE_CHECKING, Any, Mapping, Optional, Union

from ._errors import FermataError, SerialTimeout
from ._far import FarSerial

if TYPE_CHECKING:
    from ._simulation import Simulation

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


@dataclasses.dataclass(frozen=True)
class Clocks:
    """What a machine's clocks read, in nanoseconds; None: it has none that is known."""

    #: Of the real-time clock device, since 1970.
    rtc_ns: Optional[int]
    #: Since the machine was switched on, without the times that it stood still.
    virtual_ns: Optional[int]
    #: Everything that was read, as `fermata clock --json` tells it.
    readings: Mapping[str, Any]

    @property
    def rtc(self) -> Optional[datetime.datetime]:
        """The real-time clock as UTC."""
        if self.rtc_ns is None:
            return None
        return _EPOCH + datetime.timedelta(microseconds=self.rtc_ns // 1000)


class Serial:
    """A serial port with a log: what the guest writes, from the simulation's beginning, and what it is told.

    It is read from the log file, so nothing is lost between two calls, nobody else is kept from the port's socket, and it
    goes on over a suspend and resume. That of a machine on another host comes through the daemon.
    """

    def __init__(self, machine: Machine, port: int) -> None:
        self._machine = machine
        self.port = port
        self._position = 0
        self._log: Optional[pathlib.Path] = None
        self._far: Optional[FarSerial] = None
        self._is_here: Optional[bool] = None

    @property
    def log(self) -> pathlib.Path:
        """The file of all that came out of it, on the machine's host."""
        if self._log is None:
            log = self._machine.status.get("log")
            if not log:
                raise FermataError(f"{self._machine} has no log of its serial port", code="serial-missing")
            self._log = pathlib.Path(log).with_name(f"serial{self.port}.log")
        return self._log

    @property
    def socket(self) -> str:
        """The path of the socket to talk to it, on the machine's host; it takes one connection at a time."""
        for path in self._machine.status.get("serialSockets", []):
            if os.path.basename(path) == f"serial{self.port}.sock":
                return str(path)
        raise FermataError(
            f"{self._machine} has no socket for its serial port {self.port}: in its manifest that has to be 'log'",
            code="serial-missing",
        )

    @property
    def output(self) -> bytes:
        """All that came out of it so far."""
        far = self._elsewhere()
        if far is not None:
            return far.output
        try:
            return self.log.read_bytes()
        except FileNotFoundError:
            return b""

    def expect(self, pattern: Union[str, bytes, re.Pattern[bytes]], timeout: float = 30) -> re.Match[bytes]:
        """Waits for a regular expression in what comes out of it, and returns the match.

        Each call goes on behind the last match. Raises SerialTimeout, with what came instead.
        """
        if isinstance(pattern, str):
            pattern = pattern.encode()
        expression = re.compile(pattern, re.MULTILINE) if isinstance(pattern, bytes) else pattern
        deadline = time.monotonic() + timeout
        while True:
            # Before the look: what comes between the two is still seen.
            over = time.monotonic() >= deadline
            unread = self._unread()
            found = expression.search(unread)
            if found:
                self._position += found.end()
                return found
            if over:
                raise SerialTimeout(self._complaint(expression, unread, timeout))
            time.sleep(0.01)

    def read(self, timeout: float = 0, limit: Optional[int] = None) -> bytes:
        """What has come behind the last match, or the last read; nothing, when nothing comes within `timeout`.

        `limit` is the most that is taken; what is left comes with the next read.
        """
        deadline = time.monotonic() + timeout
        while True:
            over = time.monotonic() >= deadline
            unread = self._unread()[:limit]
            if unread or over:
                self._position += len(unread)
                return unread
            time.sleep(0.01)

    def send(self, text: Union[str, bytes]) -> None:
        """Types it in; the line break has to be in the text."""
        data = text.encode() if isinstance(text, str) else text
        far = self._elsewhere()
        if far is not None:
            far.send(data)
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(30)
            connection.connect(self.socket)
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            # QEMU closes when it has read all; what the guest writes meanwhile is in the log, too.
            while connection.recv(65536):
                pass

    def _elsewhere(self) -> Optional[FarSerial]:
        if self._is_here is None:
            own = self._machine.simulation.control.host
            self._is_here = own is None or self._machine.status.get("host") == own
        if self._is_here:
            return None
        if self._far is None:
            machine = self._machine
            self._far = FarSerial(machine.simulation.control, machine.simulation.name, machine.name, self.port)
        return self._far

    def _unread(self) -> bytes:
        far = self._elsewhere()
        if far is not None:
            return far.output[self._position :]
        try:
            with open(self.log, "rb") as file:
                file.seek(self._position)
                return file.read()
        except FileNotFoundError:
            return b""

    def _complaint(self, expression: re.Pattern[bytes], unread: bytes, timeout: float) -> str:
        lines = unread.decode(errors="replace").splitlines()[-20:]
        said = "\n".join(f"  | {line}" for line in lines) if lines else "  nothing"
        where = f"(all of it: {self.log})"
        if self._far is not None:
            where = f"({self._far.trouble})" if self._far.trouble else "(on another host)"
        return (
            f"{self._machine}, serial port {self.port}: {expression.pattern!r} did not come within {timeout:g} s; "
            f"since the last match came\n{said}\n{where}"
        )


class Machine:
    """One QEMU of a simulation."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        self.simulation = simulation
        self.name = name
        self._serials: dict[int, Serial] = {}

    def __str__(self) -> str:
        return f"{self.simulation.name}/{self.name}"

    @property
    def status(self) -> Mapping[str, Any]:
        """As `fermata show --json` tells it, now."""
        machines = self.simulation.show()["machines"]
        for machine in machines:
            if machine["name"] == self.name:
                return dict(machine)
        names = ", ".join(sorted(machine["name"] for machine in machines)) or "none"
        raise FermataError(
            f"{self.simulation.name} runs no machine '{self.name}' now; there are: {names}", code="machine-missing"
        )

    @property
    def state(self) -> str:
        """`running`, `paused`, `dead`…"""
        return str(self.status["state"])

    @property
    def pid(self) -> int:
        """Its QEMU process."""
        return int(self.status["processID"])

    @property
    def serial(self) -> Serial:
        """Its first serial port."""
        return self.serial_port(0)

    def serial_port(self, port: int) -> Serial:
        return self._serials.setdefault(port, Serial(self, port))
