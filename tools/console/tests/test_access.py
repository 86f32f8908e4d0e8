"""Keyboard, screen readers, narrow screens, colours."""

import pytest
from selenium.webdriver.common.keys import Keys

PAGES = {
    "simulations": [],
    "simulation": ["simulations", "bench"],
    "checkpoint": ["simulations", "bench", "checkpoints", "CHECKPOINT"],
    "consoles": ["simulations", "bench", "consoles"],
    "hosts": ["hosts"],
    "history": ["history"],
    "operation": ["operations", "OPERATION"],
}

# What each thing on the page is called, and to whom it belongs, as assistive technology reckons it, in the main.
NAMELESS = """
    const named = (element) => (element.getAttribute("aria-label") ?? "").trim() !== "" || element.getAttribute("aria-labelledby") !== null
        || element.textContent.trim() !== "" || element.title !== "" || (element.labels?.length ?? 0) > 0;
    const found = [];
    for (const element of document.querySelectorAll("button, a[href], input, select, textarea, [role=button], [tabindex='0']")) {
        if (element.checkVisibility() && !named(element)) found.push(element.outerHTML.slice(0, 200));
    }
    for (const image of document.querySelectorAll("img:not([alt])")) found.push(image.outerHTML);
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) found.push(`twice: ${id}`);
    for (const element of document.querySelectorAll("[aria-labelledby], [aria-describedby]")) {
        const names = `${element.getAttribute("aria-labelledby") ?? ""}`.split(" ").filter(Boolean);
        for (const name of names) if (!document.getElementById(name)) found.push(`nothing is called ${name}`);
    }
    if (document.querySelectorAll("h1").length > 1) found.push("several h1");
    return found;
"""

# Text whose contrast with what is behind it is less than 4.5 (3 if it is large): WCAG 2.2, AA.
FAINT = """
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].map((value, index) => index < 3 ? value : value / 255);
    };
    const over = (top, below) => top.slice(0, 3).map((value, index) => value * top[3] + below[index] * (1 - top[3]));
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((value) => { const part = value / 255; return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = (element) => {
        const layers = [];
        for (let one = element; one; one = one.parentElement) {
            const color = rgba(getComputedStyle(one).backgroundColor);
            if (color[3] > 0) layers.push(color);
            if (color[3] === 1) break;
        }
        return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (walker.currentNode.data.trim() === "" || !element.checkVisibility() || element.closest(".unseen, .skip, :disabled, svg, noscript, option")) continue;
        const style = getComputedStyle(element);
        const below = ground(element);
        const text = over(rgba(style.color), below);
        const [high, low] = [light(text), light(below)].sort((a, b) => b - a);
        const size = parseFloat(style.fontSize);
        const enough = size >= 24 || (size >= 18.6 && style.fontWeight >= 700) ? 3 : 4.5;
        if ((high + 0.05) / (low + 0.05) < enough) found.push(`${((high + 0.05) / (low + 0.05)).toFixed(2)} ${walker.currentNode.data.trim().slice(0, 60)}`);
    }
    return [...new Set(found)];
"""


@pytest.fixture
def page(request, browser, known, running):
    operation = running.get("/v1/operations")[1]["operations"][0]["operation"]
    names = {"CHECKPOINT": known, "OPERATION": operation}
    browser.go(*[names.get(part, part) for part in PAGES[request.param]])
    return browser


every_page = pytest.mark.parametrize("page", PAGES, indirect=True)


@every_page
def test_everything_has_a_name(page):
    page.wait("what is to be looked at", lambda: page.all("h1"))
    assert page.js(NAMELESS) == []


@every_page
def test_text_stands_out_from_what_is_behind_it_in_light_and_dark(page):
    for scheme in ("light", "dark"):
        page.emulate(prefers_color_scheme=scheme)
        page.js("for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish()")
        assert page.js("return getComputedStyle(document.documentElement).colorScheme") == "light dark"
        assert page.js(FAINT) == [], scheme
    page.emulate()


@every_page
def test_nothing_is_wider_than_a_narrow_screen(page):
    page.resize(360, 740)
    page.wait("the page to fit", lambda: page.js("return document.documentElement.scrollWidth") <= 360, seconds=5)


def test_dialogs_fit_a_narrow_screen_and_have_names(browser, known):
    browser.resize(360, 740)
    browser.go("simulations", "bench")
    for verb in ("suspend", "checkpoint", "rewind", "clone"):
        browser.press(f'.page-actions [data-verb="{verb}"]')
        browser.one("dialog[open] #next")
        assert browser.js(NAMELESS) == []
        assert browser.js("const d = document.querySelector('dialog'); return [d.scrollWidth <= 360, d.querySelector('#next').getBoundingClientRect().bottom <= innerHeight]") == [True, True]
        browser.keys(Keys.ESCAPE)
        browser.wait("the dialog to close", lambda: not browser.all("dialog"))


def test_a_suspend_needs_no_mouse(browser, running):
    browser.go("simulations", "bench")
    browser.one('.page-actions [data-verb="suspend"]')
    browser.js("document.querySelector('.skip').focus()")
    browser.keys(Keys.ENTER)
    assert browser.js("return document.activeElement.id") == "main"
    browser.tab_to("Suspend")
    browser.keys(Keys.ENTER)
    browser.one("dialog[open] #next")
    # Escape takes back, and the focus is where it was.
    browser.keys(Keys.ESCAPE)
    browser.wait("the dialog to close", lambda: not browser.all("dialog"))
    assert browser.focused() == "Suspend"
    browser.keys(Keys.ENTER)
    browser.one("dialog[open] #next")
    browser.keys(Keys.ENTER)
    browser.one("dialog #confirm")
    browser.wait("the focus on what is to be confirmed", lambda: browser.focused() == "Suspend")
    browser.keys(Keys.ENTER)
    browser.wait_text("stopped together", "dialog")
    browser.wait("the report's end", lambda: browser.all("#done"))
    # What screen readers were told on the way.
    assert "over: done" in browser.text("#announcer")
    browser.tab_to("Close")
    browser.keys(Keys.ENTER)
    browser.wait("the dialog to close", lambda: not browser.all("dialog"))
    assert running.state("bench") == "suspended"


def test_what_has_the_focus_is_seen_and_keeps_it_when_the_page_is_drawn_again(browser, known, running):
    browser.go("simulations", "bench")
    browser.tab_to("Checkpoint")
    assert browser.js("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    running.run("label", f"bench@{known}", "drawn=again")
    browser.wait_text("drawn=again")
    assert browser.focused() == "Checkpoint"


def test_colours_follow_the_system_or_the_switch(browser, running):
    ground = lambda: browser.js("return getComputedStyle(document.body).backgroundColor")
    browser.go()
    browser.emulate(prefers_color_scheme="dark")
    dark = ground()
    browser.emulate(prefers_color_scheme="light")
    light = ground()
    assert dark != light
    browser.press("#theme")
    assert browser.one("#theme").get_attribute("aria-label") == "Colours: light"
    browser.press("#theme")
    assert browser.one("#theme").get_attribute("aria-label") == "Colours: dark"
    assert ground() == dark
    browser.js("location.reload()")
    browser.wait("the choice to be kept", lambda: ground() == dark)
    browser.press("#theme")
    assert ground() == light
    browser.emulate()


def test_who_wants_less_motion_gets_clocks_that_step(browser, running):
    browser.emulate(prefers_reduced_motion="reduce")
    browser.go("simulations", "bench")
    shown = lambda: browser.text("tr[data-machine='controller'] .clock")
    browser.wait("a clock without fractions", lambda: shown() and "." not in shown())
    browser.emulate()
