"""Serial consoles in the page."""

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


def test_the_console_of_a_machine_elsewhere_says_where_it_is(browser, running):
    assert running.probe_serial("bench", "sensor") == (409, "serial-elsewhere")
    browser.go("simulations", "bench", "consoles", "sensor")
    browser.wait_text("runs on lab2", "[data-console='sensor'] .terminal-head")
