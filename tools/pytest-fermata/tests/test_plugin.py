"""The plugin as a user meets it: pytest run over small test files, on real machines."""

import re
import signal
import subprocess
import sys
import time

import pytest

BOOT_ONCE = """
    import pytest

    @pytest.fixture(scope="session")
    def fermata_source(fermata):
        lab = fermata.up({lab!r})
        lab.machine("arm").serial.expect('"tick":1,')
        return lab.checkpoint("booted")
"""


def test_each_test_has_a_copy_of_its_own_and_nothing_is_left(pytester, inner, home, lab):
    pytester.makeconftest(BOOT_ONCE.format(lab=str(lab)))
    pytester.makepyfile(
        """
        names = []

        def test_one(simulation):
            names.append(simulation.name)
            assert simulation.state == "running" and simulation.source.endswith("@booted")
            assert [machine.name for machine in simulation.machines] == ["arm"]
            match = simulation.machine("arm").serial.expect(r'"tick":(\\d+)')
            assert int(match[1]) >= 2

        def test_two(simulation):
            assert simulation.name not in names
            assert simulation.machine("arm").pid > 0
        """
    )
    inner("-v").assert_outcomes(passed=2)
    home.wait_until_clean()
    assert home.simulations() == {}


def test_suspend_resume_checkpoint_rewind_and_the_clocks(pytester, inner, home, lab):
    pytester.makepyfile(
        """
        import datetime

        def test_time(simulation):
            arm = simulation.machine("arm")
            arm.serial.expect('"tick":1,')
            begin = simulation.clock()["arm"]
            assert begin.rtc.date() == datetime.date(2024, 2, 29)
            booted = simulation.checkpoint("booted")
            assert str(booted) == f"{simulation.name}@booted" and simulation.state == "running"
            process = arm.pid
            simulation.suspend("s1", after=0.5)
            assert simulation.state == "suspended"
            stopped = simulation.clock("s1")["arm"]
            simulation.resume(clock="+1h")
            assert arm.pid != process
            later = simulation.clock()["arm"]
            assert later.rtc - stopped.rtc >= datetime.timedelta(minutes=59)
            # The port's output goes on where it was.
            assert int(arm.serial.expect(r'"tick":(\\d+)')[1]) > 1
            simulation.rewind("booted")
            back = simulation.clock()["arm"]
            assert back.rtc < later.rtc and back.virtual_ns < later.virtual_ns + 3600 * 10**9
            simulation.rewind(booted, keep_as="between")
            assert simulation.clock("between")
        """
    )
    inner("--fermata-lab", lab).assert_outcomes(passed=1)
    home.wait_until_clean()


def test_a_failing_tests_lab_is_kept_and_the_report_says_how_to_go_on_from_there(pytester, inner, home, lab):
    pytester.makeconftest(BOOT_ONCE.format(lab=str(lab)))
    pytester.makepyfile(
        """
        def test_wrong(simulation):
            simulation.machine("arm").serial.expect("no such words", timeout=1.5)

        def test_right(simulation):
            pass
        """
    )
    result = inner()
    result.assert_outcomes(passed=1, failed=1)
    output = str(result.stdout)
    # What came instead, and where all of it is.
    assert re.search(r"'no such words' did not come within 1.5 s; since the last match came\n.*\| \{.*\"tick\"", output)
    command = re.search(r"go on from there: +fermata resume (test-wrong-\w+)@failed", output)
    assert command and "- fermata -" in output
    assert home.processes() == []
    assert home.simulations()[command[1]] == "down"
    home.fermata("resume", f"{command[1]}@failed")
    assert len(home.processes()) == 1
    home.fermata("down", command[1])


def test_nothing_is_kept_of_a_failing_test_when_that_is_not_wanted(pytester, inner, home, lab):
    pytester.makepyfile("def test_wrong(simulation): assert False")
    result = inner("--fermata-lab", lab, "--fermata-discard-failed")
    result.assert_outcomes(failed=1)
    assert "fermata resume" not in str(result.stdout)
    home.wait_until_clean()


