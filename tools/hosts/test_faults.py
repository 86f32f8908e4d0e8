"""Whatever fails while machines of three hosts are suspended, and whenever: all are saved or all run on, nobody stands still for ever, and
no guest has lost anything."""

import json
import pathlib
import socket
import threading
import time

import pytest

from guests import NAME, PLACES, Guests
from hostlab import CACHE, QEMU, Answer, HostLab, wait
from moments import LEAD, Breaker, Fault, Moment, seconds, suspend

RUNNING = dict.fromkeys(PLACES, "running")

# How the command may end, and whether all is saved then (None: as it says). The control instance's own death is always `unknown`
# (5) to whoever waited for it.
ROWS = {
    (Fault.AGENT, Moment.BEFORE): ({3}, False),
    (Fault.AGENT, Moment.PREPARED): ({1}, False),
    (Fault.AGENT, Moment.ARMED): ({1}, False),
    (Fault.AGENT, Moment.HAPPENING): ({1}, False),
    (Fault.AGENT, Moment.DONE): ({0, 5}, True),
    (Fault.CONTROL, Moment.BEFORE): ({0}, True),
    (Fault.CONTROL, Moment.PREPARED): ({5}, False),
    (Fault.CONTROL, Moment.ARMED): ({5}, False),
    (Fault.CONTROL, Moment.HAPPENING): ({5}, False),
    (Fault.CONTROL, Moment.DONE): ({5}, False),
    (Fault.CUT, Moment.BEFORE): ({3}, False),
    (Fault.CUT, Moment.PREPARED): ({1, 4}, False),
    (Fault.CUT, Moment.ARMED): ({0}, True),
    (Fault.CUT, Moment.HAPPENING): ({0}, True),
    (Fault.CUT, Moment.DONE): ({0}, True),
}


def settle(lab: HostLab, guests: Guests, name: str, answer: Answer, since: dict[str, int], processes: dict, saved: bool) -> None:
    """All is saved as one, and goes on from there; or all run on as if nothing had been."""
    what = str(answer)
    if saved:
        wait(f"the commit after {what}", lambda: lab.state(NAME) == "suspended" and not any(guests.processes().values()))
        assert all(name in host.checkpoints(NAME) for host in lab.hosts), what
        assert name in lab.checkpoints(NAME), what
        lab.done("verify", f"{NAME}@{name}")
        guests.resume()
    else:
        wait(f"all to run after {what}", lambda: lab.state(NAME) == "running" and lab.run_states(NAME) == RUNNING)
        assert guests.processes() == processes, f"nobody was replaced: {what}"
        assert name not in lab.checkpoints(NAME), what
        wait(f"hosts without any of it after {what}", lambda: not any(host.folders(NAME, name) for host in lab.hosts))
    assert lab.run_states(NAME) == RUNNING, what
    guests.go_on(since)


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.value)
@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.value)
def test_one_fault(lab: HostLab, guests: Guests, fault: Fault, moment: Moment) -> None:
    statuses, saved = ROWS[fault, moment]
    name = f"{fault.name}-{moment.name}".lower()
    since, processes = guests.progress(), guests.processes()
    breaker = Breaker(lab, fault)
    try:
        answer = suspend(lab, name, moment, lambda: breaker.strike(stays=moment is Moment.BEFORE))
    finally:
        breaker.repair()
    assert answer.status in statuses, str(answer)
    if answer.status == 3:
        assert answer.codes == {"host-unreachable"} and "h1" in answer.words, str(answer)
    settle(lab, guests, name, answer, since, processes, saved)


def test_a_host_that_stays_away_is_given_up_and_told_when_it_is_back(lab: HostLab, guests: Guests) -> None:
    since, processes = guests.progress(), guests.processes()
    breaker = Breaker(lab, Fault.CUT)
    try:
        answer = suspend(lab, "away", Moment.ARMED, lambda: breaker.strike(stays=True))
        assert answer.status == 5 and "host-unreachable" in answer.codes, str(answer)
        for ticker in ("arm", "mainframe"):
            reached = guests.last(ticker)["sequence"]
            wait(f"life in {ticker}, whose host is there", lambda: guests.last(ticker)["sequence"] > reached)
    finally:
        breaker.repair()
    settle(lab, guests, "away", answer, since, processes, False)


