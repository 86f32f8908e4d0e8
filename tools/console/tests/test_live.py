"""The page is in step with what happens elsewhere, and again after it was cut off."""


def test_what_others_do_is_seen_at_once(browser, running):
    browser.go("simulations", "bench")
    browser.wait_text("running", "#state")
    running.run("suspend", "bench", "--as", "elsewhere")
    browser.wait_text("suspended", "#state")
    browser.one('[data-checkpoint="elsewhere"]')
    running.run("resume", "bench")
    browser.wait_text("running", "#state")


def test_after_the_daemons_death_the_page_says_so_and_is_in_step_again_by_itself(browser, running, door):
    browser.go("simulations", "bench")
    browser.wait_text("running", "#state")
    running.kill_daemon()
    browser.wait_text("connection to the control instance is lost", "#banner")
    # What was known is still there.
    assert "controller" in browser.text()
    # The next command starts the next daemon.
    running.run("checkpoint", "bench", "--as", "meanwhile")
    if door.is_real:
        # Sessions end with their daemon.
        browser.wait_text("You are signed out", "#banner")
        page = browser.driver.current_window_handle
        browser.driver.switch_to.new_window("tab")
        browser.open(door.link())
        browser.driver.close()
        browser.driver.switch_to.window(page)
    browser.wait("the banner to be gone", lambda: browser.text("#banner") == "")
    browser.one('[data-checkpoint="meanwhile"]')
    browser.wait("live again", lambda: browser.one("#connection").get_attribute("data-state") == "live")


def test_an_operation_is_followed_across_the_daemons_death(browser, running, door):
    browser.go("simulations", "bench")
    browser.press('.page-actions [data-verb="checkpoint"]')
    browser.type("dialog input[name='when-in']", "20s")
    browser.press("#next")
    browser.press("#confirm")
    browser.wait_text("until the instant", "dialog")
    running.kill_daemon()
    running.run("ps")
    if door.is_real:
        page = browser.driver.current_window_handle
        browser.driver.switch_to.new_window("tab")
        browser.open(door.link())
        browser.driver.close()
        browser.driver.switch_to.window(page)
    # The next daemon finishes it or undoes it; the dialog tells which.
    browser.wait("how it ended", lambda: browser.all("dialog [data-outcome]"), seconds=60)
    browser.press("#done")
    running.wait_for("it runs", lambda: running.state("bench") == "running")
