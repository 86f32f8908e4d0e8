"""A host whose clock is wrong: machines stop and go on together all the same, since instants are told each host in its own time.

`skew.c` gives the agent a wrong clock, and the QEMUs that it starts: their stamps have to be in the time of the host that they run on."""

import json
import pathlib
import subprocess

import pytest

from guests import NAME, PLACES, Guests
from hostlab import Answer, HostLab

SECOND = 10**9


@pytest.fixture(scope="module")
def library(lab: HostLab) -> pathlib.Path:
    library = lab.folder / "skew.so"
    source = pathlib.Path(__file__).with_name("skew.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, source], check=True)
    return library


def together(answer: Answer, stamp: str, skew: int) -> None:
    """By our clock, nobody is off by as much as the wrong clock is."""
    assert answer.status == 0, str(answer)
    limit = abs(skew) * SECOND // 2
    assert answer.result["spreadNs"] < limit and answer.result["clockErrorBoundNs"] < limit, str(answer)
    for machine in answer.result["machines"]:
        assert abs(machine[stamp] - answer.result["deadlineNs"]) < limit, machine


@pytest.mark.parametrize("skew", [90, -45])
def test_a_host_whose_clock_is_wrong_takes_part_by_the_right_one(lab: HostLab, guests: Guests, library: pathlib.Path, skew: int) -> None:
    since = guests.progress()
    wrong = lab.hosts[1]
    lab.done("suspend", NAME)
    wrong.kill()
    wrong.environment = {"LD_PRELOAD": str(library), "SKEW_SECONDS": str(skew)}
    wrong.start()
    try:
        together(lab.done("resume", NAME), "resumedAtNs", skew)
        guests.go_on(since)
        answer = lab.done("suspend", f"{NAME}@skew{abs(skew)}")
        together(answer, "stoppedAtNs", skew)
        # What was saved has the host's own time, which its clock policies reckon with: so the clock was wrong indeed.
        saved = json.loads((lab.desk.home / "checkpoints" / NAME / f"skew{abs(skew)}" / "checkpoint.json").read_text())
        for machine in saved["machines"]:
            off = machine["stoppedAtNs"] - answer.result["deadlineNs"]
            expected = skew * SECOND if machine["host"] == wrong.name else 0
            assert abs(off - expected) < 10 * SECOND, f"{machine['name']} on {machine['host']}: {off}"
    finally:
        wrong.kill()
        wrong.environment = {}
        wrong.start()
    since = guests.progress()
    lab.done("resume", NAME)
    guests.go_on(since)
    assert lab.run_states(NAME) == dict.fromkeys(PLACES, "running")
