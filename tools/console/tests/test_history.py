"""What was done."""

from selenium.webdriver.common.keys import Keys


def test_operations_are_told_newest_first_with_how_they_ended(browser, known, running):
    operations = running.get("/v1/operations")[1]["operations"]
    browser.go("history")
    browser.wait("all of them", lambda: len(browser.all("tr[data-operation]")) >= len(operations))
    shown = [row.get_attribute("data-operation") for row in browser.all("tr[data-operation]")]
    assert shown[0] == operations[0]["operation"]
    assert browser.one("tr[data-operation]").get_attribute("data-outcome") == "done"


def test_the_history_is_narrowed_to_a_simulation_and_an_outcome(browser, known, running):
    browser.go("history")
    browser.choose("#filter-simulation", "bench")
    browser.choose("#filter-outcome", "done")
    browser.wait("fewer", lambda: {row.get_attribute("data-outcome") for row in browser.all("tr[data-operation]")} == {"done"})
    expected = [one for one in running.get("/v1/operations?simulation=bench")[1]["operations"] if one["report"]["outcome"] == "done"]
    browser.wait("as many as there are", lambda: len(browser.all("tr[data-operation]")) == len(expected))


def test_older_operations_come_when_they_are_asked_for_with_the_keyboard_too(browser, running):
    for _ in range(3):
        running.run("checkpoint", "bench")
    expected = [one["operation"] for one in running.get("/v1/operations?limit=6")[1]["operations"]]
    shown = lambda: [row.get_attribute("data-operation") for row in browser.all("tr[data-operation]")]
    # The same pages of the same API, but short ones.
    browser.js("window.wholeFetch = fetch; window.fetch = (place, options) => wholeFetch(String(place).replace('limit=100', 'limit=2'), options)")
    try:
        browser.go("history")
        browser.wait("the newest", lambda: shown() == expected[:2])
        browser.wait_text("The last 2 operations")
        browser.press("#older")
        browser.wait("those before", lambda: shown() == expected[:4])
        assert browser.focused() == "Older operations"
        browser.tab_to("Report of Checkpoint of bench")
        browser.tab_to("Older operations")
        running.run("checkpoint", "bench", "--as", "newest-of-all")
        newest = running.get("/v1/operations?limit=1")[1]["operations"][0]["operation"]
        browser.wait("the new one before them, and none lost", lambda: shown() == [newest, *expected[:4]])
        browser.js("document.getElementById('older').focus()")
        browser.keys(Keys.ENTER)
        browser.wait("those before again", lambda: shown()[:7] == [newest, *expected])
        # A simulation of its own has pages of its own.
        browser.choose("#filter-simulation", "bench")
        browser.wait("the newest of it", lambda: shown() == [newest, expected[0]])
    finally:
        browser.js("window.fetch = window.wholeFetch")


def test_without_older_operations_nobody_is_offered_any(browser, known, running):
    whole = running.get("/v1/operations?limit=1000")[1]["operations"]
    browser.go("history")
    browser.wait("the page", lambda: len(browser.all("tr[data-operation]")) >= min(100, len(whole)))
    assert len(browser.all("#older")) == (1 if len(whole) > 100 else 0)


def test_a_report_has_an_address_and_all_that_the_api_tells(browser, checkpoint, running):
    operation = running.get("/v1/operations")[1]["operations"][0]
    browser.go("operations", operation["operation"])
    browser.wait_text("saved as bench@")
    for machine in operation["report"]["machines"]:
        assert machine["name"] in browser.text()
    browser.press(".stages-box summary")
    stages = len(operation["report"]["stages"]) + sum(len(machine["stages"]) for machine in operation["report"]["machines"])
    assert len(browser.all(".stages li")) == stages


def test_an_operation_under_way_is_shown_and_called_off_from_its_page(browser, running):
    # The API answers as soon as it is recorded, and the command line may be told not to wait for more.
    process = running.start("suspend", "bench", "--in", "5m")
    operation = running.wait_for("the operation", lambda: running.get("/v1/simulations/bench")[1].get("operation"))
    browser.go("operations", operation)
    browser.wait_text("until the instant")
    browser.press("#cancel")
    browser.wait_text("Called off")
    assert process.wait(30) == 130
