"""Machines on another host: an agent of this one's, with a state folder of its own."""

import os
import socket
import subprocess
import time

import pytest

from homes import CACHE, PROGRAM, TICKER


@pytest.fixture
def far(home, monkeypatch):
    """The name of another host."""
    # The two are one machine, which is busy.
    monkeypatch.setenv("FERMATA_CLOCK_ERROR", "500ms")
    environment = {**os.environ, **home.environment}
    for words in (["pki", "init"], ["pki", "issue", "control", "desk"], ["pki", "issue", "hypervisor", "lab2"]):
        subprocess.run([PROGRAM, *words], env=environment, cwd=home.folder, check=True, capture_output=True)
    folder = home.folder / "far"
    folder.mkdir(mode=0o700)
    (home.folder / "lab2-trust").rename(folder / "trust")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % probe.getsockname()[1]
    agent = subprocess.Popen(
        [PROGRAM, "agent", "--listen", address, "--files", str(CACHE)],
        env={**environment, "FERMATA_HOME": str(folder)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        added = None
        while added is None or (added.returncode and time.monotonic() < deadline):
            added = subprocess.run([PROGRAM, "host", "add", "lab2", address], env=environment, capture_output=True, text=True)
        assert added.returncode == 0, added.stderr
        yield "lab2"
    finally:
        agent.terminate()
        agent.wait(30)


def test_what_a_machine_elsewhere_says_is_heard_over_a_suspend(pytester, inner, home, lab, far):
    lab.write_text(TICKER.replace("{arch", f"{{host: {far}, arch", 1))
    pytester.makepyfile(
        """
        def test_it(simulation):
            arm = simulation.machine("arm")
            assert arm.status["host"] == "lab2"
            first = int(arm.serial.expect(r'"tick":(\\d+)')[1])
            assert int(arm.serial.expect(r'"tick":(\\d+)')[1]) == first + 1
            # This guest never reads, so more would not be taken.
            arm.serial.send("")
            simulation.suspend("s1")
            simulation.resume("s1")
            assert int(arm.serial.expect(r'"tick":(\\d+)')[1]) > first + 1
            ticks = [int(line.split(b'"tick":')[1].split(b",")[0]) for line in arm.serial.output.splitlines()[:-1] if b'"tick":' in line]
            assert ticks == list(range(ticks[0], ticks[-1] + 1))
        """
    )
    inner("--fermata-lab", str(lab)).assert_outcomes(passed=1)
    home.wait_until_clean()
