"""fermata, installed below a folder that is gone afterwards, and two machines that run, which have nothing but their firmware."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("FERMATA_BINARY") or str(ROOT / ".build/debug/fermata")

LAB = """
simulation: lab
machines:
  left: {arch: x86_64, machine: pc, memory: 16M}
  right: {arch: x86_64, machine: pc, memory: 16M}
"""


def make(target, prefix, **settings):
    """make install or uninstall, of the binary that was built."""
    variables = {"PREFIX": prefix, "BINARY": BINARY, **settings}
    command = ["make", "--no-print-directory", "-C", str(ROOT), target] + [f"{name}={value}" for name, value in variables.items()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def prefix():
    """Where it is installed, with everything below it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fp-", dir="/tmp"))
    try:
        make("install", folder / "usr", SYSCONFDIR=folder / "etc")
        yield folder / "usr"
    finally:
        shutil.rmtree(folder)


class Lab:
    def __init__(self, prefix):
        # Sockets have short paths.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fl-", dir="/tmp"))
        self.binary = prefix / "bin/fermata"
        self.environment = dict(os.environ, FERMATA_HOME=str(self.folder / "home"), PATH=f"{prefix}/bin:{os.environ['PATH']}")
        self.environment.pop("FERMATA_CONTROL", None)

    def run(self, *arguments):
        done = subprocess.run([self.binary, *arguments], env=self.environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"fermata {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def close(self):
        try:
            self.run("down", "lab")
            self.run("serve", "--stop")
        finally:
            shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def lab(prefix):
    """`lab` runs and has the checkpoints `booted` and `bare`; `other` has none."""
    lab = Lab(prefix)
    (lab.folder / "lab.yaml").write_text(LAB)
    try:
        lab.run("up", str(lab.folder / "lab.yaml"))
        lab.run("checkpoint", "lab@booted")
        lab.run("checkpoint", "lab@bare")
        yield lab
    finally:
        lab.close()
