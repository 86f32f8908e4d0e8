"""What was done."""


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
    expected = [one for one in running.get("/v1/operations")[1]["operations"] if one["simulation"] == "bench" and one["report"]["outcome"] == "done"]
    browser.wait("as many as there are", lambda: len(browser.all("tr[data-operation]")) == len(expected))


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
