"""What one sees of simulations."""

import os
import signal
import time

from support.lab import RISCV


def clock(browser, machine):
    return browser.js("return document.querySelector(`tr[data-key='${arguments[0]}'] .clock`)?.textContent", machine)


def test_each_machine_is_shown_with_its_state_and_a_clock_that_ticks(browser, running):
    browser.go()
    browser.wait("both machines", lambda: len(browser.all('[data-simulation="bench"] tbody tr')) == 2)
    browser.wait("they run", lambda: browser.text('[data-simulation="bench"]').count("running") == 3)
    # What it was started with, and not today.
    assert clock(browser, "controller").startswith("2024-")
    before = {machine: clock(browser, machine) for machine in ("controller", "sensor")}
    host = browser.text(".host-time .clock")
    browser.wait("clocks to go on", lambda: all(clock(browser, machine) != before[machine] for machine in before))
    browser.wait("the host's clock to go on", lambda: browser.text(".host-time .clock") != host)


def test_a_suspended_simulations_clocks_stand_still_where_they_were_saved(browser, running):
    running.run("suspend", "bench", "--as", "still")
    saved = {machine["name"]: machine["clock"]["rtcNs"] for machine in running.get("/v1/simulations/bench/checkpoints/still/clocks")[1]["machines"]}
    browser.go()
    browser.wait("it is suspended", lambda: browser.one('[data-simulation="bench"]').get_attribute("data-state") == "suspended")
    shown = browser.wait("the clock", lambda: clock(browser, "sensor"))
    expected = browser.module("time.js", "return module.formatInstant(BigInt(given[0]), 1)", str(saved["sensor"]))
    assert shown == expected
    time.sleep(0.6)
    assert clock(browser, "sensor") == expected
    assert "held" in browser.one("tr[data-key='sensor'] .clock").get_attribute("class")


def test_machines_that_die_are_seen_without_reloading(browser, running):
    running.up("brittle", {"one": (RISCV, "2026-01-01T00:00:00Z")})
    browser.go("simulations", "brittle")
    browser.wait_text("running", "[data-machine='one']")
    pid = running.get("/v1/simulations/brittle")[1]["machines"][0]["processID"]
    os.kill(pid, signal.SIGKILL)
    try:
        browser.wait("it is told", lambda: "running" not in browser.text("[data-machine='one']"))
    finally:
        running.run("down", "brittle", check=False)


def test_text_of_others_is_only_ever_text(browser, checkpoint, running):
    evil = '<img src=x onerror="document.title=1"><b>bold</b>'
    running.run("note", f"bench@{checkpoint}", evil)
    browser.go("simulations", "bench")
    browser.wait_text(evil)
    browser.go("simulations", "bench", "checkpoints", checkpoint)
    browser.wait_text(evil, "#note")
    assert browser.all("main img[src='x'], #note b") == []


def test_the_host_clock_is_the_hosts(browser):
    told = browser.js("return String(fermata.hostNow())")
    assert abs(int(told) - time.time_ns()) < 5 * 10**9
