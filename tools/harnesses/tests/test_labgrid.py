"""The driver as labgrid makes it, from an environment's file, on real machines."""

import datetime
import subprocess
import sys

import pexpect
import pytest
from labgrid import Environment
from labgrid.driver.exception import ExecutionError


#: As that of the examples, but for the strategy: labgrid loads a strategy once in a process.
ENVIRONMENT = """
targets:
  main:
    resources:
      FermataMachine: {source: %(lab)s, machine: board}
    drivers:
      FermataDriver: {}
  gateway:
    resources:
      FermataMachine: {source: %(lab)s, machine: gateway}
    drivers:
      FermataDriver: {}
imports:
  - labgrid_fermata
"""


@pytest.fixture
def environment(home, examples):
    path = home.folder / "environment.yaml"
    path.write_text(ENVIRONMENT % {"lab": examples / "lab.yaml"})
    environment = Environment(str(path))
    yield environment
    for target in environment.targets.values():
        target.cleanup()
    home.wait_until_clean()
    assert home.simulations() == {}


def driver(environment, target):
    return environment.get_target(target).get_driver("FermataDriver")


def test_targets_of_one_source_share_machines_and_instants(environment, home):
    board, gateway = driver(environment, "main"), driver(environment, "gateway")
    with pytest.raises(ExecutionError, match="is off: switch it on first"):
        board.sendline("hello")
    board.on()
    gateway.on()
    assert len(home.processes()) == 2 and board.simulation is gateway.simulation
    _, _, match, _ = board.expect(r'"tick":(\d+)', timeout=60)
    first = int(match[1])
    gateway.expect('"tick":', timeout=60)

    before = board.clock()
    assert str(board.suspend()).startswith("lab-") and home.processes() == []
    gateway.resume(clock="+1h")
    assert board.clock().rtc - before.rtc > datetime.timedelta(minutes=59)
    # The console goes on where it was.
    _, _, match, _ = board.expect(r'"tick":(\d+)', timeout=60)
    assert int(match[1]) > first

    # Suspended is not off: `on` goes on.
    board.suspend("evening")
    board.on()
    assert len(home.processes()) == 2
    board.rewind("evening", clock="at=2030-01-01T00:00:00Z")
    assert gateway.clock().rtc.year == 2030

    # What never comes is labgrid's own error.
    with pytest.raises(pexpect.TIMEOUT):
        board.expect("no such words", timeout=0.2)
    gateway.off()
    assert home.processes() == []
    board.resume("evening")
    assert board.clock().rtc.year == 2024
    board.cycle()
    board.expect('"tick":1,', timeout=60)


def test_it_ends_with_the_last_driver(environment, home):
    board, gateway = driver(environment, "main"), driver(environment, "gateway")
    board.on()
    environment.get_target("main").deactivate(board)
    assert gateway.simulation.state == "running"
    environment.get_target("gateway").deactivate(gateway)
    assert home.processes() == []


def test_the_example_runs_under_labgrids_own_plugin(home, examples):
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--lg-env", "environment.yaml", "test_board.py"]
    done = subprocess.run([sys.executable, *words], cwd=examples, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr
    home.wait_until_clean()
