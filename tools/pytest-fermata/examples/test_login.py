"""Boot once, test many: the lab of `make demo`, two Linux guests with a TCP session between them.

BOOT=each boots it for every test instead, as one would without checkpoints.
"""

import os
import pathlib

import pytest

LAB = pathlib.Path(__file__).resolve().parents[3] / "qemu-fixtures/labs/pair.yaml"


def boot(fermata):
    lab = fermata.up(LAB)
    lab.machine("client").serial.expect('"event":"lines"', timeout=120)
    return lab


@pytest.fixture(scope="session")
def fermata_source(fermata):
    """Once in a session (under xdist: once in each worker)."""
    return boot(fermata).checkpoint("booted")


if os.environ.get("BOOT") == "each":

    @pytest.fixture
    def simulation(fermata):
        with boot(fermata) as lab:
            yield lab


@pytest.mark.parametrize("number", range(10))
def test_the_session_goes_on(simulation, number):
    client = simulation.machine("client").serial
    client.send("clocks\n")
    assert client.expect(r'"event":"clocks".*"wallNs":(\d+)')