def test_side_by_side_under_xdist(pytester, inner, home, lab):
    pytest.importorskip("xdist")
    pytester.makeconftest(BOOT_ONCE.format(lab=str(lab)))
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_it(simulation, number):
            assert simulation.machine("arm").serial.expect('"tick":')
        """
    )
    inner("-n", "2").assert_outcomes(passed=4)
    home.wait_until_clean()


def test_the_marker_says_where_a_test_begins_and_with_which_clock(pytester, inner, home, lab):
    home.fermata("up", str(lab))
    home.fermata("suspend", "ticker@s1")
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.fermata(checkpoint="ticker@s1", clock="at=2030-01-01T00:00:00Z")
        def test_checkpoint(simulation):
            assert simulation.clock()["arm"].rtc.year == 2030

        @pytest.mark.fermata(lab={str(lab)!r})
        def test_manifest(simulation):
            assert simulation.clock()["arm"].rtc.year == 2024
        """
    )
    inner("--strict-markers").assert_outcomes(passed=2)
    assert home.simulations() == {"ticker": "suspended"}


@pytest.mark.parametrize(
    "marker, words",
    [
        ("", "nothing says what 'simulation' begins with: give --fermata-lab"),
        ("@pytest.mark.fermata(lap='x')", "the marker is @pytest.mark.fermata(lab=None"),
        ("@pytest.mark.fermata(lab='x', checkpoint='a@b')", "with a lab or a checkpoint"),
        ("@pytest.mark.fermata(checkpoint='a')", "'a' is no checkpoint"),
        ("@pytest.mark.fermata(lab='none.yaml')", "none.yaml"),
        ("@pytest.mark.fermata(checkpoint='a@b')", "there is no checkpoint a@b"),
    ],
)
def test_what_is_wrong_is_said(pytester, inner, home, marker, words):
    pytester.makepyfile(f"import pytest\n{marker}\ndef test_it(simulation): pass")
    result = inner()
    result.assert_outcomes(errors=1)
    assert words in str(result.stdout)
    home.wait_until_clean()


def test_a_program_that_is_not_there_is_named(pytester, inner, lab):
    pytester.makepyfile("def test_it(simulation): pass")
    result = inner("--fermata-lab", lab, "--fermata", "/no/fermata")
    result.assert_outcomes(errors=1)
    assert "the program '/no/fermata' cannot be run" in str(result.stdout)


def test_a_harness_that_is_killed_in_the_middle_of_a_test_leaves_nothing(pytester, home, lab):
    pytester.makeconftest(BOOT_ONCE.format(lab=str(lab)))
    pytester.makepyfile(
        """
        import pathlib, time

        def test_forever(simulation):
            simulation.suspend("s1")
            simulation.resume()
            pathlib.Path("ready").touch()
            time.sleep(600)
        """
    )
    harness = subprocess.Popen([sys.executable, "-m", "pytest", "-p", "no:cacheprovider"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (pytester.path / "ready").exists() and harness.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (pytester.path / "ready").exists() and len(home.processes()) == 2
    harness.send_signal(signal.SIGKILL)
    harness.wait()
    home.wait_until_clean()
    assert home.simulations() == {}


def test_a_daemon_that_is_killed_in_the_middle_of_a_test_ends_nothing(pytester, inner, home, lab):
    pytester.makepyfile(
        f"""
        import os, pathlib, signal

        def test_it(simulation):
            process = simulation.machine("arm").pid
            os.kill(int(pathlib.Path({str(home.path)!r}, "daemon.lock").read_text().split()[0]), signal.SIGKILL)
            assert simulation.machine("arm").pid == process and simulation.state == "running"
        """
    )
    inner("--fermata-lab", lab).assert_outcomes(passed=1)
    home.wait_until_clean()
