#!/usr/bin/env python3
"""Takes pictures of every page of the console, with a lab of real machines, into docs/console.

Usage: screenshots.py [--into FOLDER] [NAME…]        names as of PICTURES; all when left out
"""

import argparse
import pathlib
import signal
import sys
import time

from support.browser import Browser
from support.door import Door
from support.lab import ARM, RISCV, ROOT, Lab

MACHINES = {
    "controller": (ARM, "2024-02-29T12:00:00Z"),
    "gateway": (ARM, "2026-12-31T23:58:00Z"),
    "sensor": (RISCV, "2024-02-29T12:00:00Z", "lab2"),
}


def history(lab):
    """A morning of time travel."""
    lab.add_host("lab2")
    lab.up("bench", MACHINES)
    time.sleep(4)
    lab.run("checkpoint", "bench", "--as", "booted", "--label", "stage=boot", "--note", "everything has come up")
    time.sleep(2)
    lab.run("suspend", "bench", "--as", "lunch", "--note", "before the break")
    time.sleep(3)
    lab.run("resume", "bench")
    time.sleep(2)
    lab.run("checkpoint", "bench", "--as", "login", "--label", "stage=login", "--label", "keep=", "--note", "both have logged in")
    time.sleep(2)
    lab.run("rewind", "bench@booted", "--clock", "+1h", "--as", "dead-end")
    time.sleep(2)
    lab.run("checkpoint", "bench", "--as", "retry", "--label", "stage=retry")
    lab.run("clone", "bench@login", "--as", "twin")
    lab.up("sleeper", {"pump": (RISCV, "2026-03-01T08:00:00Z"), "valve": (ARM, "2026-03-01T08:00:00Z")})
    lab.run("suspend", "sleeper", "--as", "night")
    time.sleep(1)


def open_dialog(browser, verb, *more):
    browser.go("simulations", "bench")
    browser.press(f'.page-actions [data-verb="{verb}"]')
    browser.one("dialog[open] #next")
    for selector in more:
        browser.press(selector)
        time.sleep(0.4)


def confirmation(browser):
    open_dialog(browser, "suspend")
    browser.type("dialog input[name='when-in']", "20s")
    browser.type("dialog [name='checkpoint']", "evening")
    browser.press("#next")
    browser.one("#confirm")


def progress(browser):
    confirmation(browser)
    browser.press("#confirm")
    browser.wait_text("until the instant", "dialog")
    time.sleep(0.6)


def report(browser):
    open_dialog(browser, "checkpoint", "#next", "#confirm")
    browser.one("#done")


def operation(browser):
    browser.go("history")
    browser.press("tr[data-outcome='done']:nth-child(4) td:last-child a")
    browser.one(".stages-box")
    browser.press(".stages-box summary")


# name: (how to get there, width, scheme, whole page)
PICTURES = {
    "simulations": (lambda browser: browser.go(), 1280, "light", True),
    "simulations-dark": (lambda browser: browser.go(), 1280, "dark", True),
    "simulations-narrow": (lambda browser: browser.go(), 360, "light", True),
    "simulation": (lambda browser: browser.go("simulations", "bench"), 1280, "light", True),
    "simulation-dark": (lambda browser: browser.go("simulations", "bench"), 1280, "dark", True),
    "simulation-narrow": (lambda browser: browser.go("simulations", "bench"), 360, "dark", True),
    "checkpoint": (lambda browser: browser.go("simulations", "bench", "checkpoints", "login"), 1280, "light", True),
    "checkpoint-narrow": (lambda browser: browser.go("simulations", "bench", "checkpoints", "login"), 360, "light", True),
    "consoles": (lambda browser: browser.go("simulations", "bench", "consoles"), 1280, "light", True),
    "hosts": (lambda browser: browser.go("hosts"), 1280, "dark", True),
    "history": (lambda browser: browser.go("history"), 1280, "light", True),
    "operation": (operation, 1280, "light", True),
    "suspend": (lambda browser: open_dialog(browser, "suspend"), 1280, "light", False),
    "rewind-narrow": (lambda browser: open_dialog(browser, "rewind"), 360, "dark", False),
    "confirmation": (confirmation, 1280, "dark", False),
    "report": (report, 1180, "light", False),
    "progress": (progress, 1280, "light", False),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=pathlib.Path, default=ROOT / "docs/console")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    # So that what was started ends in any case.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments.into.mkdir(parents=True, exist_ok=True)
    lab, door, browser = Lab(), None, None
    try:
        history(lab)
        door = Door(lab)
        browser = Browser()
        browser.open(door.link())
        browser.wait_text("bench")
        for name, (visit, width, scheme, whole) in PICTURES.items():
            if arguments.names and name not in arguments.names:
                continue
            browser.resize(width)
            browser.emulate(prefers_color_scheme=scheme)
            visit(browser)
            time.sleep(1)
            browser.picture(arguments.into / f"{name}.png", full=whole)
            for close in browser.all("dialog[open] .dialog-head .icon-button"):
                close.click()
    finally:
        if browser:
            browser.close()
        if door:
            door.close()
        lab.close()


if __name__ == "__main__":
    main()
