import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.browser import Browser  # noqa: E402
from support.door import Door  # noqa: E402
from support.lab import ARM, RISCV, Lab  # noqa: E402


# Whoever ends the tests ends what they started: this makes it an end that pytest cleans up after.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def lab():
    """One lab for all tests: `bench`, of two machines on two hosts."""
    lab = Lab()
    try:
        lab.add_host("lab2")
        lab.up("bench", {"controller": (ARM, "2024-02-29T12:00:00Z"), "sensor": (RISCV, "2026-12-31T23:58:00Z", "lab2")})
        yield lab
    finally:
        lab.close()
        assert lab.processes() == []


@pytest.fixture(scope="session")
def door(lab):
    door = Door(lab)
    yield door
    door.close()


@pytest.fixture(scope="session")
def chromium(lab, door):
    (lab.folder / "downloads").mkdir()
    browser = Browser(downloads=lab.folder / "downloads")
    browser.open(door.link())
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium):
    """The one browser, at the simulations, as wide as a desk. What it complains of fails the test."""
    chromium.resize(1280)
    chromium.complaints()
    yield chromium
    chromium.js("for (const dialog of document.querySelectorAll('dialog')) dialog.close()")
    complaints = chromium.complaints()
    assert complaints == []


@pytest.fixture
def running(lab):
    """`bench` runs, whatever became of it before."""
    state = lab.state("bench")
    if state == "suspended":
        lab.run("resume", "bench")
    elif state == "down":
        lab.run("up", lab.folder / "bench.yaml")
    lab.wait_for("bench to run", lambda: lab.state("bench") == "running")
    return lab


@pytest.fixture
def checkpoint(running):
    """A checkpoint that was just made; its name."""
    return running.json("checkpoint", "bench")["checkpoint"]


@pytest.fixture
def known(running):
    """Some checkpoint, the same for all tests that only look."""
    saved = [one["checkpoint"] for one in running.get("/v1/simulations/bench/checkpoints")[1]["checkpoints"]]
    return "looked-at" if "looked-at" in saved else running.json("checkpoint", "bench", "--as", "looked-at", "--label", "keep=")["checkpoint"]
