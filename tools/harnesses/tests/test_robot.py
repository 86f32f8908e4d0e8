"""The library as Robot Framework loads it, on real machines."""

import re
import subprocess
import sys


def robot(folder, suite):
    words = ["-m", "robot", "--outputdir", str(folder), "--console", "verbose", str(suite)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_example_passes_and_leaves_nothing(home, examples, tmp_path):
    status, output = robot(tmp_path, examples / "time-travel.robot")
    assert status == 0 and "3 tests, 3 passed" in output, output
    home.wait_until_clean()
    assert home.simulations() == {}


def test_a_failing_tests_lab_is_kept_and_the_suite_goes_on(home, examples, tmp_path):
    suite = tmp_path / "wrong.robot"
    suite.write_text(
        f"""*** Settings ***
Library    FermataLibrary

*** Test Cases ***
Too Early
    Suspend Simulation
Never Said
    Start Simulation    {examples}/lab.yaml
    Expect Serial    board    no such words    timeout=1500ms
Goes On
    Expect Serial    board    "tick":
    Expect Serial    toaster    "tick":
Is Suspended
    Suspend Simulation    evening
    Clock Should Be Between    board    2024-02-29T12:00:00Z    2024-02-29T12:59:59Z
"""
    )
    status, output = robot(tmp_path, suite)
    # Robot counts what has failed.
    assert status == 4, output
    assert "there is no simulation: Start Simulation comes first" in output
    assert re.search(r"'no such words' did not come within 1.5 s", output) and "nothing" in output or '"tick"' in output
    assert "runs no machine 'toaster' now; there are: board, gateway" in output
    kept = re.findall(r"fermata resume (lab-\w+)@([\w-]+)", output)
    assert [name for _, name in kept] == ["failed-1", "failed-2", "evening"], output
    simulation = kept[0][0]
    assert home.processes() == [] and home.simulations() == {simulation: "down"}
    home.fermata("resume", f"{simulation}@failed-1")
    assert len(home.processes()) == 2
    home.fermata("down", simulation)
