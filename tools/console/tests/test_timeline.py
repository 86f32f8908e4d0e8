"""The timeline of a simulation, and the stamps of an instant."""

from selenium.webdriver.common.keys import Keys


def points(browser):
    return [one.get_attribute("aria-label") for one in browser.all(".timeline .point")]


def pressed(browser):
    return browser.js("return document.querySelector('.point[aria-pressed=true]')?.getAttribute('aria-label')")


def test_every_instant_is_a_point_and_a_rewind_a_branch(browser, checkpoint, running):
    running.run("rewind", f"bench@{checkpoint}")
    browser.go("simulations", "bench")
    browser.wait("the points", lambda: points(browser))
    known = running.get("/v1/operations?simulation=bench")[1]["operations"]
    browser.wait("a point for each", lambda: len(points(browser)) >= len(known))
    assert any(f"to {checkpoint}," in label for label in points(browser))
    assert browser.all(".timeline path.branch")
    assert browser.all(".timeline .run.open")
    # The newest instant is the chosen one.
    assert pressed(browser).startswith(f"Resume of {checkpoint}")


def test_arrows_go_from_instant_to_instant(browser, known):
    browser.go("simulations", "bench")
    last = browser.wait("a chosen point", lambda: pressed(browser))
    browser.one(".point[aria-pressed=true]")
    browser.js("document.querySelector('.point[aria-pressed=true]').focus()")
    browser.keys(Keys.ARROW_LEFT)
    assert pressed(browser) != last
    browser.keys(Keys.HOME)
    first = pressed(browser)
    assert first == points(browser)[0]
    assert browser.js("return document.activeElement.getAttribute('aria-label')") == first
    assert browser.text(".instant h2").startswith(first.split(",")[0].split(" to ")[0].split(" of ")[0])
    browser.keys(Keys.END)
    assert pressed(browser) == points(browser)[-1]


def test_the_timeline_zooms_and_can_be_drawn_to_scale(browser, known):
    browser.go("simulations", "bench")
    width = lambda: browser.js("return document.querySelector('.timeline-area svg').getBoundingClientRect().width")
    browser.one(".timeline .point")
    before = width()
    browser.press("[aria-label='Zoom in: timeline']")
    assert width() > before * 1.4
    browser.press("[aria-label='Show all: timeline']")
    assert abs(width() - before) < 1
    even = [one.get_attribute("transform") for one in browser.all(".timeline .point")]
    browser.choose(".timeline select", "true")
    assert [one.get_attribute("transform") for one in browser.all(".timeline .point")] != even
    browser.choose(".timeline select", "even")


def test_stamps_are_plotted_where_the_report_says_and_can_be_zoomed_into(browser, checkpoint, running):
    browser.go("simulations", "bench")
    browser.wait("the stamps", lambda: len(browser.all(".instant .mark-stop")) >= 2)
    report = running.get("/v1/operations?simulation=bench")[1]["operations"][0]["report"]
    late = {machine["name"]: machine["latenessNs"] for machine in report["machines"]}
    # From left to right as from early to late.
    rows = browser.js(
        """return [...document.querySelectorAll('.instant .spread .plot-area .mark-stop')].map((mark) => [Number(mark.getAttribute('cx')), Number(mark.getAttribute('cy'))])"""
    )
    names = [machine["name"] for machine in report["machines"]]
    by_name = dict(zip(names, [x for x, _ in sorted(rows, key=lambda row: row[1])]))
    assert sorted(by_name, key=by_name.get) == sorted(late, key=late.get)
    ticks = lambda: browser.js("return [...document.querySelectorAll('.instant .plot-area .tick')].map((tick) => tick.textContent)")
    before = ticks()
    browser.js("document.querySelector('.instant .plot-area').focus()")
    for _ in range(6):
        browser.keys("+")
    assert ticks() != before
    browser.keys(Keys.ARROW_RIGHT)
    browser.keys("0")
    assert ticks() == before


def test_what_is_zoomed_into_stays_when_the_page_is_drawn_again(browser, checkpoint, running):
    browser.go("simulations", "bench")
    browser.wait("the stamps", lambda: browser.all(".instant .mark-stop"))
    for _ in range(4):
        browser.press("[aria-label='Zoom in: stamps of the machines']")
    ticks = lambda: browser.js("return [...document.querySelectorAll('.instant .plot-area .tick')].map((tick) => tick.textContent)")
    zoomed = ticks()
    running.run("label", f"bench@{checkpoint}", "seen=yes")
    browser.wait_text("seen=yes")
    assert ticks() == zoomed
