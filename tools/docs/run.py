#!/usr/bin/env python3
"""Does what the documentation says, and compares what comes of it with what it shows.

Usage: run.py [--write] [PAGE]…     (all pages without names)

Of start.md, lab.md and operations.md every console block is run, in order, in one shell in a fresh home, against real QEMU. A yaml block whose first line is
a comment with a file's name is that file; those of start.md are on all pages. Below `$ command` stands what it prints, in which

  …          alone on a line is any number of lines, within a line any text
  ~          is the home folder
  numbers    with a unit, a point, a sign or colons are any such numbers: times, sizes, dates; whole numbers are meant

A command that fails has to be followed by `$ echo $?`. Of all other pages the commands are parsed: verb and options have to exist.
--write puts what was printed into the page, to be read before it is kept.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from commands import Commands
from page import Block, Page

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("FERMATA_BINARY") or ROOT / ".build/debug/fermata").resolve()
CACHE = pathlib.Path(os.environ.get("FERMATA_CACHE") or ROOT / ".cache").resolve()
RUN = ("docs/start.md", "docs/lab.md", "docs/operations.md")
PARSED = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "tools").glob("*/README.md"))]
# What still carries it afterwards was started by a page.
MARK = "FERMATA_DOCS_RUN"
PATIENCE = 60


class Shell:
    """One bash, in which a page's commands are run one after the other."""

    def __init__(self):
        # Sockets have short paths.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fd-", dir="/tmp"))
        self.mark = f"{os.getpid()}-{self.folder.name}"
        (self.folder / "bin").mkdir()
        (self.folder / "bin/fermata").symlink_to(BINARY)
        self.environment = {
            "HOME": str(self.folder), "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "LANG": "C.UTF-8", "TZ": "UTC", "NO_COLOR": "1",
            "FERMATA_CACHE": str(CACHE), "FERMATA_HOST": "desk", MARK: self.mark,
        }
        self.process = subprocess.Popen(
            ["bash", "--norc"], env=self.environment, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, command):
        """What it prints, and how it ends."""
        # The status is that of the command again, for an `echo $?` that follows.
        self.process.stdin.write(f"{command}\nstatus=$?; printf '\\002%d\\003' $status; (exit $status)\n".encode())
        self.process.stdin.flush()
        text, deadline = b"", time.monotonic() + PATIENCE
        os.set_blocking(self.process.stdout.fileno(), False)
        while not (end := re.search(rb"\x02(\d+)\x03", text)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"'{command}' does not come to an end: {text.decode(errors='replace')}")
            text += self.process.stdout.read() or b""
            time.sleep(0.01)
        return text[: end.start()].decode().replace(str(self.folder), "~"), int(end[1])

    def close(self):
        """Ends all that was started, and says what a page has left behind that it should have ended: nothing is its only good answer."""
        try:
            subprocess.run(["fermata", "serve", "--stop"], env=self.environment, executable=BINARY, capture_output=True, check=False, timeout=PATIENCE)
        finally:
            self.process.stdin.close()
            self.process.wait(timeout=10)
            left = [(process, words) for process, words in self.carriers() if words]
            for process, _ in left:
                os.kill(process, signal.SIGKILL)
            shutil.rmtree(self.folder)
        return [words for _, words in left if "serve" not in words.split()]

    def carriers(self):
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:
                continue


def run_page(path, write):
    page, shell, wrong = Page(path), Shell(), []
    try:
        # The first page's lab is on all pages.
        for block in [*Page(ROOT / RUN[0]).blocks, *page.blocks]:
            if name := block.file_name:
                (shell.folder / name).write_text(block.text)
        for block in page.blocks:
            for step in block.steps:
                printed, status = shell.run(step.command)
                if status != 0 and not step.may_fail:
                    wrong.append(f"{path}:{step.line}: '{step.command}' ends with {status}:\n{printed}")
                if write:
                    step.shown = printed.rstrip("\n").split("\n") if printed.strip() else []
                elif difference := step.difference(printed):
                    wrong.append(f"{path}:{step.line}: '{step.command}' prints something else:\n{difference}")
                if wrong:
                    # What follows would stumble over it.
                    break
            if wrong:
                break
    finally:
        left = shell.close()
    if left and not wrong:
        wrong.append(f"{path}: left behind: {'; '.join(left)}")
    if write:
        page.save()
    return sum(len(block.steps) for block in page.blocks), wrong


def main():
    arguments = sys.argv[1:]
    write = "--write" in arguments
    names = [name for name in arguments if name != "--write"]
    if any(name.startswith("-") for name in names):
        sys.exit(__doc__)
    chosen = [pathlib.Path(name).resolve() for name in names] or PARSED
    commands, wrong = Commands(BINARY), []
    count = 0
    for path in chosen:
        found = commands.of(path)
        count += len(found)
        wrong += [f"{path}:{line}: {what}" for line, what in commands.check(found)]
    print(f"docs: {count} commands of {len(chosen)} pages exist as they are written" if not wrong else "docs: commands that do not exist")
    for path in [ROOT / name for name in RUN]:
        if path in chosen and not wrong:
            begin = time.monotonic()
            steps, wrong = run_page(path, write)
            print(f"docs: {path.relative_to(ROOT)}: {steps} commands in {time.monotonic() - begin:.0f} s")
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
