"""What `make install` puts where, and that `make uninstall` takes it away."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import ROOT, make


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_the_installed_program_runs(prefix):
    done = subprocess.run([prefix / "bin/fermata", "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"fermata \d+\.\d+\.\d+\S*\n", done.stdout)


def test_everything_is_where_programs_look_for_it(prefix):
    found = files_below(prefix)
    for path in (
        "bin/fermata", "share/man/man1/fermata.1", "share/man/man1/fermata-suspend.1", "share/bash-completion/completions/fermata",
        "share/zsh/site-functions/_fermata", "share/fish/vendor_completions.d/fermata.fish", "lib/systemd/system/fermata-agent.service",
        "lib/systemd/system/fermata.service", "lib/systemd/user/fermata.service", "lib/sysusers.d/fermata.conf",
        "share/doc/fermata/README.md", "share/doc/fermata/docs/cli.md",
    ):
        assert path in found
    assert files_below(prefix.parent / "etc") == ["default/fermata", "default/fermata-agent"]


def test_others_may_read_what_was_installed(prefix):
    # Whatever the umask of who installs it is.
    for path in prefix.rglob("*"):
        assert path.stat().st_mode & 0o444 == 0o444, path


def test_uninstall_takes_away_what_was_installed_and_nothing_else(tmp_path):
    destination, etc = tmp_path / "root", tmp_path / "root/etc/default"
    foreign = destination / "opt/f/share/man/man1/other.1"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("")
    etc.mkdir(parents=True)
    (etc / "fermata").write_text("FERMATA_QUOTA=1G\n")
    make("install", "/opt/f", DESTDIR=destination)
    assert (destination / "opt/f/bin/fermata").exists()
    assert (etc / "fermata").read_text() == "FERMATA_QUOTA=1G\n"

    make("uninstall", "/opt/f", DESTDIR=destination)
    assert files_below(destination) == ["etc/default/fermata", "etc/default/fermata-agent", "opt/f/share/man/man1/other.1"]


def test_a_prefix_that_is_relative_is_refused():
    done = subprocess.run([ROOT / "tools/package/install.sh", "install"], env=dict(os.environ, PREFIX="usr"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "absolute path" in done.stderr


@pytest.mark.parametrize("unit", ["system/fermata.service", "system/fermata-agent.service", "user/fermata.service"])
def test_systemd_understands_the_units(prefix, unit):
    path = prefix / "lib/systemd" / unit
    assert f"ExecStart={prefix}/bin/fermata " in path.read_text()
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    manual = dict(os.environ, MANPATH=f"{prefix}/share/man:")
    user = ["--user"] if unit.startswith("user/") else []
    if user:
        manual.setdefault("XDG_RUNTIME_DIR", str(prefix))
    done = subprocess.run(["systemd-analyze", *user, "verify", path], env=manual, capture_output=True, text=True, check=False, timeout=60)
    # It tells of units of this machine, too.
    complaints = [line for line in done.stderr.splitlines() if "fermata" in line]
    assert complaints == []


@pytest.mark.parametrize("unit", ["fermata.service", "fermata-agent.service"])
def test_services_are_confined(prefix, unit):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    path = prefix / "lib/systemd/system" / unit
    # The score is systemd's: 10.0 is a service that may do everything.
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=45", path], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout[-600:] + done.stderr


def test_the_user_of_the_services_is_made(prefix, tmp_path):
    if not shutil.which("systemd-sysusers"):
        pytest.skip("there is no systemd-sysusers")
    (tmp_path / "etc").mkdir()
    subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", prefix / "lib/sysusers.d/fermata.conf"], capture_output=True, text=True, check=True
    )
    assert "fermata" in (tmp_path / "etc/passwd").read_text()
    assert re.search(r"^kvm:.*\bfermata$", (tmp_path / "etc/group").read_text(), re.MULTILINE)


def test_every_variable_that_is_read_is_in_the_manual():
    names = set()
    for source in pathlib.Path(ROOT / "Sources").rglob("*.swift"):
        # A library, with a guide of its own.
        if "FermataTesting" in source.parts:
            continue
        names |= set(re.findall(r'environment\["(FERMATA_[A-Z_]+)"\]', source.read_text()))
    manual = (ROOT / "packaging/man/fermata.mdoc").read_text()
    assert names
    described = {name for line in re.findall(r"^\.It (Ev .*)$", manual, re.MULTILINE) for name in re.findall(r"FERMATA_[A-Z_]+", line)}
    assert names - described == set()
