"""Every action from its button to its report, and what the daemon then says of it."""

import pytest


def begin(browser, verb):
    """Opens an action's form on the page of `bench`."""
    browser.go("simulations", "bench")
    browser.press(f'.page-actions [data-verb="{verb}"]')
    browser.one("dialog[open] #next")


def confirm(browser):
    browser.press("#next")
    browser.wait("readiness", lambda: browser.all("dialog .hosts-plan [data-ready='true']"))
    browser.press("#confirm")


def outcome(browser):
    return browser.one("dialog [data-outcome]").get_attribute("data-outcome")


def done(browser):
    assert outcome(browser) == "done", browser.text("dialog")
    browser.press("#done")
    browser.wait("the dialog to close", lambda: not browser.all("dialog"))


def choose(browser, choice, text=None):
    if text is None:
        browser.press(f"[data-choice='{choice}']")
    else:
        browser.type(f"input[name='{choice}']", text)


def rtc(lab, machine="sensor"):
    """What a machine's clock reads as the last report has it."""
    report = lab.get("/v1/operations?simulation=bench")[1]["operations"][0]["report"]
    return next(one for one in report["machines"] if one["name"] == machine)


def test_suspend_is_confirmed_followed_and_reported(browser, running):
    begin(browser, "suspend")
    choose(browser, "when-in", "1500ms")
    browser.type("[name='checkpoint']", "friday")
    browser.type("[name='labels']", "stage=login, keep")
    browser.type("[name='note']", "before the weekend")
    browser.press("#next")
    browser.wait_text("bench@friday", "dialog")
    browser.wait_text("1.50 s after you confirm", "dialog")
    browser.wait_text("Readiness", "dialog")
    browser.press("#confirm")
    browser.wait("the time until the instant", lambda: browser.all("dialog .countdown-time"))
    browser.wait_text("stopped together and saved as bench@friday", "dialog")
    assert len(browser.all("dialog .mark-stop")) >= 2
    done(browser)
    browser.wait_text("suspended", "#state")
    saved = running.get("/v1/simulations/bench/checkpoints/friday")[1]["summary"]
    assert saved["labels"] == {"stage": "login", "keep": ""}
    assert saved["note"] == "before the weekend"
    assert running.state("bench") == "suspended"


def test_resume_lets_it_go_on_with_another_clock(browser, running):
    running.run("suspend", "bench")
    begin(browser, "resume")
    choose(browser, "policy-offset", "+1h")
    confirm(browser)
    browser.wait_text("went on together", "dialog")
    done(browser)
    machine = rtc(running)
    assert machine["clockAfter"]["rtcNs"] - machine["clockBefore"]["rtcNs"] == 3600 * 10**9
    browser.wait_text("running", "#state")


def test_checkpoint_saves_what_runs_on(browser, running):
    begin(browser, "checkpoint")
    browser.type("[name='checkpoint']", "alive")
    confirm(browser)
    browser.wait_text("and run on", "dialog")
    # They stood still for much longer than they stopped apart.
    browser.one("dialog .plot-area")
    browser.js("document.querySelector('dialog .plot-area').focus()")
    for _ in range(60):
        if browser.all("dialog .plot-area .mark-resume"):
            break
        browser.keys("-")
    browser.keys("---")
    assert len(browser.all("dialog .plot-area .mark-resume")) == 2
    done(browser)
    assert running.state("bench") == "running"
    browser.one('[data-checkpoint="alive"]')


def test_rewind_goes_back_and_keeps_what_ran(browser, checkpoint, running):
    begin(browser, "rewind")
    browser.choose("[name='checkpoint']", checkpoint)
    browser.type("[name='keepAs']", "kept")
    confirm(browser)
    browser.wait_text("is kept as bench@kept", "dialog")
    done(browser)
    assert running.get("/v1/simulations/bench")[1]["checkpoint"] == checkpoint
    assert running.get("/v1/simulations/bench/checkpoints/kept")[0] == 200


