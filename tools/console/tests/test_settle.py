"""An operation whose outcome nobody knows is ended from its page."""


def sign_in(browser, door):
    """Sessions end with their daemon."""
    if not door.is_real:
        return
    page = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open(door.link())
    browser.driver.close()
    browser.driver.switch_to.window(page)


def test_the_hosts_are_asked_again_and_somebody_decides(browser, running, door):
    running.run("suspend", "bench")
    resume = running.start("resume", "bench", "--in", "4s")
    operation = running.wait_for("the operation", lambda: running.get("/v1/simulations/bench")[1].get("operation"))
    about = lambda: running.get(f"/v1/operations/{operation}")[1]
    running.wait_for("every host to be armed", lambda: about()["phase"] == "armed")
    # Whoever is armed acts alone. Nobody is left who could tell what became of it.
    running.kill_daemon()
    running.kill_agent("lab2")
    try:
        resume.wait(60)
        running.run("ps")
        sign_in(browser, door)
        browser.go("operations", operation)
        browser.wait("what is to be settled", lambda: browser.all("#settle-ask"), seconds=60)
        browser.press("#settle-ask")
        browser.wait("the page to have asked", lambda: browser.all("#settle-ask") or browser.all("dialog[open]"))
        assert about()["phase"] != "finished", "the other host is silent"
        browser.js("for (const dialog of document.querySelectorAll('dialog')) dialog.close()")

        browser.press("#settle-rollback")
        browser.wait_text("Undo it?", "dialog")
        browser.press("#confirm")
        running.wait_for("the decision", lambda: about()["phase"] == "deciding")
        # It is made once.
        browser.press("#settle-commit")
        browser.wait_text("Let it stand?", "dialog")
        browser.press("#confirm")
        browser.wait_text("decision-impossible", "dialog")
        browser.js("for (const dialog of document.querySelectorAll('dialog')) dialog.close()")
    finally:
        running.start_agent("lab2")
    running.wait_for("the other host to be told", lambda: about()["phase"] == "finished", seconds=120)
    browser.wait("nothing to settle any more", lambda: not browser.all("#settle-ask"), seconds=60)
    assert running.state("bench") == "suspended"
