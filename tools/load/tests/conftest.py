import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from served import ServedLab  # noqa: E402

# Whoever ends the tests ends what they started: this makes it an end that pytest cleans up after.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def served():
    lab = ServedLab()
    try:
        lab.begin("bench", machines=2)
        yield lab
    finally:
        lab.close()
        assert lab.processes() == []


@pytest.fixture
def lab(served):
    """`bench` runs, and everybody is served: before each test, and after it."""
    assert served.state("bench") == "running"
    pid = served.daemon_pid()
    yield served
    assert served.ask("GET", "/v1/health", token="view") == (200, {"status": "ok"})
    assert served.state("bench") == "running"
    assert served.daemon_pid() == pid
