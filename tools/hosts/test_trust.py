"""Who has no business with a host is not heard, and the host's log says who it was; and a host that is not the one that was meant is told
nothing. Every attempt is over the network, to the real agent, with what `fermata pki` issues."""

import collections.abc
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

from guests import NAME, PLACES, Guests
from hostlab import FERMATA, PORT, Host, HostLab, log_lines, wait

RUNNING = dict.fromkeys(PLACES, "running")
SHORT = "2s"


def pki(home: pathlib.Path, *words: object) -> None:
    environment = dict(os.environ, FERMATA_HOME=str(home))
    subprocess.run([str(FERMATA), "pki", *map(str, words)], env=environment, check=True, capture_output=True)


def issue(lab: HostLab, role: str, name: str, *options: str, home: pathlib.Path | None = None) -> pathlib.Path:
    """A folder of credentials, by the lab's authority or by another one."""
    folder = lab.folder / f"{name}-trust"
    pki(home or lab.desk.home, "issue", role, name, "--out", folder, *options)
    return folder


def another_authority(lab: HostLab) -> pathlib.Path:
    home = lab.folder / "elsewhere"
    if not home.exists():
        pki(home, "init")
    return home


def publish_revocations(lab: HostLab, trust: pathlib.Path) -> None:
    shutil.copy(lab.desk.home / "pki/revoked", trust / "revoked.new")
    os.rename(trust / "revoked.new", trust / "revoked")
    # Files are looked at twice a second.
    time.sleep(1)


def say(lab: HostLab, host: Host, path: str, body: object, *options: object) -> dict:
    words = [sys.executable, pathlib.Path(__file__).with_name("stranger.py"), *options, f"{host.address}:{PORT}", path, json.dumps(body)]
    answer = subprocess.run([*lab.desk.prefix, *map(str, words)], check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def credentials(folder: pathlib.Path) -> list[object]:
    return ["--credentials", next(path for path in folder.glob("*.pem") if path.name != "ca.pem")]


def nobody(lab: HostLab) -> list[object]:
    return []


def plain(lab: HostLab) -> list[object]:
    return ["--plain"]


def of_another_authority(lab: HostLab) -> list[object]:
    return credentials(issue(lab, "control", "stranger", home=another_authority(lab)))


def expired(lab: HostLab) -> list[object]:
    folder = issue(lab, "control", "old", "--validity", SHORT)
    time.sleep(3)
    return credentials(folder)


def revoked(lab: HostLab) -> list[object]:
    folder = issue(lab, "control", "lost")
    lab.done("pki", "revoke", "lost")
    publish_revocations(lab, lab.hosts[0].home / "trust")
    return credentials(folder)


def of_a_hypervisor(lab: HostLab) -> list[object]:
    return credentials(lab.hosts[1].home / "trust")


# And what the agent's log calls it.
STRANGERS = {
    "without TLS": (plain, "no-handshake"),
    "without a certificate": (nobody, "no-handshake"),
    "with another authority's": (of_another_authority, "wrong-authority"),
    "with an expired one": (expired, "expired"),
    "with a revoked one": (revoked, "revoked"),
    "with a hypervisor's": (of_a_hypervisor, "wrong-role"),
}


@pytest.mark.parametrize("who", STRANGERS)
def test_an_agent_does_nothing_for(lab: HostLab, guests: Guests, who: str) -> None:
    dress, reason = STRANGERS[who]
    host = lab.hosts[0]
    options = dress(lab)
    lines = len(log_lines(host, "."))
    answer = say(lab, host, "/v1/end", NAME, *options)
    assert "status" not in answer, answer
    wait("word of it in the log", lambda: len(log_lines(host, ".")) > lines, 20)
    said = log_lines(host, ".")[lines:]
    assert any("refused a peer" in line and f"reason={reason}" in line for line in said), said
    assert lab.run_states(NAME) == RUNNING
    # The same by who may: or nothing was shown.
    assert say(lab, host, "/v1/machines", {"simulation": NAME}, *credentials(lab.desk.home / "trust"))["status"] == 200


def imposter_of_another_authority(lab: HostLab, host: Host) -> pathlib.Path:
    folder = lab.folder / f"{host.name}-imposter"
    pki(another_authority(lab), "issue", "hypervisor", host.name, "--out", folder)
    return folder


def imposter_with_an_old_certificate(lab: HostLab, host: Host) -> pathlib.Path:
    folder = lab.folder / f"{host.name}-old"
    pki(lab.desk.home, "issue", "hypervisor", host.name, "--out", folder, "--validity", "4s")
    return folder


def imposter_of_another_name(lab: HostLab, host: Host) -> pathlib.Path:
    return issue(lab, "hypervisor", "other")


# And what the control instance says of it.
IMPOSTERS: dict[str, tuple[collections.abc.Callable[[HostLab, Host], pathlib.Path], str]] = {
    "of another authority": (imposter_of_another_authority, "of an authority that is not trusted here"),
    "expired": (imposter_with_an_old_certificate, "has expired"),
    "of another name": (imposter_of_another_name, "hypervisor other"),
}


@pytest.mark.parametrize("what", IMPOSTERS)
def test_a_control_instance_tells_nothing_to_a_host_whose_certificate_is(lab: HostLab, guests: Guests, what: str) -> None:
    imposter, words = IMPOSTERS[what]
    since, processes = guests.progress(), guests.processes()
    host = lab.hosts[1]
    own = host.home / "trust"
    host.kill()
    own.rename(host.home / "own")
    shutil.copytree(imposter(lab, host), own)
    try:
        host.start()
        time.sleep(5 if what == "expired" else 0)
        answer = lab.ask("suspend", f"{NAME}@never")
        assert answer.status == 3 and words in answer.words, str(answer)
        assert lab.checkpoints(NAME) & {"never"} == set() and host.journal is None
    finally:
        host.kill()
        shutil.rmtree(own)
        (host.home / "own").rename(own)
        host.start()
    assert words in (lab.desk.home / "daemon.log").read_text(errors="replace")
    assert guests.processes() == processes and lab.run_states(NAME) == RUNNING
    guests.go_on(since)
