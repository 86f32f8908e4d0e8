"""Hosts, and what is left over on them."""


def test_a_host_is_shown_with_its_clock_and_its_qemus(browser, running):
    host = running.get("/v1/hosts")[1]["hosts"][0]
    browser.go("hosts")
    browser.wait_text(host["name"])
    bound = host["description"].get("clockErrorBoundNs")
    expected = "not known" if bound is None else "±"
    assert expected in browser.text(".dial")
    browser.press("details:last-of-type summary")
    browser.wait_text("/usr/bin/qemu-system-aarch64")


def test_a_drained_host_takes_no_machines_until_it_is_told_to_again(browser, running):
    state = lambda: browser.one("[data-host='lab2']").get_attribute("data-state")
    told = lambda: next(host["state"] for host in running.get("/v1/hosts")[1]["hosts"] if host["name"] == "lab2")
    browser.go("hosts")
    browser.press("[data-host='lab2'] [data-verb='drain']")
    browser.wait("it is drained", lambda: state() == "drained")
    assert told() == "drained"
    browser.press("[data-host='lab2'] [data-verb='drain']")
    browser.wait("it is ready", lambda: state() == "ready")
    assert told() == "ready"


def test_a_host_with_machines_is_not_forgotten(browser, running):
    browser.go("hosts")
    browser.press("[data-host='lab2'] [data-verb='forget']")
    browser.wait_text("Forget lab2?", "dialog")
    browser.press("#confirm")
    browser.wait_text("host-in-use", "dialog")


def test_a_host_that_cannot_be_added_is_told_why(browser, running):
    browser.go("hosts")
    browser.press("#add-host")
    browser.type("dialog [name='name']", "lab3")
    browser.type("dialog [name='address']", "no port")
    browser.press("#confirm")
    browser.wait_text("HOST:PORT", "dialog .error:not(:empty)")
    browser.type("dialog [name='address']", "127.0.0.1:9")
    browser.press("#confirm")
    browser.wait("the reason", lambda: browser.all("dialog .notice.problem"))
    assert "host-unreachable" in browser.text("dialog")


def test_what_would_be_cleared_away_is_shown_before_anything_is(browser, checkpoint, running):
    saved = lambda: [one["checkpoint"] for one in running.get("/v1/simulations/bench/checkpoints")[1]["checkpoints"]]
    running.run("checkpoint", "bench")
    before = saved()
    browser.go("hosts")
    browser.press("#tidy")
    browser.type("dialog [name='keep']", "1")
    browser.press("#confirm")
    browser.wait("the list", lambda: browser.all("#tidy-confirm") or "nothing to clear away" in browser.text("dialog"))
    assert saved() == before
    if browser.all("#tidy-confirm"):
        browser.press("#tidy-confirm")
        browser.wait_text("cleared away", "dialog .notice")
        assert len(saved()) < len(before)
