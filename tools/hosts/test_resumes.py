"""Whatever fails while machines of three hosts are resumed, and whenever: all run on from one instant, or all are suspended to the checkpoint
that they were suspended to before and can be resumed then. Nobody stands still for ever, and no guest has lost anything or lived it twice."""

import collections.abc
import enum

import pytest

from guests import NAME, PLACES, Guests
from hostlab import Answer, HostLab, wait
from moments import CUT, LEAD, Breaker, Fault, Moment, resume

SECOND = 10**9
RUNNING = dict.fromkeys(PLACES, "running")
# Seconds. The operation ends before: what was armed for it never happens.
NEVER = 60.0


class End(enum.Enum):
    NOTHING = "nobody has lived"
    UNDONE = "what some have lived is taken back"
    KEPT = "all run on"


# How the command may end, and what has become of the machines then. The control instance's own death is always `unknown` (5) to whoever
# waited for it. The next one takes back what has not happened when it comes, and keeps what runs on every host.
ROWS = {
    (Fault.AGENT, Moment.BEFORE): ({3}, End.NOTHING),
    (Fault.AGENT, Moment.PREPARED): ({1}, End.NOTHING),
    (Fault.AGENT, Moment.ARMED): ({1}, End.NOTHING),
    (Fault.AGENT, Moment.HAPPENING): ({1}, End.UNDONE),
    (Fault.AGENT, Moment.DONE): ({0, 5}, End.KEPT),
    (Fault.CONTROL, Moment.BEFORE): ({0}, End.KEPT),
    (Fault.CONTROL, Moment.PREPARED): ({5}, End.NOTHING),
    (Fault.CONTROL, Moment.ARMED): ({5}, End.NOTHING),
    (Fault.CONTROL, Moment.HAPPENING): ({5}, End.KEPT),
    (Fault.CONTROL, Moment.DONE): ({5}, End.KEPT),
    (Fault.CUT, Moment.BEFORE): ({3}, End.NOTHING),
    # The others are armed already when it is known that one is not.
    (Fault.CUT, Moment.PREPARED): ({1, 4}, End.UNDONE),
    (Fault.CUT, Moment.ARMED): ({0}, End.KEPT),
    (Fault.CUT, Moment.HAPPENING): ({0}, End.KEPT),
    (Fault.CUT, Moment.DONE): ({0}, End.KEPT),
}


@pytest.fixture
def checkpoint(booted: Guests) -> collections.abc.Iterator[str]:
    """That they are suspended to, also by an earlier test. Whatever happens then, they are brought back, unless nobody has lived."""
    if booted.stands is None:
        booted.ensure()
        if not booted.pace:
            booted.suspend()
            booted.resume()
        booted.stands = booted.suspend()
    name, booted.stands = booted.stands, None
    yield name
    if booted.stands is None:
        booted.ensure()


def settle(lab: HostLab, guests: Guests, checkpoint: str, answer: Answer, since: dict[str, int], end: End) -> None:
    what = str(answer)
    if end is End.KEPT:
        wait(f"all to run after {what}", lambda: lab.state(NAME) == "running" and lab.run_states(NAME) == RUNNING)
        if answer.status == 0:
            for machine in answer.result["machines"]:
                # Its command left at the instant, or not at all.
                assert abs(machine["sentAtNs"] - answer.result["deadlineNs"]) < SECOND, machine
    else:
        wait(f"nobody to be left after {what}", lambda: lab.state(NAME) == "suspended" and not any(guests.processes().values()))
        wait(f"hosts with nothing under way after {what}", lambda: all(host.journal is None for host in lab.hosts))
        if end is End.NOTHING:
            assert not any(guests.has_spoken(machine) for machine in PLACES), what
            # The next test goes on from there, or whoever needs them running.
            assert lab.done("show", NAME).result["checkpoint"] == checkpoint, what
            guests.stands = checkpoint
            return
        guests.take_back()
        assert guests.resume() == checkpoint, what
        assert lab.run_states(NAME) == RUNNING, what
    guests.go_on(since)


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_one_fault_of_a_resume(lab: HostLab, booted: Guests, checkpoint: str, fault: Fault, moment: Moment) -> None:
    statuses, end = ROWS[fault, moment]
    since = booted.progress()
    lead: float | None = LEAD + 1.5 * booted.pace
    if fault is not Fault.CUT and moment in (Moment.PREPARED, Moment.ARMED):
        lead = NEVER
    elif fault is Fault.CONTROL and moment is Moment.BEFORE:
        lead = None
    # A host that is to be armed while it cannot be reached hears of it when the instant has passed.
    breaker = Breaker(lab, fault, cut=lead if lead and moment is Moment.PREPARED else CUT)

    def strike() -> None:
        if moment is Moment.HAPPENING:
            # Of the host that it strikes one machine lives already, and one stands still.
            wait("word of client", lambda: booted.has_spoken("client"))
        breaker.strike(stays=moment is Moment.BEFORE)

    try:
        answer = resume(lab, moment, strike, lead)
    finally:
        breaker.repair()
    assert answer.status in statuses, str(answer)
    if answer.status == 3:
        assert answer.codes == {"host-unreachable"} and "h1" in answer.words, str(answer)
    settle(lab, booted, checkpoint, answer, since, end)


def test_machines_that_are_armed_go_on_although_the_control_instance_is_dead(lab: HostLab, booted: Guests, checkpoint: str) -> None:
    since = booted.progress()

    def strike() -> None:
        lab.kill_control()
        wait("life in all", lambda: all(booted.has_spoken(machine) for machine in PLACES))
        assert lab.daemon is None

    answer = resume(lab, Moment.ARMED, strike, LEAD + 1.5 * booted.pace)
    assert answer.status == 5, str(answer)
    settle(lab, booted, checkpoint, answer, since, End.KEPT)
