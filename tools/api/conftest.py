import collections
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from mirror import MirrorLab  # noqa: E402

# Whoever ends the tests ends what they started: this makes it an end that pytest cleans up after.
signal.signal(signal.SIGTERM, signal.default_int_handler)

# Answers by role and status.
ANSWERS = collections.Counter()
SEED = []


@pytest.fixture(scope="session")
def lab():
    lab = MirrorLab()
    try:
        lab.prepare()
        yield lab
    finally:
        lab.close()
        assert lab.processes() == []


def pytest_terminal_summary(terminalreporter):
    for role in sorted({role for role, _ in ANSWERS}):
        counts = {status: count for (who, status), count in sorted(ANSWERS.items()) if who == role}
        told = ", ".join(f"{count} x {status}" for status, count in counts.items())
        terminalreporter.write_line(f"api: {sum(counts.values())} requests as {role}: {told}")
    terminalreporter.write_line(f"api: {sum(ANSWERS.values())} requests in all, seed {SEED[0] if SEED else '-'}")
