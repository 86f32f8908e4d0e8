"""One lab for all tests: three hosts, booted once, five machines of four architectures that run between any two tests."""

import collections.abc
import os

import pytest
from _pytest.terminal import TerminalReporter

import spaces
from guests import Guests
from hostlab import HostLab

# Each way, of what the control instance and one of the hosts say to each other.
DELAYED, DELAY = "h2", 1


@pytest.fixture(scope="session")
def lab() -> collections.abc.Iterator[HostLab]:
    reason = spaces.why_not()
    if reason and os.environ.get("CI") != "true":
        pytest.skip(reason)
    assert reason is None, reason
    with HostLab() as lab:
        lab.start({DELAYED: DELAY})
        yield lab


@pytest.fixture(scope="session")
def booted(lab: HostLab) -> Guests:
    return Guests(lab)


@pytest.fixture
def guests(booted: Guests) -> Guests:
    booted.ensure()
    return booted


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    count = {how: len(terminalreporter.stats.get(how, [])) for how in ("passed", "failed", "error", "skipped")}
    failed = count["failed"] + count["error"]
    terminalreporter.write_line(f"hosts: {count['passed']} passed, {failed} failed, {count['skipped']} skipped")
