"""Who gets in, and what one without a session is told."""

from support.browser import Browser
from support.door import Door
from support.lab import Lab

import pytest


@pytest.fixture
def other(door):
    browser = Browser()
    yield browser
    browser.close()


def test_a_link_lets_one_browser_in_once(other, door):
    link = door.link()
    other.open(link)
    other.wait_text("bench")
    assert other.driver.current_url.split("#")[0].endswith(f":{door.lab.port}/")
    other.driver.delete_all_cookies()
    other.open(link)
    assert "bench" not in other.text("body")


def test_without_a_session_the_page_says_how_to_get_in_and_goes_on_by_itself(other, door):
    other.open(f"http://127.0.0.1:{door.lab.port}/")
    other.wait_text("You are signed out", "#banner")
    assert "fermata console" in other.text("#banner")
    assert other.fetch("GET", "/v1/simulations") == {"status": 401, "code": "no-session"}
    # In another tab, as one does.
    first = other.driver.current_window_handle
    other.driver.switch_to.new_window("tab")
    other.open(door.link())
    other.driver.switch_to.window(first)
    other.wait_text("bench")
    other.wait("the banner to be gone", lambda: other.text("#banner") == "")


def test_a_request_without_the_pages_own_mark_changes_nothing(browser, running):
    answer = browser.fetch("POST", "/v1/simulations/bench/down")
    assert answer["status"] == 403
    assert browser.fetch("POST", "/v1/simulations/bench/down", {"X-Fermata-CSRF": "0" * 32})["status"] == 403
    assert running.state("bench") == "running"


def test_nothing_comes_from_elsewhere_and_nothing_is_inline(browser, door):
    browser.go("simulations", "bench")
    origin = f"http://127.0.0.1:{door.lab.port}/"
    used = browser.js("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert used and all(name.startswith(origin) for name in used)
    assert browser.js("return document.querySelectorAll('script:not([src]), style').length") == 0
    policy = browser.js("return fetch('/').then((response) => response.headers.get('content-security-policy'))")
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_an_empty_console_says_what_to_type():
    lab = Lab()
    door = None
    browser = Browser()
    try:
        lab.run("ps")
        door = Door(lab)
        browser.open(door.link())
        browser.wait_text("Nothing runs yet")
        assert "fermata up lab.yaml" in browser.text()
        browser.go("history")
        browser.wait_text("Nothing was done yet")
        browser.go("simulations", "nosuch")
        browser.wait_text("There is no such simulation")
        browser.go("nosuch")
        browser.wait_text("There is no such page")
    finally:
        browser.close()
        if door:
            door.close()
        lab.close()
