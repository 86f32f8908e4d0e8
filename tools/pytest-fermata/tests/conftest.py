"""A state folder of each test's own, small machines to run in it, and a look at what is left when the test is over."""

import pytest

from homes import TICKER, Home

pytest_plugins = ["pytester"]


@pytest.fixture
def home(monkeypatch):
    home = Home.new()
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FERMATA_CONTROL", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    yield home
    assert home.clear() == [], "a test left machines running"


@pytest.fixture
def lab(home):
    path = home.folder / "ticker.yaml"
    path.write_text(TICKER)
    return path


@pytest.fixture
def inner(pytester, home):
    """Runs pytest in a process of its own, as somebody at a shell does."""
    return lambda *words: pytester.runpytest_subprocess("-p", "no:cacheprovider", *map(str, words))
