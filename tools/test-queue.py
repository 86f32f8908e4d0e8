#!/usr/bin/python3
"""Runs the tests that boot machines, several at once, each in a process of its own.

Such a test waits for guests more than half of its time, so there is one process more than there are processors. Its output is
printed whole when it has ended. A test that crashes or hangs takes no other one with it.

Usage: test-queue.py [--at-once N] [--limit SECONDS] BINARY SUITE-PREFIX...
Ends with 1 if a test failed, crashed, or did not end within the limit; the limit is for one test.
"""

import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time

RUNNER = ["--testing-library", "swift-testing"]
NO_TEST_MATCHED = 69  # EX_UNAVAILABLE, of the test runner
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# What the runner says of itself and of suites in each of these processes.
CHATTER = re.compile(r"(◇|✔|✘) (Suite |Test run )|↳ (Testing Library Version|Target Platform)")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs tests that boot machines, several at once.")
    parser.add_argument("binary")
    parser.add_argument("prefixes", nargs="+")
    parser.add_argument("--at-once", type=int, default=(os.cpu_count() or 1) + 1)
    parser.add_argument("--limit", type=float, default=None)
    return parser.parse_args()


def listed(binary: str, prefixes: list[str]) -> list[str]:
    """The names of the tests of those targets and suites, those of the first prefix first."""
    output = subprocess.run([binary, *RUNNER, "--list-tests"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [name for prefix in prefixes for name in output.splitlines() if name.startswith((prefix + ".", prefix + "/"))]


def exactly(name: str) -> str:
    """A regular expression of the runner's that only this name matches."""
    return "^" + re.sub(r"([\\.()\[\]{}+*?|^$])", r"\\\1", name)


class Queue:
    def __init__(self, binary: str, limit: float | None) -> None:
        self.binary = binary
        self.limit = limit
        self.start = time.monotonic()
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def run(self, name: str) -> tuple[str, bytes, int | None]:
        """One test: its name, what it wrote, its exit code, or None if it had to be ended."""
        began = time.monotonic()
        # In a process group of its own: a test that hangs is ended with all that it started and that stayed in the group.
        process = subprocess.Popen(
            [self.binary, *RUNNER, "--filter", exactly(name)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )
        code: int | None = None
        try:
            output, _ = process.communicate(timeout=self.limit)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
        self.seconds[name] = time.monotonic() - began
        return name, output, code

    def tell(self, name: str, output: bytes, code: int | None) -> None:
        for line in COLOUR.sub("", output.decode(errors="replace")).splitlines():
            if not CHATTER.match(line):
                print(line)
        if code != 0:
            self.failed.append(name)
        if code is None:
            print(f"error: the test {name} did not end within {self.limit:.0f} s")
        elif code == NO_TEST_MATCHED:
            print(f"error: the test {name} is listed and was not found")
        elif code < 0:
            print(f"error: the test {name} ended by {signal.Signals(-code).name}")
        elif code > 0:
            print(f"error: the test {name} failed")
        sys.stdout.flush()


def main() -> int:
    options = arguments()
    names = listed(options.binary, options.prefixes)
    if not names:
        print(f"error: no test of {' or '.join(options.prefixes)} in {options.binary}")
        return 1
    queue = Queue(options.binary, options.limit)
    with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
        for done in concurrent.futures.as_completed([pool.submit(queue.run, name) for name in names]):
            queue.tell(*done.result())
    longest = sorted(queue.seconds.items(), key=lambda item: -item[1])[:12]
    print("the longest: " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in longest))
    print(f"Test run with {len(names)} tests of {' and '.join(options.prefixes)}, {options.at_once} at once, "
          f"{len(queue.failed)} failed, after {time.monotonic() - queue.start:.0f} seconds")
    return 1 if queue.failed else 0


sys.exit(main())
