from __future__ import annotations

import dataclasses
import datetime
from types import TracebackType
from typing import Any, Mapping, Optional, Union

from ._control import Control, Lease
from ._errors import FermataError
from ._machine import Clocks, Machine

#: An instant: ISO 8601, or a datetime (without a zone: local time).
Instant = Union[str, datetime.datetime]
#: A span: as fermata writes it (`40ms`, `1h30m`), seconds, or a timedelta.
Span = Union[str, float, datetime.timedelta]


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint, written `SIM@NAME`."""

    simulation: str
    name: str
    #: The operation's result, as `--json` tells it.
    report: Mapping[str, Any] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.simulation}@{self.name}"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        simulation, _, name = text.partition("@")
        if not simulation or not name:
            raise FermataError(f"'{text}' is no checkpoint: write SIM@NAME", code="usage", exit_code=2)
        return cls(simulation, name)


class Simulation:
    """Machines that run together, of this test alone. Used with `with`, or ended by the fixture that gave it."""

    #: Of the checkpoint of a test that failed.
    FAILED = "failed"

    def __init__(self, control: Control, lease: Lease, source: str, report: Mapping[str, Any]) -> None:
        self._control = control
        self._lease = lease
        #: The manifest, or the checkpoint `SIM@NAME`, that it began with.
        self.source = source
        #: The result of the start, as `--json` tells it.
        self.report = report
        self._machines: dict[str, Machine] = {}
        self._kept: set[str] = set()
        self._ended = False

    @property
    def control(self) -> Control:
        """What it is driven by."""
        return self._control

    @property
    def name(self) -> str:
        return self._lease.simulation

    def __str__(self) -> str:
        return self.name

    def __enter__(self) -> Simulation:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.end()

    # What it is

    def show(self) -> Mapping[str, Any]:
        """As `fermata show --json` tells it, now."""
        return self._control.run("show", self.name)

    @property
    def state(self) -> str:
        """`running`, `suspended`, `down`…"""
        return str(self.show()["state"])

    def machine(self, name: str) -> Machine:
        return self._machines.setdefault(name, Machine(self, name))

    @property
    def machines(self) -> list[Machine]:
        """Those that run, by name."""
        return [self.machine(machine["name"]) for machine in sorted(self.show()["machines"], key=lambda m: str(m["name"]))]

    def clock(self, checkpoint: Optional[str] = None) -> dict[str, Clocks]:
        """What the clocks of each machine read: now, or in one of its checkpoints."""
        target = self.name if checkpoint is None else f"{self.name}@{checkpoint}"
        answer = self._control.run("clock", target)
        clocks = {machine["name"]: machine["clock"] for machine in answer["machines"]}
        return {name: Clocks(clock.get("rtcNs"), clock.get("virtualNs"), clock) for name, clock in clocks.items()}

    # What it does

    def suspend(
        self, checkpoint: Optional[str] = None, *, at: Optional[Instant] = None, after: Optional[Span] = None
    ) -> Checkpoint:
        """Stops all machines at one instant, saves them, and ends their processes."""
        return self._save("suspend", checkpoint, at, after)

    def checkpoint(
        self, checkpoint: Optional[str] = None, *, at: Optional[Instant] = None, after: Optional[Span] = None
    ) -> Checkpoint:
        """Saves all machines as they are at one instant; they run on."""
        return self._save("checkpoint", checkpoint, at, after)

    def resume(
        self,
        checkpoint: Union[str, Checkpoint, None] = None,
        *,
        clock: Optional[str] = None,
        scope: Optional[str] = None,
        at: Optional[Instant] = None,
        after: Optional[Span] = None,
    ) -> Mapping[str, Any]:
        """Lets all machines go on at one instant, from what it was suspended to or from a checkpoint.

        `clock` is `continue`, `host`, `+1h`, `-5m` or `at=2026-12-31T23:59:50Z`; `scope` is `rtc` or `all`.
        """
        return self._control.run("resume", self._own(checkpoint), *_clock(clock, scope), *_when(at, after))

    def rewind(
        self,
        checkpoint: Union[str, Checkpoint],
        *,
        clock: Optional[str] = None,
        scope: Optional[str] = None,
        keep_as: Optional[str] = None,
    ) -> Mapping[str, Any]:
        """Goes back to an older checkpoint. What ran until now is gone, unless `keep_as` names a checkpoint for it."""
        kept = ["--discard"] if keep_as is None else ["--as", keep_as]
        return self._control.run("rewind", self._own(checkpoint), *_clock(clock, scope), *kept)

    def down(self) -> None:
        """Ends its machines as if they were switched off; its checkpoints stay until the test is over."""
        self._control.run("down", self.name)

    def keep(self, checkpoint: Union[str, Checkpoint]) -> None:
        """Lets a checkpoint outlive the test, with those that it stands on."""
        self._kept.add(self._own(checkpoint).partition("@")[2])

    def keep_failed(self, note: str) -> Checkpoint:
        """Suspends it as it is now, to be looked at later; it is the last thing that it does."""
        now = self.show()
        if now["state"] == "suspended" and now.get("checkpoint"):
            saved = Checkpoint(self.name, str(now["checkpoint"]))
        else:
            saved = self._save("suspend", self.FAILED, None, None, "--note", note)
        self._kept.add(saved.name)
        return saved

    def end(self) -> Mapping[str, Any]:
        """Ends its machines and removes it, with all checkpoints that are not to be kept."""
        if self._ended:
            return {}
        self._ended = True
        return self._lease.end(tuple(sorted(self._kept)))

    def _save(
        self, verb: str, name: Optional[str], at: Optional[Instant], after: Optional[Span], *more: str
    ) -> Checkpoint:
        named = [] if name is None else ["--as", name]
        report = self._control.run(verb, self.name, *named, *more, *_when(at, after))
        return Checkpoint(self.name, str(report["checkpoint"]), report)

    def _own(self, checkpoint: Union[str, Checkpoint, None]) -> str:
        if checkpoint is None:
            return self.name
        text = str(checkpoint)
        return text if "@" in text else f"{self.name}@{text}"


def _when(at: Optional[Instant], after: Optional[Span]) -> list[str]:
    if at is not None and after is not None:
        raise TypeError("an instant is given by 'at' or by 'after', not by both")
    if isinstance(at, datetime.datetime):
        at = at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if at is not None:
        return ["--at", at]
    return [] if after is None else ["--in", _span(after)]


def _span(span: Span) -> str:
    if isinstance(span, datetime.timedelta):
        span = span.total_seconds()
    return span if isinstance(span, str) else f"{round(span * 1e6)}us"


def _clock(clock: Optional[str], scope: Optional[str]) -> list[str]:
    return ([] if clock is None else ["--clock", clock]) + ([] if scope is None else ["--clock-scope", scope])
