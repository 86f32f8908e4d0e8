"""What the check of the documentation finds, and what it lets pass."""

import os
import pathlib
import re
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(FOLDER))

from commands import Commands  # noqa: E402
from page import Page  # noqa: E402

BINARY = os.environ.get("FERMATA_BINARY") or str(FOLDER.parents[1] / ".build/debug/fermata")


def page(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text)
    return Page(path)


def steps(tmp_path, *lines):
    return page(tmp_path, "\n".join(["```console", *lines, "```", ""])).blocks[0].steps


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("left  18:13:34.142374  +14600.1 µs", "left      07:00:00.1  -3.2 µs"),
        ("first  running  2 s ago", "first   running    1 min ago"),
        ("first  running  2 s ago", "first  running  just now"),
        ("process …, running", "process 4711, running"),
        ("a\n…\nb", "a\nx\ny\nb"),
        ("a\n…\nb", "a\nb"),
        ("a [b] (c) *", "a [b] (c) *"),
    ],
)
def test_what_is_measured_may_be_something_else(tmp_path, shown, printed):
    assert steps(tmp_path, "$ x", *shown.split("\n"))[0].difference(printed + "\n") == ""


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("first  running", "first  down"),
        ("2 machines", "3 machines"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("", "a"),
        ("a\n…\nb", "a\nx"),
        ("a…c", "a\nc"),
        ("a.c", "abc"),
    ],
)
def test_what_is_said_has_to_be_said(tmp_path, shown, printed):
    assert steps(tmp_path, "$ x", *shown.split("\n"))[0].difference(printed + "\n") != ""


def test_only_what_is_looked_at_may_fail(tmp_path):
    assert [step.may_fail for step in steps(tmp_path, "$ false", "$ echo $?", "1", "$ true")] == [True, False, False]


def test_a_manifest_is_a_file_by_its_first_line(tmp_path):
    blocks = page(tmp_path, "```yaml\n# lab.yaml\na: 1\n```\n```yaml\na: 1\n```\n").blocks
    assert [block.file_name for block in blocks] == ["lab.yaml", None]
    assert blocks[0].text == "# lab.yaml\na: 1\n"


def test_a_page_is_kept_as_it_is_but_for_what_was_printed(tmp_path):
    text = "# A\n\n```console\n$ x\nold\n$ y \\\n  z\n```\n\n```text\nkept\n```\n"
    changed = page(tmp_path, text)
    changed.blocks[0].steps[0].shown = ["new"]
    changed.save()
    assert (tmp_path / "page.md").read_text() == text.replace("old", "new")


def problems(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text)
    commands = Commands(BINARY)
    return [what for _, what in commands.check(commands.of(path))]


@pytest.mark.parametrize(
    "text",
    [
        "`fermata resume SIM@NAME [--keep\\|--copy]`", "`fermata host add|ls`", "```\n$ fermata run lab -- pytest --nosuch\n```",
        "`fermata up lab.yaml && fermata ps --json`", "`FERMATA_QUOTA=1G fermata serve`", "fermata nosuch, in words", "`fermata rm a # --nosuch`",
    ],
)
def test_commands_that_exist(tmp_path, text):
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("`fermata nosuch lab`", "nosuch"), ("`fermata ps --nosuch`", "--nosuch"), ("`fermata host nosuch`", "nosuch"),
        ("```sh\nfermata export a | ssh host fermata import --nosuch\n```", "--nosuch"), ("`fermata resume a [--keep|--nosuch]`", "--nosuch"),
        ("`sudo -u fermata FERMATA_HOME=/x fermata nosuch`", "nosuch"), ("`fermata ps; fermata log a --nosuch`", "--nosuch"),
    ],
)
def test_commands_that_do_not_exist(tmp_path, text, found):
    assert len(problems(tmp_path, text)) == 1
    assert f"'{found}'" in problems(tmp_path, text)[0]


def test_troubleshooting_knows_only_codes_that_exist():
    docs = FOLDER.parents[1] / "docs"
    known = set(re.findall(r"^\| `([a-z-]+)` \|", (docs / "errors.md").read_text(), re.MULTILINE))
    rows = re.findall(r"^\| (`[a-z-]+`[^|]*) \|", (docs / "troubleshooting.md").read_text(), re.MULTILINE)
    named = {code for row in rows for code in re.findall(r"`([a-z-]+)`", row)}
    assert len(named) > 30
    assert named - known == set()


def test_links_between_pages_lead_somewhere():
    root = FOLDER.parents[1]
    for page in [root / "README.md", *(root / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
