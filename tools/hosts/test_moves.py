"""A machine that one agent saved goes on on another: its bytes go from the one to the other and past the control instance, which carries
them only where the two have no way to each other. Counted at the hosts' own network devices."""

import collections.abc
import pathlib

import pytest

import spaces
from hostlab import CACHE, QEMU, Host, HostLab, log_lines

NAME = "mover"
# Of the kernel's image, as a disk that the machine only reads: bytes that are no holes.
DISK = CACHE / "linux/vmlinuz"

MANIFEST = f"""\
simulation: {NAME}
machines:
  box:
    qemu: {QEMU}/qemu-system-x86_64
    machine: pc
    memory: 32M
    host: h0
    disks: [{{id: seed, file: {DISK}, format: raw, readonly: true}}]
"""


def received(host: Host) -> int:
    """Bytes that came to it over the network so far."""
    path = "/sys/class/net/eth0/statistics/rx_bytes"
    return int(spaces.sh("ip", "netns", "exec", host.space, "cat", path).stdout)


def relayed(lab: HostLab) -> list[str]:
    log = (lab.desk.home / "daemon.log").read_text(errors="replace")
    return [line for line in log.splitlines() if "went through the control instance" in line]


@pytest.fixture
def saved(lab: HostLab) -> collections.abc.Iterator[pathlib.Path]:
    """Suspended to `s1` on the first host."""
    lab.up(NAME, MANIFEST)
    lab.done("suspend", f"{NAME}@s1", "--sealed")
    yield lab.hosts[0].home / "checkpoints" / NAME / "s1"
    lab.done("down", NAME)
    lab.done("rm", f"{NAME}@s1", "--recursive")
    lab.done("forget", NAME)


def move(lab: HostLab) -> tuple[int, int]:
    """From the first host to the second; bytes that came to the control instance's host and to the second one for it."""
    before = received(lab.desk), received(lab.hosts[1])
    lab.done("resume", f"{NAME}@s1", "--host", "box=h1")
    after = received(lab.desk), received(lab.hosts[1])
    assert lab.hosts[1].machine("box") and not lab.hosts[0].machine("box")
    return after[0] - before[0], after[1] - before[1]


def test_bytes_go_from_agent_to_agent(lab: HostLab, saved: pathlib.Path) -> None:
    notes, refusals = len(relayed(lab)), len(log_lines(lab.hosts[0], "refused a peer"))
    seen, came = move(lab)
    size = DISK.stat().st_size
    assert came > size, f"{came} bytes came, the disk alone has {size}"
    assert seen < size / 10, f"the control instance saw {seen} bytes of a disk of {size}"
    assert len(relayed(lab)) == notes and len(log_lines(lab.hosts[0], "refused a peer")) == refusals
    print(f"{came} bytes came to the host, {seen} to the control instance's")


def test_two_hosts_without_a_way_to_each_other_have_it_brought(lab: HostLab, saved: pathlib.Path) -> None:
    notes = len(relayed(lab))
    first, second = lab.hosts[:2]
    spaces.sh("ip", "-n", second.space, "route", "add", "unreachable", f"{first.address}/32")
    try:
        seen, came = move(lab)
    finally:
        spaces.sh("ip", "-n", second.space, "route", "delete", "unreachable", f"{first.address}/32")
    size = DISK.stat().st_size
    assert came > size and seen > size, f"{came} and {seen} bytes of a disk of {size}"
    assert len(relayed(lab)) == notes + 1, relayed(lab)
