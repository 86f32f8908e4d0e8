"""Machines of four architectures on three hosts are one simulation: stopped at one instant, gone, and resumed with all that they had."""

import time

import pytest

from guests import NAME, PLACES, TICKERS, Guests
from hostlab import HostLab, wait

# Long enough that a guest which noticed it could not hide it.
PAUSE = 6
SECOND = 10**9


def test_four_architectures_on_three_hosts_are_gone_and_come_back(lab: HostLab, guests: Guests) -> None:
    machines = lab.done("show", NAME).result["machines"]
    programs = {machine["launch"]["spec"]["qemu"].rpartition("-")[2] for machine in machines}
    assert programs == {"x86_64", "aarch64", "riscv64", "s390x"} and {machine["host"] for machine in machines} == {"h0", "h1", "h2"}

    since = guests.progress()
    began = time.monotonic()
    answer = lab.done("suspend", f"{NAME}@gone")
    assert {machine["name"] for machine in answer.result["machines"]} == set(PLACES)
    assert not any(guests.processes().values()), "machines live on although all is saved"
    before = {name: guests.last(name) for name in PLACES}
    time.sleep(PAUSE)
    assert guests.progress() == {name: record["sequence"] for name, record in before.items()}, "somebody ran on"
    lab.done("resume", NAME)
    guests.go_on({name: record["sequence"] for name, record in before.items()})
    away = time.monotonic() - began
    for name in PLACES:
        clock = "counterNs" if name in TICKERS else "uptimeNs"
        lived = (guests.last(name)[clock] - before[name][clock]) / SECOND
        assert lived < away - PAUSE + 1, f"{name} has lived {lived:.3f} s of {away:.3f} s, {PAUSE} s of which it was not there"
    guests.go_on(since)


def test_a_bad_network_between_hosts(lab: HostLab, guests: Guests) -> None:
    if not lab.switch.has_netem():
        pytest.skip("this kernel has no netem: no latency and no loss between hosts, only the relay's delay of one host's agent")
    since = guests.progress()
    for host in lab.hosts:
        assert lab.switch.impair(host.name, "delay", "5ms", "2ms", "loss", "2%")
    try:
        lab.done("suspend", f"{NAME}@lossy")
        lab.done("resume", NAME)
        wait("lines over a bad network", lambda: guests.last("client")["sequence"] > since["client"] + 40)
    finally:
        for host in lab.hosts:
            lab.switch.repair(host.name)
    guests.go_on(since)
