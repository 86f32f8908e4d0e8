"""A checkpoint's page."""

import pathlib

import pytest


def show(browser, name):
    browser.go("simulations", "bench", "checkpoints", name)
    browser.wait_text(name, "h1")


@pytest.fixture
def sealed(checkpoint, running):
    running.wait_for("the seal", lambda: running.get(f"/v1/simulations/bench/checkpoints/{checkpoint}")[1]["summary"]["sealed"])
    return checkpoint


def test_it_tells_machines_clocks_ways_and_sizes(browser, known, running):
    manifest = running.get(f"/v1/simulations/bench/checkpoints/{known}")[1]["manifest"]
    show(browser, known)
    browser.wait_text("Every clock")
    words = browser.text()
    for machine in manifest["machines"]:
        assert machine["name"] in words and machine["launch"]["pinnedMachineType"] in words
    assert "in a file, 32 MiB" in words
    assert "pl031" in words and "goldfish_rtc" in words


def test_parent_and_children_lead_to_each_other(browser, checkpoint, running):
    child = running.json("checkpoint", "bench")["checkpoint"]
    parent = running.get(f"/v1/simulations/bench/checkpoints/{child}")[1]["summary"].get("parent")
    show(browser, child)
    if parent:
        browser.press(f".facts a[href$='/{parent}']")
        browser.wait_text(parent, "h1")
        browser.press(f".facts a[href$='/{child}']")
        browser.wait_text(child, "h1")


def test_labels_and_note_are_changed_and_taken_away(browser, checkpoint, running):
    running.run("label", f"bench@{checkpoint}", "old=1")
    show(browser, checkpoint)
    browser.wait_text("old=1", "#labels")
    browser.press("#annotate")
    browser.type("dialog [name='labels']", "stage=login, keep")
    browser.type("dialog [name='note']", "both have logged in")
    browser.press("#confirm")
    browser.wait_text("stage=login", "#labels")
    browser.wait_text("both have logged in", "#note")
    summary = running.get(f"/v1/simulations/bench/checkpoints/{checkpoint}")[1]["summary"]
    assert summary["labels"] == {"stage": "login", "keep": ""}
    browser.press("#annotate")
    browser.type("dialog [name='labels']", "Not A Label")
    browser.press("#confirm")
    browser.wait_text("label’s key", "dialog .error:not(:empty)")


def test_a_whole_checkpoint_is_verified_as_whole_and_a_damaged_one_is_not(browser, sealed, running):
    show(browser, sealed)
    browser.press('[data-verb="verify"]')
    assert browser.one("#verified").get_attribute("data-ok") == "true"
    browser.press("dialog .dialog-buttons button")
    folder = pathlib.Path(running.get(f"/v1/simulations/bench/checkpoints/{sealed}")[1]["folder"])
    state = next(folder.glob("machines/controller/state*"))
    damaged = bytearray(state.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    state.chmod(0o600)
    state.write_bytes(damaged)
    browser.press('[data-verb="verify"]')
    assert browser.one("#verified").get_attribute("data-ok") == "false"
    assert "checkpoint-corrupt" in browser.text("dialog")
    assert "controller" in browser.text("dialog")


def test_its_archive_is_downloaded(browser, sealed, running):
    show(browser, sealed)
    browser.press('[data-verb="export"]')
    archive = running.folder / "downloads" / f"bench@{sealed}.tar.zst"
    browser.wait("the archive", archive.exists)
    browser.wait("all of it", lambda: not list(archive.parent.glob("*.crdownload")) and archive.stat().st_size > 0)
    assert archive.read_bytes()[:4] == bytes.fromhex("28b52ffd")
    # And back, as another simulation.
    browser.go()
    browser.press("#import")
    browser.one("#archive").send_keys(str(archive))
    browser.type("dialog [name='as']", "brought@back")
    browser.press("#confirm")
    browser.wait_text("brought@back is here", "dialog")
    assert running.get("/v1/simulations/brought/checkpoints/back")[0] == 200


def test_a_checkpoint_with_another_clock_is_written_beside_it(browser, checkpoint, running):
    show(browser, checkpoint)
    browser.press('[data-verb="clock"]')
    browser.type("dialog [name='checkpoint']", f"{checkpoint}-later")
    browser.type("dialog input[name='policy-offset']", "+1h")
    browser.press("#confirm")
    browser.wait_text(f"{checkpoint}-later", "h1")
    clocks = lambda name: {one["name"]: one["clock"]["rtcNs"] for one in running.get(f"/v1/simulations/bench/checkpoints/{name}/clocks")[1]["machines"]}
    before, after = clocks(checkpoint), clocks(f"{checkpoint}-later")
    assert {name: after[name] - before[name] for name in before} == dict.fromkeys(before, 3600 * 10**9)


def test_it_is_sealed_when_asked_to(browser, checkpoint, running):
    show(browser, checkpoint)
    # It may be sealed by itself at any moment; then there is no button any more.
    browser.js("document.querySelector('[data-verb=seal]')?.click()")
    browser.wait_text("sealed", "#sealed")
    assert running.get(f"/v1/simulations/bench/checkpoints/{checkpoint}")[1]["summary"]["sealed"]


def test_removal_asks_first_and_says_what_stands_against_it(browser, checkpoint, running):
    running.run("rewind", f"bench@{checkpoint}", "--discard")
    show(browser, checkpoint)
    browser.press('[data-verb="remove"]')
    browser.press("#confirm")
    browser.wait_text("checkpoint-in-use", "dialog")
    browser.press("dialog .dialog-buttons button")
    other = running.json("checkpoint", "bench")["checkpoint"]
    running.run("rewind", f"bench@{checkpoint}", "--discard")
    show(browser, other)
    browser.press('[data-verb="remove"]')
    browser.wait_text(f"Remove bench@{other}?", "dialog")
    browser.press("#confirm")
    browser.wait("the simulation's page", lambda: browser.text("h1").startswith("bench"))
    assert running.get(f"/v1/simulations/bench/checkpoints/{other}")[0] == 404


def test_it_is_resumed_rewound_to_and_cloned_from_its_page(browser, checkpoint, running):
    show(browser, checkpoint)
    browser.press('[data-verb="rewind"]')
    assert browser.one("dialog [name='checkpoint']").get_attribute("value") == checkpoint
    browser.press("#next")
    browser.press("#confirm")
    browser.wait_text("went on together", "dialog")
    browser.press("#done")
    running.run("suspend", "bench")
    browser.press('[data-verb="resume"]')
    assert browser.one("dialog [name='checkpoint']").get_attribute("value") == checkpoint
    browser.press("dialog .dialog-head .icon-button")
    browser.press('[data-verb="clone"]')
    browser.one("dialog [name='name']")
