"""Serial consoles in the page."""

import re

from selenium.webdriver.common.keys import Keys


def test_machines_are_chosen_and_no_more_than_three_at_a_time(browser, running):
    browser.go("simulations", "bench", "consoles")
    browser.wait("both consoles", lambda: {one.get_attribute("data-console") for one in browser.all("[data-console]")} == {"controller", "sensor"})
    toggle = "[aria-label='Machines'] [data-key='sensor']"
    assert browser.one(toggle).get_attribute("aria-pressed") == "true"
    browser.press(toggle)
    browser.wait("one of them to go", lambda: len(browser.all("[data-console]")) == 1)
    assert browser.one(toggle).get_attribute("aria-pressed") == "false"


def test_nobody_is_caught_in_a_console(browser, running):
    browser.go("simulations", "bench", "consoles", "controller")
    browser.one(".terminal-text")
    browser.js("document.querySelector('.terminal-text').focus()")
    browser.keys(Keys.TAB)
    assert browser.focused() == "A line for controller"


def test_what_the_guest_says_is_shown_as_it_says_it_and_again_after_a_resume(browser, running):
    browser.go("simulations", "bench", "consoles", "controller")
    browser.wait_text('"tick"', "[data-console='controller'] .terminal-text")
    lines = lambda: browser.text("[data-console='controller'] .terminal-text").count('"tick"')
    before = lines()
    browser.wait("another second", lambda: lines() > before)
    browser.type("[data-console='controller'] .terminal-input input", "hello")
    browser.keys(Keys.ENTER)
    browser.wait_text("connected", "[data-console='controller'] .terminal-head")
    running.run("suspend", "bench")
    running.run("resume", "bench")
    before = lines()
    browser.wait("the line again", lambda: lines() > before + 1, seconds=60)


def test_the_console_of_a_machine_on_another_host_is_as_any_other(browser, running):
    browser.go("simulations", "bench", "consoles", "sensor")
    browser.wait_text("connected", "[data-console='sensor'] .terminal-head")
    browser.wait_text('"tick"', "[data-console='sensor'] .terminal-text")
    lines = lambda: browser.text("[data-console='sensor'] .terminal-text").count('"tick"')
    before = lines()
    browser.wait("another second", lambda: lines() > before)
    # The guest never reads: what is typed stays in its port.
    assert running.type_serial("bench", "sensor", "") == 204
    assert browser.text("[data-console='sensor'] .terminal-head").endswith("connected")


def test_a_host_that_is_lost_is_told_and_its_console_goes_on_where_it_was(browser, running):
    browser.go("simulations", "bench", "consoles", "sensor")
    browser.wait_text('"tick"', "[data-console='sensor'] .terminal-text")
    # Also of runs that other tests went back behind.
    before = [int(tick) for tick in re.findall(r'"tick": ?(\d+)', browser.text("[data-console='sensor'] .terminal-text"))]
    running.kill_agent("lab2")
    try:
        browser.wait_text("host lab2", "[data-console='sensor'] .terminal-head")
        browser.wait_text("cannot be reached", "[data-console='sensor'] .terminal-head")
    finally:
        running.start_agent("lab2")
    browser.wait("it to be heard again", lambda: browser.text("[data-console='sensor'] .terminal-head").endswith("connected"))
    # The guest has never stopped talking, and each of its seconds is there once.
    text = browser.text("[data-console='sensor'] .terminal-text")
    ticks = [int(tick) for tick in re.findall(r'"tick": ?(\d+)', text)]
    browser.wait("another second", lambda: f'"tick":{ticks[-1] + 2}' in browser.text("[data-console='sensor'] .terminal-text").replace(": ", ":"))
    ticks = [int(tick) for tick in re.findall(r'"tick": ?(\d+)', browser.text("[data-console='sensor'] .terminal-text"))]
    assert ticks[: len(before)] == before
    new = ticks[len(before) - 1 :]
    assert new == list(range(new[0], new[-1] + 1))
