"""The moments of a suspend or a resume at which something can fail, each held open until it has; and what can fail."""

import collections.abc
import dataclasses
import enum
import os
import signal
import threading

from gate import DatabaseGate
from guests import NAME, PLACES
from hostlab import Answer, Command, Host, HostLab, log_lines, wait

# Seconds. From when all could be ready to the instant: enough to get somewhere.
LEAD = 2.5
# How long a cable is out.
CUT = 3.0


class Moment(enum.Enum):
    BEFORE = "before prepare"
    PREPARED = "between prepare and execute"
    ARMED = "after execute, before the instant"
    HAPPENING = "after the instant, before all is done"
    DONE = "after all is done, before the commit"


class Fault(enum.Enum):
    AGENT = "an agent is killed"
    CONTROL = "the control instance is killed"
    CUT = "a host's network is cut, and heals"


@dataclasses.dataclass(frozen=True)
class Kind:
    """What an operation is asked for by, and what is told of it before it is recorded as done."""

    verb: str
    # The stage of a machine that has followed its command.
    happened: str
    # The stage after which nothing comes, and how many of these there are.
    last: str
    count: int


SUSPEND = Kind("suspend", happened="stop", last="sync", count=len(set(PLACES.values())))
RESUME = Kind("resume", happened="cont", last="cont", count=len(PLACES))


def stopped(process: int) -> collections.abc.Callable[[], None]:
    """Stops a process; gives what lets it go on."""
    os.kill(process, signal.SIGSTOP)
    return lambda: os.kill(process, signal.SIGCONT)


def seconds(span: float) -> str:
    return f"{round(span * 1000)}ms"


def suspend(lab: HostLab, name: str, moment: Moment, fault: collections.abc.Callable[[], None], *options: str) -> Answer:
    """A suspend that is held at a moment until the fault has happened, and then goes on."""
    return operate(lab, SUSPEND, [f"{NAME}@{name}", *(options or ("--in", seconds(LEAD)))], moment, fault)


def resume(lab: HostLab, moment: Moment, fault: collections.abc.Callable[[], None], lead: float | None) -> Answer:
    """The same of a resume, from what it was suspended to.

    `lead` counts from the request, so machines are launched and loaded in it, too; None: as soon as all can."""
    return operate(lab, RESUME, [NAME, *(("--in", seconds(lead)) if lead else ())], moment, fault)


def operate(lab: HostLab, kind: Kind, words: list[str], moment: Moment, fault: collections.abc.Callable[[], None]) -> Answer:
    if moment is Moment.BEFORE:
        fault()
        return lab.ask(kind.verb, *words)
    with DatabaseGate(lab.desk.home) as gate:
        last = lab.hosts[-1]
        if moment is Moment.PREPARED:
            # Until the database is shut, one host does not answer.
            last.pause()
            command = lab.begin(kind.verb, *words)
            command.phase("preparing")
            gate.shut()
            last.go_on()
            command.phase("prepared")
            wait("promise in each journal", lambda: all(host.journal == "preparing" for host in lab.hosts))
            fault()
        else:
            command = lab.begin(kind.verb, *words)
            command.phase("armed")
            wait("armed hosts", lambda: all(is_armed(host, command) for host in lab.hosts))
            if moment is Moment.ARMED:
                fault()
            elif moment is Moment.HAPPENING:
                frozen = lab.hosts[1].machine("riscv")
                assert frozen is not None
                go_on = stopped(frozen)
                try:
                    others = [machine for machine, place in PLACES.items() if place != lab.hosts[1].name]
                    wait(
                        f"{kind.happened} of the others",
                        lambda: all(command.saw("stage", name=kind.happened, machine=machine) for machine in others),
                    )
                    fault()
                finally:
                    go_on()
            else:
                gate.shut()
                # The next write is that it has happened.
                wait("last stages", lambda: command.saw("stage", name=kind.last) == kind.count)
                fault()
        gate.open()
    return command.end()


def is_armed(host: Host, command: Command) -> bool:
    """Whether the instant is all that the host waits for: its journal says so before that, and machines that are resumed load meanwhile."""
    return any("armed for" in line for line in log_lines(host, command.operation))


class Breaker:
    """Does a fault, and sees to it that nothing of it is left."""

    def __init__(self, lab: HostLab, fault: Fault, cut: float = CUT) -> None:
        self.lab = lab
        self.fault = fault
        self.host: Host = lab.hosts[1]
        self.cut = cut
        self.timer: threading.Timer | None = None

    def strike(self, stays: bool = False) -> None:
        """`stays`: until `repair`."""
        if self.fault is Fault.AGENT:
            self.host.kill()
            if not stays:
                self.host.start()
        elif self.fault is Fault.CONTROL:
            self.lab.kill_control()
        else:
            self.lab.switch.cut(self.host.name)
            if not stays:
                self.timer = threading.Timer(self.cut, self.lab.switch.heal, [self.host.name])
                self.timer.start()

    def repair(self) -> None:
        if self.timer is not None:
            self.timer.join()
        self.lab.switch.heal(self.host.name)
        if self.host.agent is not None and self.host.agent.poll() is not None:
            self.host.start()
