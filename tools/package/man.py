#!/usr/bin/env python3
"""Writes the manual pages: fermata(1), and one for each verb, from what the command line says of itself.

Usage: man.py BINARY FOLDER
The pages are mdoc(7). Their date is SOURCE_DATE_EPOCH, else that of the last commit, else today.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What is not on every page: it is the same for all verbs, and fermata(1) has it.
SHARED = ("version", "help")


def text(words):
    """Words for a line of text: nothing in them is a request, an escape or a typographic quote."""
    words = words.replace("\\", "\\e").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    # An option is to be copied, so its dashes are not hyphens; 'lab-1' is no option.
    words = re.sub(r"(?<![\w-])--?(?=\w)", lambda dashes: "\\-" * len(dashes[0]), words)
    words = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in words)
    return "\\&" + words if words[:1] == "." else words


def argument(words):
    """One argument of a macro: never a macro itself, and never two."""
    return '"\\&' + text(words).replace('"', "\\(dq") + '"'


def paragraphs(words):
    """Text as it was written: lines that are indented stay as they are."""
    lines, literal, pending = [], False, False
    for line in words.splitlines():
        if not line.strip():
            pending = True
            continue
        indented = line.startswith("  ")
        if indented != literal:
            lines.append(".Bd -literal -offset indent" if indented else ".Ed")
            if not indented:
                lines.append(".Pp")
            literal, pending = indented, False
        if pending:
            lines.append("" if literal else ".Pp")
            pending = False
        # A sentence a line: so mdoc(7) knows where it ends.
        lines += [text(line[2:])] if literal else [text(part) for part in re.split(r"(?<=[a-z0-9)'][.:]) +(?=[A-Z'])", line.strip())]
    if literal:
        lines.append(".Ed")
    return lines


def shown(command):
    return [a for a in command.get("arguments", []) if a["shouldDisplay"] and name_of(a) not in SHARED]


def name_of(entry):
    return entry["preferredName"]["name"] if "preferredName" in entry else entry["valueName"]


def flags(entry):
    """`Fl -name`, longest first; a second dash is part of the name."""
    names = sorted(entry["names"], key=lambda name: -len(name["name"]))
    return " , ".join("Fl " + ("\\-" if name["kind"] == "long" else "") + name["name"].replace("-", "\\-") for name in names)


def synopsis(path, command):
    lines = [f".Nm {' '.join(path)}"]
    arguments = shown(command)
    after = [a for a in arguments if a["parsingStrategy"] == "postTerminator"]
    for entry in [a for a in arguments if a["kind"] != "positional"] + [a for a in arguments if a["kind"] == "positional" and a not in after]:
        if entry["kind"] == "positional":
            body = f"Ar {argument(entry['valueName'])}"
        elif entry["kind"] == "flag":
            body = flags(entry)
        else:
            body = f"{flags(entry)} Ar {argument(entry['valueName'])}"
        if entry["isRepeating"]:
            body += " ..."
        lines.append(f".Op {body}" if entry["isOptional"] else f".{body}")
    lines += [f".Fl \\- Ar {argument(a['valueName'])} ..." for a in after]
    if command.get("subcommands"):
        lines.append(".Ar subcommand")
    return lines


def definitions(command):
    entries = shown(command)
    if not entries:
        return []
    lines = [".Bl -tag -width Ds"]
    for entry in entries:
        if entry["kind"] == "positional":
            lines.append(f".It Ar {argument(entry['valueName'])}")
        elif entry["kind"] == "flag":
            lines.append(f".It {flags(entry)}")
        else:
            lines.append(f".It {flags(entry)} Ar {argument(entry['valueName'])}")
        lines += paragraphs(entry.get("abstract", ""))
        if values := entry.get("allValues"):
            lines.append(text(f"One of {', '.join(values)}."))
        if default := entry.get("defaultValue"):
            lines.append(text(f"The default is {default}."))
    return lines + [".El"]


def title(command):
    return text(command["abstract"].rstrip("."))


def head(name, description, date):
    return [
        '.\\" Made by tools/package/man.py of what the command line says of itself.',
        f".Dd {date}", f".Dt {name.upper()} 1", ".Os fermata", ".Sh NAME", f".Nm {name}", f".Nd {description}",
    ]


def verb_page(command, date):
    name = command["commandName"]
    lines = head(f"fermata-{name}", title(command), date) + [".Sh SYNOPSIS"] + synopsis(["fermata", name], command)
    lines += [".Sh DESCRIPTION"] + paragraphs(command["abstract"])
    if more := command.get("discussion"):
        lines += [".Pp"] + paragraphs(more)
    if entries := definitions(command):
        lines += [".Pp", "The arguments and options are:"] + entries
    for inner in command.get("subcommands", []):
        if inner["commandName"] == "help":
            continue
        path = ["fermata", name, inner["commandName"]]
        lines += [f".Ss {' '.join(path)}"] + paragraphs(inner["abstract"])
        if more := inner.get("discussion"):
            lines += [".Pp"] + paragraphs(more)
        lines += [".Pp"] + synopsis(path, inner)
        lines += definitions(inner)
    lines += [".Sh EXIT STATUS", "Codes mean the same for all verbs; see", ".Xr fermata 1 ."]
    lines += [".Sh SEE ALSO", ".Xr fermata 1"]
    return lines


def main_page(command, verbs, date):
    lines = head("fermata", title(command), date) + [".Sh SYNOPSIS", ".Nm fermata", ".Ar verb", ".Op Ar argument ...", ".Nm fermata", ".Fl \\-version"]
    # The exit codes have a section of their own.
    discussion = re.split(r"\n\nExit codes:", command["discussion"])[0]
    lines += [".Sh DESCRIPTION"] + paragraphs(command["abstract"]) + [".Pp"] + paragraphs(discussion)
    lines += [".Sh VERBS", ".Bl -tag -width Ds"]
    for verb in verbs:
        lines += [f".It Xr fermata-{verb['commandName']} 1"] + paragraphs(verb["abstract"])
    lines += [".El"]
    lines += (ROOT / "packaging/man/fermata.mdoc").read_text().splitlines()
    others = sorted(verb["commandName"] for verb in verbs)
    lines += [".Sh SEE ALSO"] + [f".Xr fermata-{name} 1 ," for name in others] + [".Xr qemu\\-system\\-x86_64 1 ,", ".Xr systemd 1"]
    return lines


def day():
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        commit = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False)
        epoch = commit.stdout.strip() if commit.returncode == 0 else ""
    moment = time.gmtime(int(epoch)) if epoch else time.gmtime()
    return time.strftime("%B ", moment) + f"{moment.tm_mday}, {moment.tm_year}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    dump = subprocess.run([binary, "--experimental-dump-help"], capture_output=True, text=True, check=True).stdout
    command = json.loads(dump)["command"]
    verbs = [verb for verb in command["subcommands"] if verb["shouldDisplay"] and verb["commandName"] != "help"]
    folder.mkdir(parents=True, exist_ok=True)
    date = day()
    (folder / "fermata.1").write_text("\n".join(main_page(command, verbs, date)) + "\n")
    for verb in verbs:
        (folder / f"fermata-{verb['commandName']}.1").write_text("\n".join(verb_page(verb, date)) + "\n")


main()