def test_a_slow_host_is_waited_for(lab: HostLab, guests: Guests) -> None:
    since, processes = guests.progress(), guests.processes()
    slow = lab.hosts[1]
    slow.pause()
    try:
        command = lab.begin("suspend", f"{NAME}@slow")
        command.phase("preparing")
        wait("promise of the others", lambda: all(host.journal == "preparing" for host in lab.hosts if host is not slow))
        assert not command.saw("phase", phase="prepared")
    finally:
        slow.go_on()
    answer = command.end()
    assert answer.status == 0, str(answer)
    settle(lab, guests, "slow", answer, since, processes, True)


def test_a_host_that_hears_of_the_instant_too_late_takes_all_back(lab: HostLab, guests: Guests) -> None:
    since, processes = guests.progress(), guests.processes()
    late = lab.hosts[1]
    heard = threading.Timer(4, late.go_on)

    def fall_asleep() -> None:
        late.pause()
        heard.start()

    try:
        answer = suspend(lab, "missed", Moment.PREPARED, fall_asleep)
    finally:
        heard.join()
    assert answer.status == 4 and answer.codes == {"handle-expired"}, str(answer)
    settle(lab, guests, "missed", answer, since, processes, False)


def test_a_host_that_sleeps_through_the_instant_takes_all_back(lab: HostLab, guests: Guests) -> None:
    since, processes = guests.progress(), guests.processes()
    late = lab.hosts[1]

    def sleep_through() -> None:
        late.pause()
        time.sleep(4)
        late.go_on()

    answer = suspend(lab, "late", Moment.ARMED, sleep_through)
    assert answer.status == 4 and answer.codes == {"instant-missed"}, str(answer)
    settle(lab, guests, "late", answer, since, processes, False)


def test_one_machine_that_cannot_be_saved_keeps_all_running(lab: HostLab, guests: Guests) -> None:
    since = guests.progress()
    monitor = lab.hosts[1].home / "stubborn.sock"
    lab.up("stubborn", stubborn(monitor))
    words = ["suspend", "stubborn@never"]

    # A device that QEMU cannot save, plugged in when all have promised already.
    command = lab.begin(*words, "--in", seconds(LEAD))
    command.phase("armed")
    wait("armed journals", lambda: all(host.journal == "armed" for host in lab.hosts[:2]))
    plug_in_what_cannot_be_saved(monitor)
    late = command.end()
    assert late.status == 1 and "m1" in late.words, str(late)
    # From then on it is known beforehand.
    early = lab.ask(*words)
    assert early.status == 3 and early.codes == {"migration-blocked"}, str(early)

    wait("all of them to run", lambda: lab.run_states("stubborn") == {"m0": "running", "m1": "running"})
    assert "never" not in lab.checkpoints("stubborn")
    log = lab.hosts[0].home / "logs/stubborn/m0/serial0.log"
    ticks = [json.loads(line)["tick"] for line in log.read_text().splitlines()[:-1] if line.startswith("{")]
    assert ticks == list(range(1, len(ticks) + 1)), ticks
    lab.done("down", "stubborn")
    guests.go_on(since)


def stubborn(monitor: pathlib.Path) -> str:
    return f"""\
simulation: stubborn
machines:
  m0: {{qemu: {QEMU}/qemu-system-aarch64, machine: virt, cpu: cortex-a53, memory: 32M, host: h0, kernel: {CACHE}/ticker/ticker-arm.elf}}
  m1: {{qemu: {QEMU}/qemu-system-x86_64, machine: pc, memory: 32M, host: h1, args: [-qmp, "unix:{monitor},server=on,wait=off"]}}
"""


def plug_in_what_cannot_be_saved(monitor: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rw") as lines:
        connection.connect(str(monitor))
        lines.readline()
        for command, arguments in (
            ("qmp_capabilities", {}),
            ("object-add", {"qom-type": "memory-backend-ram", "id": "shared", "size": 1 << 20}),
            ("device_add", {"driver": "ivshmem-plain", "id": "peer", "memdev": "shared", "master": "off"}),
        ):
            lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            lines.flush()
            answer = json.loads(lines.readline())
            while "event" in answer:
                answer = json.loads(lines.readline())
            assert "return" in answer, answer
