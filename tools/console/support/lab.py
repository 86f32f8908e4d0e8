"""A daemon of its own with machines that are started quickly, in a folder that is gone afterwards."""

import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
CACHE = pathlib.Path(os.environ.get("FERMATA_CACHE") or ROOT / ".cache")
BINARY = os.environ.get("FERMATA_BINARY") or str(ROOT / ".build/debug/fermata")

ARM = "{arch: aarch64, machine: virt, cpu: cortex-a53, memory: 32M, kernel: %s/ticker/ticker-arm.elf, rtc: {base: %s, clock: vm}, serial: [log]}"
RISCV = "{arch: riscv64, machine: virt, memory: 32M, firmware: %s/ticker/ticker-riscv.elf, rtc: {base: %s, clock: vm}, serial: [log]}"


class ControlConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Lab:
    """Commands and requests to one daemon, and the end of all that it started."""

    def __init__(self):
        # Sockets have short paths.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fc-", dir="/tmp"))
        self.home = self.folder / "home"
        self.port = free_port()
        self.agents = {}
        self.ports = {}
        self.environment = dict(
            os.environ,
            FERMATA_HOME=str(self.home),
            FERMATA_CACHE=str(CACHE),
            # A daemon that is started again is found where browsers look for it.
            FERMATA_CONSOLE=str(self.port),
            # Hosts of a lab are one machine, which is busy.
            FERMATA_CLOCK_ERROR="500ms",
        )
        for name in ("FERMATA_CONTROL", "FERMATA_TOKEN"):
            self.environment.pop(name, None)

    def run(self, *arguments, check=True, cwd=None):
        done = subprocess.run([BINARY, *map(str, arguments)], env=self.environment, cwd=cwd, capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"fermata {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def add_host(self, name):
        """Another host: an agent on this one, with credentials and a state folder of its own."""
        if not (self.home / "pki").exists():
            self.run("pki", "init")
            self.run("pki", "issue", "control", "desk")
        self.run("pki", "issue", "hypervisor", name, cwd=self.folder)
        home = self.folder / name
        home.mkdir(mode=0o700)
        (self.folder / f"{name}-trust").rename(home / "trust")
        self.ports[name] = free_port()
        self.start_agent(name)
        self.run("host", "add", name, f"127.0.0.1:{self.ports[name]}", "--label", "rack=b")

    def start_agent(self, name):
        port = self.ports[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.agents[name] = subprocess.Popen(
                [BINARY, "agent", "--listen", f"127.0.0.1:{port}", "--files", str(CACHE)],
                env=dict(self.environment, FERMATA_HOME=str(self.folder / name)), stdout=log, stderr=log,
            )
        self.wait_for(f"the agent of {name}", lambda: is_listening(port))

    def kill_agent(self, name):
        self.agents[name].kill()
        self.agents[name].wait(20)

    def start(self, *arguments):
        """A command that goes on; ended with the lab, as all that names its folder."""
        return subprocess.Popen([BINARY, *arguments], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout.strip().splitlines()[-1])

    def get(self, path):
        connection = ControlConnection(str(self.home / "control.sock"))
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def type_serial(self, simulation, machine, text):
        """Types something into a machine's serial port: the status."""
        connection = ControlConnection(str(self.home / "control.sock"))
        try:
            body = json.dumps({"base64": base64.b64encode(text.encode()).decode()})
            connection.request("POST", f"/v1/simulations/{simulation}/machines/{machine}/serial", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()

    def state(self, simulation):
        status, answer = self.get(f"/v1/simulations/{simulation}")
        return answer["state"] if status == 200 else None

    def wait_for(self, what, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {seconds} s")

    def up(self, name, machines):
        """Starts a simulation; `machines` by name: ``ARM`` or ``RISCV``, what its clock reads at its start, and its host if that is another."""
        lines = [f"simulation: {name}", "machines:"]
        for machine, (kind, base, *host) in machines.items():
            about = kind % (CACHE, base)
            lines.append(f"  {machine}: {about[:-1]}, host: {host[0]}}}" if host else f"  {machine}: {about}")
        manifest = self.folder / f"{name}.yaml"
        manifest.write_text("\n".join(lines) + "\n")
        self.run("up", manifest)

    def daemon_pid(self):
        return self.get("/v1/version")[1]["processID"]

    def kill_daemon(self):
        pid = self.daemon_pid()
        os.kill(pid, signal.SIGKILL)
        self.wait_for("the daemon's end", lambda: not pathlib.Path(f"/proc/{pid}").exists() or is_zombie(pid))

    def close(self):
        try:
            for simulation in self.json("ps")["simulations"]:
                self.run("down", simulation["simulation"], check=False)
            self.run("serve", "--stop", check=False)
        except (AssertionError, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
            print(f"the lab did not end by itself: {error}")
        for agent in self.agents.values():
            agent.terminate()
            agent.wait(20)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self):
        """What names this lab's folder on its command line or in its environment: its daemon and machines."""
        mark = f"{self.folder}/".encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                command = (entry / "cmdline").read_bytes()
                is_ours = b"qemu-system" in command or b"fermata" in command
                if is_ours and (mark in command or mark in (entry / "environ").read_bytes()):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_zombie(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
