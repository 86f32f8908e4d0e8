"""A thousand who listen, and what a suspend makes of them."""

import statistics

import pytest

from crowds import CrowdProcess

LISTENERS = 1000
NOISE = {"silent": 50, "mute": 50, "dribble": 30, "deaf": 20, "pipeline": 1, "upload": 1, "strangers": 1}
ROUNDS = 2


def lateness(report):
    """Of the machine that was latest, in microseconds, by QEMU's own stamp of its STOP."""
    late = [machine.get("latenessNs") for machine in report["machines"]]
    assert len(late) == 2 and None not in late, report
    return max(late) / 1000


@pytest.mark.parametrize("way", ["socket", "tls"])
def test_a_thousand_listeners_hear_everything_in_order(lab, way):
    lab.forget_peak()
    before, _ = lab.memory()
    with CrowdProcess(lab, listeners=LISTENERS, way=way) as crowd:
        lab.suspend_round("bench")
        crowd.cut()
        # While half of them are away.
        lab.suspend_round("bench")
        crowd.until(lab.still())
        heard = crowd.result()["listeners"]
    now, most = lab.memory()
    assert heard["count"] == LISTENERS
    assert heard["returns"] == LISTENERS // 2
    assert [heard[name] for name in ("gaps", "resets", "losses", "different")] == [0, 0, 0, 0], heard
    assert heard["heard"] == heard["events"] * LISTENERS and heard["events"] > 20, heard
    print(f"{way}: {heard['events']} events to each; the daemon had {before:.0f} MiB, at most {most:.0f}, then {now:.0f}")


def test_of_two_who_press_suspend_at_the_same_moment_one_wins(lab):
    answers = lab.at_once([
        lambda: lab.ask("POST", "/v1/simulations/bench/suspend", {"checkpoint": name, "when": {"inNs": 5 * 10**9}}, role)
        for name, role in (("one", "operate"), ("two", "admin"))
    ])  # fmt: skip
    (won, started), (lost, problem) = sorted(answers, key=lambda answer: answer[0])
    assert (won, lost, problem["code"]) == (202, 409, "busy"), answers
    assert "under way" in problem["detail"], problem
    report = lab.report(started["operation"])
    assert report["outcome"] == "done", report["reasons"]
    assert lab.state("bench") == "suspended"
    saved = [one["checkpoint"] for one in lab.get("/v1/simulations/bench/checkpoints")[1]["checkpoints"]]
    assert ("one" in saved) != ("two" in saved)
    assert lab.operate("resume", "bench")["outcome"] == "done"


def test_a_suspend_meets_its_instant_whatever_clients_do(lab):
    quiet = [lateness(lab.suspend_round("bench")) for _ in range(ROUNDS)]
    lab.forget_peak()
    before, _ = lab.memory()
    # Two processes of clients for two processors, beside the daemon and the machines.
    with CrowdProcess(lab, listeners=LISTENERS) as crowd, CrowdProcess(lab, noise=NOISE) as noise:
        loud = [lateness(lab.suspend_round("bench")) for _ in range(ROUNDS)]
        made = noise.result()["noise"]
        noise.leave()
        crowd.until(lab.still())
        heard = crowd.result()["listeners"]
    now, most = lab.memory()
    assert [heard[name] for name in ("gaps", "resets", "losses", "different")] == [0, 0, 0, 0], heard
    assert {kind: one["faults"] for kind, one in made.items() if one["faults"]} == {}
    for kind in ("pipeline", "upload", "strangers"):
        assert made[kind]["answers"], f"nothing of {kind} was answered"
    assert most - before < 1024, f"MiB: {before:.0f} before, {most:.0f} at most"
    print(f"late by, median of {ROUNDS}: {statistics.median(quiet):.0f} µs alone, {statistics.median(loud):.0f} µs beside all of them")
    print(f"answers meanwhile: { {kind: one['answers'] for kind, one in made.items() if one['answers']} }")
    print(f"the daemon had {before:.0f} MiB, at most {most:.0f}, then {now:.0f}")
