#!/usr/bin/env python3
"""Writes Sources/CConsoleAssets/assets.c, which takes every file of the web console into the program.

With --check it changes nothing, and fails when the list in that file is not that of the folder.
"""

import pathlib
import re
import sys

TARGET = pathlib.Path(__file__).resolve().parent.parent / "Sources" / "CConsoleAssets"
SOURCE = TARGET / "assets.c"
# What a URL can hold as it is, and C too.
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")

HEAD = """\
// Made by tools/embed-web.py; after adding or removing a file of web/, run it again.
#include "CConsoleAssets.h"

// In C since C23, and in clang for every C since 19.
#pragma clang diagnostic ignored "-Wc23-extensions"
"""

TAIL = """
size_t fermata_asset_count(void) { return sizeof assets / sizeof *assets; }

const fermata_asset *fermata_asset_at(size_t index) {
    return index < fermata_asset_count() ? &assets[index] : NULL;
}
"""


def names():
    folder = TARGET / "web"
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    wrong = [name for name in found if not NAME.fullmatch(name)]
    if wrong:
        sys.exit(f"error: no names for files of the web console: {', '.join(wrong)}")
    if not found:
        sys.exit(f"error: there are no files in {folder}")
    return found


def text(files):
    parts = [HEAD]
    for index, name in enumerate(files):
        parts.append(f'\nstatic const unsigned char file_{index}[] = {{\n#embed "web/{name}"\n}};\n')
    parts.append("\nstatic const fermata_asset assets[] = {\n")
    parts += [f'    {{"{name}", file_{index}, sizeof file_{index}}},\n' for index, name in enumerate(files)]
    parts.append("};\n")
    return "".join(parts) + TAIL


def main():
    wanted = text(names())
    if sys.argv[1:] == ["--check"]:
        if not SOURCE.exists() or SOURCE.read_text() != wanted:
            sys.exit("error: Sources/CConsoleAssets/assets.c is not of the files in web/: run tools/embed-web.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        SOURCE.write_text(wanted)


main()
