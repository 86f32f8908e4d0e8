"""The manual pages: as correct as mandoc and groff demand, and as complete as the command line."""

import json
import re
import subprocess

from conftest import BINARY


def pages(prefix):
    return sorted((prefix / "share/man/man1").glob("*.1"))


def rendered(page):
    done = subprocess.run(["mandoc", "-Tascii", page], capture_output=True, text=True, check=True)
    return re.sub(r".\x08", "", done.stdout)


def verbs():
    dump = subprocess.run([BINARY, "--experimental-dump-help"], capture_output=True, text=True, check=True).stdout
    return [verb for verb in json.loads(dump)["command"]["subcommands"] if verb["shouldDisplay"] and verb["commandName"] != "help"]


def test_every_verb_has_a_page_and_is_named_on_the_first(prefix):
    names = [verb["commandName"] for verb in verbs()]
    assert sorted(page.stem for page in pages(prefix)) == sorted(["fermata"] + [f"fermata-{name}" for name in names])
    first = rendered(prefix / "share/man/man1/fermata.1")
    assert [name for name in names if f"fermata-{name}(1)" not in first] == []


def test_mandoc_warns_of_nothing(prefix):
    done = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *pages(prefix)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_groff_warns_of_nothing(prefix):
    for page in pages(prefix):
        done = subprocess.run(["groff", "-ww", "-mdoc", "-Kutf8", "-z", page], capture_output=True, text=True, check=True)
        assert done.stderr == "", page


def test_pages_say_all_that_help_says(prefix):
    for verb in verbs():
        text = " ".join(rendered(prefix / f"share/man/man1/fermata-{verb['commandName']}.1").split())
        for command in [verb, *verb.get("subcommands", [])]:
            for entry in command.get("arguments", []):
                if entry["kind"] != "positional" and entry["preferredName"]["name"] not in ("version", "help"):
                    assert f"--{entry['preferredName']['name']}" in text
                if "abstract" in entry and entry["abstract"].isascii() and entry.get("preferredName", {}).get("name") not in ("version", "help"):
                    # Lines may end at a dash.
                    assert squeezed(entry["abstract"]) in squeezed(text)


def squeezed(text):
    return re.sub(r"\s", "", text)


def test_what_is_to_be_typed_can_be_copied(prefix):
    # Typographic dashes and quotes would be no command any more.
    done = subprocess.run(["mandoc", "-Tutf8", prefix / "share/man/man1/fermata.1"], capture_output=True, text=True, check=True)
    text = re.sub(r".\x08", "", done.stdout)
    assert "fermata resume lab@s1 --clock +1h   or from there" in text
    assert "start the simulation 'lab'" in text
