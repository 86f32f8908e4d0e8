"""Several hosts on this machine: a control instance and agents of the real `fermata`, each in a network namespace of its own, on one
switch, with certificates of an authority made for them."""

import collections.abc
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import spaces
from demo import start_time

ROOT = spaces.TOOLS.parent
CACHE = pathlib.Path(os.environ.get("FERMATA_CACHE", ROOT / ".cache"))
QEMU = CACHE / "qemu-10.0/bin"
FERMATA = pathlib.Path(os.environ.get("FERMATA", ROOT / ".build/debug/fermata"))
PORT = 7443
PATIENCE = 90


def wait(what: str, is_so: collections.abc.Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {seconds} s")
        time.sleep(0.02)


@dataclasses.dataclass
class Answer:
    """How a command ended, and what it said with `--json`."""

    command: str
    status: int
    lines: list[dict]

    @property
    def result(self) -> dict:
        return self.lines[-1] if self.lines else {}

    @property
    def codes(self) -> set[str]:
        """Of its reasons, or of what it says is wrong."""
        result = self.result
        codes = {reason["code"] for reason in result.get("reasons", [])}
        return codes | ({result["code"]} if "code" in result else set())

    @property
    def words(self) -> str:
        """What it says to people."""
        return "; ".join(f"{reason.get('machine', '')} {reason['message']}" for reason in self.result.get("reasons", []))

    def __str__(self) -> str:
        return f"{self.command}: status {self.status}, {', '.join(sorted(self.codes)) or self.result.get('event')}: {self.words[:1500]}"


class Command:
    """A verb that runs, and what it has said so far."""

    def __init__(self, words: list[str], environment: dict[str, str], prefix: list[str]) -> None:
        self.text = "fermata " + " ".join(words)
        self.lines: list[dict] = []
        self.process = subprocess.Popen(
            [*prefix, str(FERMATA), *words, "--json"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                self.lines.append(dict(json.loads(line), heardAt=time.monotonic()))
            except ValueError:
                pass

    def saw(self, event: str, **fields: object) -> int:
        """How many such events there were."""
        wanted = dict(fields, event=event)
        return sum(all(line.get(key) == value for key, value in wanted.items()) for line in list(self.lines))

    def phase(self, name: str) -> None:
        wait(f"phase {name} of {self.text}", lambda: self.saw("phase", phase=name) or self.process.poll() is not None)
        assert self.saw("phase", phase=name), f"{self.text} ended before it was {name}: {self.lines[-1:]}"

    @property
    def operation(self) -> str:
        """Its id, once a phase of it was told."""
        return next(line["operation"] for line in self.lines if line.get("event") == "phase")

    def end(self, seconds: float = 180) -> Answer:
        status = self.process.wait(seconds)
        self.reader.join(10)
        return Answer(self.text, status, self.lines)


class Host:
    """A namespace, a state folder, and the daemon or agent that it belongs to."""

    def __init__(self, lab: "HostLab", name: str) -> None:
        self.lab = lab
        self.name = name
        self.home = lab.folder / name
        self.space, self.address = lab.switch.plug(name)
        self.log = lab.folder / f"{name}.log"
        self.agent: subprocess.Popen | None = None
        self.relay: subprocess.Popen | None = None
        # Of the agent alone: what it starts has them too.
        self.environment: dict[str, str] = {}
        self.options: list[str] = []

    @property
    def prefix(self) -> list[str]:
        return ["ip", "netns", "exec", self.space]

    def start(self) -> None:
        """Its agent, as a process of its own; until it listens."""
        with open(self.log, "ab") as log:
            self.agent = subprocess.Popen(
                [*self.prefix, str(FERMATA), "agent", "--listen", f"{self.address}:{PORT}", "--qemu", f"{QEMU}/",
                 "--files", str(CACHE.resolve()), "--files", str(CACHE), "--allow-args", *self.options],
                env=dict(self.lab.environment(self.home), **self.environment), stdout=log, stderr=log,
            )  # fmt: skip
        wait(f"agent of {self.name}, see {self.log}", self.listens, 60)

    def listens(self) -> bool:
        assert self.agent is None or self.agent.poll() is None, self.log.read_text(errors="replace")[-2000:]
        return bool(spaces.sh("ss", "-N", self.space, "-Hltn", "sport", "=", f":{PORT}", check=False).stdout)

    def kill(self) -> None:
        """As when its power fails, but its machines live on."""
        assert self.agent is not None
        self.agent.kill()
        self.agent.wait()

    def pause(self) -> None:
        assert self.agent is not None
        self.agent.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.agent is not None
        self.agent.send_signal(signal.SIGCONT)

    def delay(self, milliseconds: float) -> int:
        """A port of its address at which the agent can be reached later by that, each way."""
        relay = [sys.executable, str(pathlib.Path(__file__).with_name("relay.py"))]
        ends = ["--listen", f"{self.address}:{PORT + 1}", "--to", f"{self.address}:{PORT}", "--delay", str(milliseconds)]
        self.relay = subprocess.Popen([*self.prefix, *relay, *ends])
        wait("relay", lambda: spaces.sh("ss", "-N", self.space, "-Hltn", "sport", "=", f":{PORT + 1}").stdout)
        return PORT + 1

    @property
    def journal(self) -> str | None:
        """The phase of the operation that its journal has."""
        for entry in (self.home / "journal").glob("*.json"):
            try:
                steps = entry.read_text().splitlines()
            except OSError:
                continue
            for step in reversed(steps):
                # The last one may just be being written.
                with contextlib.suppress(ValueError):
                    return json.loads(step)["phase"]
        return None

    def checkpoints(self, simulation: str) -> set[str]:
        """Names of folders in which the host has something of a machine."""
        return {path.parent.parent.name for path in (self.home / "checkpoints" / simulation).glob("*/machines/*")}

    def folders(self, simulation: str, checkpoint: str) -> list[str]:
        """Of a checkpoint, whole or not, on this host."""
        return [path.name for path in (self.home / "checkpoints" / simulation).glob(f"{checkpoint}*")]

    def machine(self, name: str) -> int | None:
        """The process of a machine of this host; None when there is none."""
        for process in spaces.sh("ip", "netns", "pids", self.space).stdout.split():
            try:
                words = pathlib.Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"qemu-system-" in words[0] and any(f"/{name}/".encode() in word for word in words):
                return int(process)
        return None

    def end(self) -> None:
        for process in (self.agent, self.relay):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class HostLab:
    """The control instance is on the host `desk`; agents are on the others."""

    def __init__(self, count: int = 3, clock_error: str = "1s") -> None:
        spaces.sweep()
        # Short: names of sockets are below it, and the kernel takes 107 characters.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{spaces.owner()}-", dir="/tmp"))
        self.memory = pathlib.Path(tempfile.mkdtemp(prefix=f"{spaces.owner()}-", dir="/dev/shm"))
        self.clock_error = clock_error
        self.switch = spaces.Switch()
        self.desk = Host(self, "desk")
        self.hosts = [Host(self, f"h{index}") for index in range(count)]
        self.simulations: list[str] = []

    def environment(self, home: pathlib.Path) -> dict[str, str]:
        # Nobody disciplines the clock of a machine that tests run on, and a busy one measures itself badly.
        own = {"FERMATA_HOME": home, "FERMATA_CLOCK_ERROR": self.clock_error, "FERMATA_RAM_FOLDER": self.memory, "FERMATA_CACHE": CACHE}
        return dict(os.environ, **{name: str(value) for name, value in own.items()})

    def __enter__(self) -> "HostLab":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def start(self, delays: dict[str, float] | None = None) -> None:
        """Certificates, agents, and the control instance, which gets to know them.

        `delays` has the hosts that are further away, in milliseconds each way."""
        self.done("pki", "init")
        self.done("pki", "issue", "control", "desk")
        for host in self.hosts:
            self.enroll(host)
            host.start()
            delay = (delays or {}).get(host.name)
            port = host.delay(delay) if delay else PORT
            self.done("host", "add", host.name, f"{host.address}:{port}")

    def enroll(self, host: Host) -> None:
        host.home.mkdir(mode=0o700, exist_ok=True)
        self.done("pki", "issue", "hypervisor", host.name, "--out", str(host.home / "trust"))

    # MARK: - Verbs

    def begin(self, *words: object) -> Command:
        return Command([str(word) for word in words], self.environment(self.desk.home), self.desk.prefix)

    def ask(self, *words: object) -> Answer:
        return self.begin(*words).end()

    def done(self, *words: object) -> Answer:
        answer = self.ask(*words)
        assert answer.status == 0, str(answer)
        return answer

    def up(self, name: str, manifest: str) -> Answer:
        path = self.folder / f"{name}.yaml"
        path.write_text(manifest)
        if name not in self.simulations:
            self.simulations.append(name)
        return self.done("up", path)

    def state(self, simulation: str) -> str | None:
        """As `ps` has it; None while nobody answers."""
        for entry in self.ask("ps").result.get("simulations", []):
            if entry["simulation"] == simulation:
                return entry["state"]
        return None

    def run_states(self, simulation: str) -> dict[str, str]:
        """Of each machine what its QEMU says of itself."""
        machines = self.ask("show", simulation).result.get("machines", [])
        return {machine["name"]: machine.get("runState") or machine["state"] for machine in machines}

    def checkpoints(self, simulation: str) -> set[str]:
        folder = self.desk.home / "checkpoints" / simulation
        return {path.parent.name for path in folder.glob("*/checkpoint.json")}

    # MARK: - The control instance

    @property
    def daemon(self) -> int | None:
        """The process of the control instance."""
        try:
            process = int((self.desk.home / "daemon.lock").read_text())
        except (OSError, ValueError):
            return None
        return process if start_time(process) is not None and not is_zombie(process) else None

    def kill_control(self) -> None:
        process = self.daemon
        assert process is not None
        os.kill(process, signal.SIGKILL)
        wait("end of the control instance", lambda: self.daemon is None)

    # MARK: - The end

    def remove(self) -> None:
        for host in self.hosts:
            self.switch.heal(host.name)
            host.go_on() if host.agent and host.agent.poll() is None else None
        try:
            for simulation in self.simulations:
                self.ask("down", simulation)
            self.ask("serve", "--stop")
            for host in self.hosts:
                host.end()
        finally:
            self.switch.remove()
            for folder in (self.folder, self.memory):
                shutil.rmtree(folder, ignore_errors=True)


def is_zombie(process: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def log_lines(host: Host, pattern: str) -> list[str]:
    return [line for line in host.log.read_text(errors="replace").splitlines() if re.search(pattern, line)]