def test_clone_makes_as_many_as_one_wants(browser, checkpoint, running):
    begin(browser, "clone")
    browser.choose("[name='checkpoint']", checkpoint)
    browser.type("[name='name']", "twin")
    browser.type("[name='count']", "2")
    confirm(browser)
    browser.wait("both reports", lambda: len(browser.all("dialog [data-outcome='done']")) == 2)
    browser.press("#done")
    assert running.state("twin-1") == running.state("twin-2") == "running"
    browser.go()
    browser.wait_text("twin-2")
    for name in ("twin-1", "twin-2"):
        browser.go("simulations", name)
        browser.wait_text(f"a clone of bench@{checkpoint}")
        browser.press('.page-actions [data-verb="down"]')
        browser.wait_text("end at once", "dialog")
        browser.press("#confirm")
        browser.wait_text("down", "#state")
        assert running.state(name) == "down"


def test_down_asks_first_and_start_launches_anew(browser, running):
    browser.go("simulations", "bench")
    browser.press('.page-actions [data-verb="down"]')
    browser.wait_text("Take bench down?", "dialog")
    browser.press("dialog .dialog-buttons button:first-child")
    assert running.state("bench") == "running"
    browser.press('.page-actions [data-verb="down"]')
    browser.press("#confirm")
    browser.wait_text("down", "#state")
    assert running.state("bench") == "down"
    begin(browser, "start")
    confirm(browser)
    browser.wait_text("started together", "dialog")
    done(browser)
    assert running.state("bench") == "running"


def test_an_operation_can_be_called_off_until_it_is_decided(browser, running):
    begin(browser, "suspend")
    choose(browser, "when-in", "10m")
    confirm(browser)
    browser.wait_text("until the instant", "dialog")
    browser.press("dialog #cancel")
    browser.wait_text("Called off", "dialog")
    assert outcome(browser) == "cancelled"
    running.wait_for("it runs on", lambda: running.state("bench") == "running")


def test_what_is_refused_is_told_in_words_and_can_be_mended(browser, checkpoint):
    begin(browser, "checkpoint")
    browser.type("[name='checkpoint']", checkpoint)
    browser.press("#next")
    browser.press("#confirm, #again")
    browser.wait("a refusal", lambda: browser.all("dialog .notice.problem"))
    words = browser.text("dialog")
    assert "checkpoint-exists" in words and checkpoint in words
    browser.wait("a way back", lambda: any("Back" in one.text or "Change" in one.text for one in browser.all("dialog .dialog-buttons button")))


def test_an_operation_that_is_left_to_itself_goes_on_and_is_found_again(browser, running):
    begin(browser, "suspend")
    choose(browser, "when-in", "4s")
    browser.type("[name='checkpoint']", "alone")
    confirm(browser)
    browser.wait_text("until the instant", "dialog")
    browser.press("dialog .dialog-head .icon-button")
    browser.wait_text("an operation is under way", ".lead")
    browser.press(".lead a[href*='operations']")
    browser.wait_text("stopped together and saved as bench@alone")
    assert running.state("bench") == "suspended"


@pytest.mark.parametrize(
    "choice, text, complaint",
    [
        ("when-in", "soon", "Write a duration"),
        ("when-at", "2001-01-01 00:00", "has passed"),
        ("when-at", "tomorrow", "Write an instant"),
    ],
)
def test_a_wrong_instant_is_told_beside_its_field(browser, running, choice, text, complaint):
    begin(browser, "suspend")
    choose(browser, choice, text)
    browser.press("#next")
    browser.wait_text(complaint, "dialog .error:not(:empty)")
    field = browser.one(f"input[name='{choice}']")
    assert field.get_attribute("aria-invalid") == "true"
    assert browser.js("return document.activeElement === arguments[0]", field)
    assert running.state("bench") == "running"


def test_a_wrong_name_is_told_beside_its_field(browser, running):
    begin(browser, "suspend")
    browser.type("[name='checkpoint']", "../etc")
    browser.press("#next")
    browser.wait_text("lower-case letters", "dialog .error:not(:empty)")


def test_two_who_suspend_at_once_are_served_in_order(browser, running):
    begin(browser, "suspend")
    choose(browser, "when-in", "3s")
    confirm(browser)
    browser.wait_text("until the instant", "dialog")
    # The other, at the same time.
    other = running.run("suspend", "bench", check=False)
    assert other.returncode != 0
    browser.wait_text("stopped together", "dialog")
    done(browser)
