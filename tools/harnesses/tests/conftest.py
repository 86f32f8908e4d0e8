"""The state folders of the pytest plugin's tests, and the lab of the examples."""

import pathlib
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(FOLDER.parent / "pytest-fermata/tests"))

from homes import CACHE, Home  # noqa: E402


@pytest.fixture
def home(monkeypatch):
    home = Home.new()
    for name, value in {**home.environment, "FERMATA_CACHE": str(CACHE)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FERMATA_CONTROL", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    yield home
    assert home.clear() == [], "a test left machines running"


@pytest.fixture
def examples():
    return FOLDER / "examples"
