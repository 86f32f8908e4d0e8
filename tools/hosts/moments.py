"""The moments of a suspend at which something can fail, each held open until it has; and what can fail."""

import collections.abc
import enum
import os
import signal
import threading

from gate import DatabaseGate
from guests import NAME
from hostlab import Answer, Host, HostLab, wait

# Between the request and the instant: enough to get somewhere.
LEAD = "2500ms"


class Moment(enum.Enum):
    BEFORE = "before prepare"
    PREPARED = "between prepare and execute"
    ARMED = "after execute, before the instant"
    STOPPING = "after the instant, before all is saved"
    SAVED = "after all is saved, before the commit"


class Fault(enum.Enum):
    AGENT = "an agent is killed"
    CONTROL = "the control instance is killed"
    CUT = "a host's network is cut, and heals"


def stopped(process: int) -> collections.abc.Callable[[], None]:
    """Stops a process; gives what lets it go on."""
    os.kill(process, signal.SIGSTOP)
    return lambda: os.kill(process, signal.SIGCONT)


def suspend(lab: HostLab, name: str, moment: Moment, fault: collections.abc.Callable[[], None], *options: str) -> Answer:
    """A suspend that is held at a moment until the fault has happened, and then goes on."""
    words = ["suspend", f"{NAME}@{name}", *(options or ("--in", LEAD))]
    if moment is Moment.BEFORE:
        fault()
        return lab.ask(*words)
    with DatabaseGate(lab.desk.home) as gate:
        last = lab.hosts[-1]
        if moment is Moment.PREPARED:
            # Until the database is shut, one host does not answer.
            last.pause()
            command = lab.begin(*words)
            command.phase("preparing")
            gate.shut()
            last.go_on()
            command.phase("prepared")
            wait("promise in each journal", lambda: all(host.journal == "preparing" for host in lab.hosts))
            fault()
        else:
            command = lab.begin(*words)
            command.phase("armed")
            wait("armed journals", lambda: all(host.journal == "armed" for host in lab.hosts))
            if moment is Moment.ARMED:
                fault()
            elif moment is Moment.STOPPING:
                frozen = lab.hosts[1].machine("riscv")
                assert frozen is not None
                go_on = stopped(frozen)
                try:
                    wait("stop of the others", lambda: command.saw("stage", name="stop", machine="mainframe"))
                    fault()
                finally:
                    go_on()
            else:
                gate.shut()
                # Of each host the last stage; the next write is that it has happened.
                wait("saved machines", lambda: command.saw("stage", name="sync") == len(lab.hosts))
                fault()
        gate.open()
    return command.end()


class Breaker:
    """Does a fault, and sees to it that nothing of it is left."""

    def __init__(self, lab: HostLab, fault: Fault, cut: float = 3) -> None:
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
