"""Robot Framework keywords for coupled QEMU machines."""

from __future__ import annotations

import os
from typing import Any, Optional

from pytest_fermata import Fermata, FermataError, Simulation, __version__
from robot.api import logger
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn
from robot.utils import timestr_to_secs


@library(scope="SUITE", version=__version__, doc_format="TEXT")
class FermataLibrary:
    """Machines that run together: suspended at one instant, resumed at another time, rewound to where they have booted.

    A suite has one simulation. It ends with the suite, whatever happens; the lab of a test that fails is kept as it was then, and the
    test's message says how to go on from there.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, program: Optional[str] = None, keep_failed: bool = True) -> None:
        """`program` is the fermata to use (default: FERMATA_BINARY, or fermata in PATH)."""
        self.ROBOT_LIBRARY_LISTENER = self
        self._fermata = Fermata.using(program, logger.warn)
        self._keep_failed = keep_failed
        self._simulation: Optional[Simulation] = None
        self._failures = 0

    # Keywords

    @keyword
    def start_simulation(self, source: str, clock: Optional[str] = None, scope: Optional[str] = None) -> str:
        """From a manifest, relative to the suite's file, or as a copy of a checkpoint ``SIM@NAME``. Returns its name."""
        self.end_simulation()
        options = {name: value for name, value in {"clock": clock, "scope": scope}.items() if value is not None}
        if "@" not in source:
            source = os.path.join(os.path.dirname(_suite_source()), source)
        self._simulation = self._fermata.start(source, **options)
        return self._simulation.name

    @keyword
    def suspend_simulation(
        self, checkpoint: Optional[str] = None, at: Optional[str] = None, after: Optional[str] = None
    ) -> str:
        """Stops all machines at one instant, saves them, and ends their processes. Returns the checkpoint's name."""
        return self._running.suspend(checkpoint, at=at, after=after).name

    @keyword
    def resume_simulation(
        self, checkpoint: Optional[str] = None, clock: Optional[str] = None, scope: Optional[str] = None
    ) -> None:
        """All machines go on at one instant; ``clock`` is ``continue``, ``host``, ``+1h``, ``-5m`` or ``at=2026-12-31T23:59:50Z``."""
        self._running.resume(checkpoint, clock=clock, scope=scope)

    @keyword
    def checkpoint_simulation(self, checkpoint: Optional[str] = None) -> str:
        """Saves all machines as they are at one instant; they run on. Returns the checkpoint's name."""
        return self._running.checkpoint(checkpoint).name

    @keyword
    def rewind_simulation(self, checkpoint: str, clock: Optional[str] = None, scope: Optional[str] = None) -> None:
        """Back to a checkpoint, for good: what ran until now is gone."""
        self._running.rewind(checkpoint, clock=clock, scope=scope)

    @keyword
    def end_simulation(self) -> None:
        """Its machines end, its checkpoints are removed. The suite's end does that, too."""
        if self._simulation:
            self._simulation.end()
            self._simulation = None

    @keyword
    def expect_serial(self, machine: str, pattern: str, timeout: str = "30s", port: int = 0) -> Any:
        """Waits for a regular expression behind the last one found. Returns its groups, or all of it if it has none."""
        serial = self._running.machine(machine).serial_port(port)
        match = serial.expect(pattern, timestr_to_secs(timeout))
        groups = [(group or b"").decode(errors="replace") for group in match.groups() or (match[0],)]
        return groups[0] if len(groups) == 1 else groups

    @keyword
    def send_serial(self, machine: str, line: str, port: int = 0) -> None:
        """Types a line, with a line feed behind it."""
        self._running.machine(machine).serial_port(port).send(f"{line}\n")

    @keyword
    def get_clock(self, machine: str) -> str:
        """What its real-time clock reads, as 2026-12-31T23:59:50Z, which Robot's ``DateTime`` understands without the ``Z``."""
        rtc = self._running.clock()[machine].rtc
        if rtc is None:
            raise FermataError(f"{machine} has no real-time clock that is known", code="clock-missing")
        return rtc.strftime("%Y-%m-%dT%H:%M:%SZ")

    @keyword
    def clock_should_be_between(self, machine: str, first: str, last: str) -> None:
        """Not before the first, not after the last: both as ``Get Clock`` has them."""
        reads = self.get_clock(machine)
        if not first <= reads <= last:
            raise AssertionError(f"the clock of {machine} reads {reads}, which is not from {first} to {last}")

    @property
    def _running(self) -> Simulation:
        if self._simulation is None:
            raise FermataError("there is no simulation: Start Simulation comes first", code="usage", exit_code=2)
        return self._simulation

    # What Robot tells its listeners

    def end_test(self, data: Any, result: Any) -> None:
        simulation = self._simulation
        if not (result.failed and self._keep_failed and simulation):
            return
        self._failures += 1
        try:
            saved = _save(simulation, f"failed-{self._failures}")
        except FermataError as error:
            result.message += f"\n\nthe lab could not be kept as it was then: {error}"
            return
        result.message += (
            f"\n\nthe lab is kept as it was then (it began with {simulation.source}); when the suite is over:\n"
            f"  go on from there:  fermata resume {saved}\n  remove it:         fermata rm {saved}"
        )

    def close(self) -> None:
        """The suite is over."""
        self.end_simulation()
        self._fermata.end()


def _save(simulation: Simulation, name: str) -> str:
    """It goes on, since the next test may begin with what this one has left."""
    now = simulation.show()
    saved = f"{simulation}@{now['checkpoint']}" if now["state"] == "suspended" else str(simulation.checkpoint(name))
    simulation.keep(saved)
    return saved


def _suite_source() -> str:
    return str(BuiltIn().get_variable_value("${SUITE SOURCE}"))
