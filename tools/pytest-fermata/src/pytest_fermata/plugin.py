"""What pytest loads: options, the marker, fixtures, and the checkpoint of a test that failed."""

from __future__ import annotations

import os
import pathlib
import warnings
from typing import Any, Generator, Optional, Union, cast

import pytest

from ._control import VERSION, Control
from ._errors import FermataError
from ._fermata import Fermata
from ._simulation import Checkpoint, Simulation

_SIMULATION = pytest.StashKey[Simulation]()
_FERMATA = pytest.StashKey[Fermata]()

_MARKER = (
    "fermata(lab=None, checkpoint=None, clock=None): what the test's fixture 'simulation' begins with: a manifest (relative "
    "to the test's file), or a checkpoint SIM@NAME, and the clock policy of its start"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fermata", "coupled QEMU machines")
    group.addoption("--fermata", metavar="PROGRAM", help="the fermata program (default: fermata, in PATH)")
    group.addoption(
        "--fermata-lab", metavar="FILE|SIM@NAME", help="what tests begin with that do not say it: a manifest or a checkpoint"
    )
    group.addoption(
        "--fermata-discard-failed",
        action="store_true",
        help="do not keep a checkpoint of the lab of a test that failed",
    )
    parser.addini("fermata", "the fermata program")
    parser.addini("fermata_lab", "what tests begin with: a manifest (relative to this file) or a checkpoint")
    parser.addini("fermata_discard_failed", "keep no checkpoint of a test that failed", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


def pytest_report_header(config: pytest.Config) -> str:
    return f"fermata: {_program(config)}, plugin {VERSION}"


def _program(config: pytest.Config) -> str:
    return str(config.getoption("--fermata") or config.getini("fermata") or os.environ.get("FERMATA_BINARY") or "fermata")


@pytest.fixture(scope="session")
def fermata(pytestconfig: pytest.Config) -> Generator[Fermata, None, None]:
    """Starts simulations: `fermata.up("lab.yaml")`, `fermata.clone("lab@booted")`. They end with the session."""
    instance = Fermata(Control(_program(pytestconfig)), lambda text: warnings.warn(pytest.PytestWarning(text), stacklevel=2))
    pytestconfig.stash[_FERMATA] = instance
    yield instance
    instance.end()


@pytest.fixture(scope="session")
def fermata_source(pytestconfig: pytest.Config) -> Union[str, Checkpoint, None]:
    """What each test's `simulation` begins with, unless a marker says it. To be overridden: boot once, return a checkpoint."""
    option = pytestconfig.getoption("--fermata-lab")
    if option:
        return _located(str(option), pytestconfig.invocation_params.dir)
    ini = str(pytestconfig.getini("fermata_lab"))
    return _located(ini, pytestconfig.inipath.parent if pytestconfig.inipath else pytestconfig.rootpath) if ini else None


def _located(source: str, folder: pathlib.Path) -> str:
    return source if "@" in source else str(folder / source)


@pytest.fixture
def simulation(request: pytest.FixtureRequest, fermata: Fermata) -> Generator[Simulation, None, None]:
    """A simulation of this test alone, which ends with it."""
    source, options = _source(request)
    node = cast(pytest.Item, request.node)
    started = fermata.start(source, name=node.name, **options)
    node.stash[_SIMULATION] = started
    yield started
    report = started.end()
    for reason in report.get("reasons", []):
        # What others stand on stays; the session's end removes it.
        warnings.warn(pytest.PytestWarning(f"{started.name}: {reason.get('message')}"), stacklevel=1)


def _source(request: pytest.FixtureRequest) -> tuple[Union[str, Checkpoint], dict[str, Any]]:
    marker = cast(pytest.Item, request.node).get_closest_marker("fermata")
    wanted = dict(marker.kwargs) if marker else {}
    lab, checkpoint, clock = (wanted.pop(key, None) for key in ("lab", "checkpoint", "clock"))
    if wanted or (marker and marker.args) or (lab and checkpoint):
        raise pytest.UsageError(f"the marker is @pytest.mark.{_MARKER.split(':')[0]}, with a lab or a checkpoint")
    options = {} if clock is None else {"clock": clock}
    if checkpoint:
        return Checkpoint.parse(str(checkpoint)), options
    if lab:
        return str(cast(pytest.Item, request.node).path.parent / str(lab)), options
    source: Optional[Union[str, Checkpoint]] = request.getfixturevalue("fermata_source")
    if not source:
        raise pytest.UsageError(
            "nothing says what 'simulation' begins with: give --fermata-lab FILE or SIM@NAME, set fermata_lab in pytest's ini "
            "file, mark the test with @pytest.mark.fermata(lab=…), or override the fixture fermata_source"
        )
    return source, options


def _makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """While the lab of a test that failed is as it was then, it is kept."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    simulation = item.stash.get(_SIMULATION, None)
    if not report.failed or report.when == "teardown" or simulation is None:
        return
    if item.config.getoption("--fermata-discard-failed") or item.config.getini("fermata_discard_failed"):
        return
    report.sections.append(("fermata", _kept(simulation, item.nodeid)))


# No decorator: of older releases it has no types.
pytest_runtest_makereport = pytest.hookimpl(hookwrapper=True)(_makereport)


def _kept(simulation: Simulation, test: str) -> str:
    try:
        saved = simulation.keep_failed(f"{test} failed")
    except FermataError as error:
        return f"the lab could not be kept as it was when the test failed: {error}"
    return (
        f"the lab is kept as it was when the test failed (it began with {simulation.source}):\n"
        f"  go on from there:  fermata resume {saved}\n"
        f"  remove it:         fermata rm {saved}"
    )
