"""The services, started by a systemd: what they may do is enough for what they are there for, and machines outlive them."""

import json
import pathlib
import tempfile

import pytest

import system
from conftest import make

CONTROL = "/var/lib/fermata-control"
AGENT = "/var/lib/fermata"
LAB = """
simulation: lab
clock-error: 1s
machines:
  here: {arch: x86_64, machine: pc, memory: 16M}
  there: {arch: aarch64, machine: virt, memory: 16M, host: lab2}
"""


class Services(system.System):
    def fermata(self, *words):
        """As whoever may act as the services' user."""
        return self.sh(f"setpriv --reuid fermata --regid fermata --init-groups env FERMATA_HOME={CONTROL} fermata {' '.join(words)}")

    def machines(self):
        """QEMUs, by what they are called."""
        lines = self.sh("pgrep --list-full --uid fermata qemu-system", check=False).splitlines()
        return {line.split(" -name ")[1].split()[0]: int(line.split()[0]) for line in lines}

    def states(self):
        return {found["simulation"]: found["state"] for found in json.loads(self.fermata("ps", "--json"))["simulations"]}

    def stamps(self, verb, *words):
        result = json.loads(self.fermata(verb, "lab", *words, "--json").splitlines()[-1])
        assert result["outcome"] == "done", result
        return {machine["name"]: machine for machine in result["machines"]}


@pytest.fixture(scope="module")
def services():
    """Both services run as their own user, who has credentials for them, and know each other."""
    if reason := system.why_not():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="fp-", dir="/tmp") as folder:
        make("install", "/usr", DESTDIR=folder)
        services = Services(pathlib.Path(folder))
    try:
        services.sh("systemd-sysusers && systemctl daemon-reload")
        as_user = "setpriv --reuid fermata --regid fermata --init-groups env FERMATA_HOME=$HOME"
        services.sh(f"install -d -m 700 -o fermata -g fermata {CONTROL} {AGENT}")
        for words in ("init", "issue control desk", f"issue hypervisor lab2 --out {AGENT}/trust --address 127.0.0.1"):
            services.sh(f"{as_user} fermata pki {words}", HOME=CONTROL)
        services.unit("start", "fermata", "fermata-agent")
        services.fermata("host", "add", "lab2", "127.0.0.1:7443")
        yield services
    finally:
        services.close()


def test_machines_of_both_are_stopped_saved_and_continued_together(services):
    services.sh(f"cat > {CONTROL}/lab.yaml <<'END'\n{LAB}END\n")
    services.fermata("up", f"{CONTROL}/lab.yaml")
    try:
        assert set(services.machines()) == {"lab/here", "lab/there"}
        stopped = services.stamps("suspend")
        assert all(machine["stoppedAtNs"] for machine in stopped.values()), stopped
        assert services.machines() == {}
        assert set(services.stamps("resume")) == {"here", "there"}
        assert services.states() == {"lab": "running"}
    finally:
        services.fermata("down", "lab")


@pytest.mark.parametrize("ending", ["restart", "kill --kill-whom main --signal KILL"])
def test_machines_outlive_the_services(services, ending):
    services.fermata("up", f"{CONTROL}/lab.yaml")
    try:
        machines = services.machines()
        before = [services.main_process(unit) for unit in ("fermata", "fermata-agent")]
        services.unit(ending, "fermata", "fermata-agent")

        def are_others():
            now = [services.main_process(unit) for unit in ("fermata", "fermata-agent")]
            return not set(now) & {0, *before} and services.sh("systemctl is-active fermata fermata-agent", check=False) == "active\n" * 2

        services.wait("services that are started anew", are_others)
        assert services.machines() == machines
        assert set(services.stamps("checkpoint")) == {"here", "there"}
        assert services.machines() == machines
    finally:
        services.fermata("down", "lab")
    assert services.machines() == {}


def test_what_systemd_keeps_from_them_is_kept_from_their_machines(services):
    """A machine is confined as its service is, and lives in its control group."""
    services.fermata("up", f"{CONTROL}/lab.yaml")
    try:
        for name, process in services.machines().items():
            status = dict(line.split(":\t", 1) for line in services.sh(f"cat /proc/{process}/status").splitlines() if ":\t" in line)
            assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and int(status["CapBnd"], 16) == 0, name
            assert "fermata" in services.sh(f"cat /proc/{process}/cgroup"), name
            assert services.sh(f"nsenter --target {process} --mount ls -A /home /root", check=False).split() in ([], ["/home:", "/root:"])
    finally:
        services.fermata("down", "lab")


def test_a_user_may_have_one_of_his_own(services):
    runtime = "/run/user-of-test"
    services.sh(f"useradd --create-home tester && install -d -m 700 -o tester -g tester {runtime}")
    # What pam_systemd makes at a login.
    services.sh(f"systemd-run --quiet --unit manager --uid tester --property Delegate=yes --setenv XDG_RUNTIME_DIR={runtime} /lib/systemd/systemd --user")
    services.wait("the user's manager", lambda: services.sh(f"ls {runtime}/systemd/private", check=False) != "")
    as_tester = f"setpriv --reuid tester --regid tester --init-groups env HOME=/home/tester XDG_RUNTIME_DIR={runtime}"
    services.sh(f"{as_tester} systemctl --user start fermata")
    assert json.loads(services.sh(f"{as_tester} fermata ps --json"))["simulations"] == []
    # It is the service that answered, not a daemon that the command started.
    process = services.sh(f"{as_tester} systemctl --user show --property MainPID --value fermata")
    assert services.sh("cat /home/tester/.local/state/fermata/daemon.lock") == process
    services.sh(f"{as_tester} systemctl --user stop fermata && systemctl stop manager")


def test_they_end_in_order(services):
    services.unit("stop", "fermata", "fermata-agent")
    said = services.sh("journalctl --no-pager --unit fermata --unit fermata-agent")
    assert "ended; machines go on running" in said
    assert services.sh("systemctl list-units --failed --plain --no-legend") == ""
    assert services.sh(f"ls {CONTROL}/state.sqlite-wal", check=False) == ""
