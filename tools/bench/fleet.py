#!/usr/bin/env python3
"""A suspend of a whole fleet: a real control instance, and hosts that are made up.

Each host is a stub that speaks the protocol of docs/hypervisor-openapi.yaml over mutual TLS 1.3 with a certificate of its own, at a port
of its own, and reports as many stages of each machine as a real one; it does nothing. All stubs are one process, whose processor time is
told too: it runs on the same processors as what is measured. What a machine's checkpoint looks like is taken from a real one.

Usage: fleet.py [--fermata PATH] [--qemu PATH] [--hosts N,N…] [--machines N] [--rounds N]

    --hosts     sizes of the fleet (10,100,1000)
    --machines  of each host (10)
"""

import argparse
import asyncio
import contextlib
import functools
import http.client
import json
import os
import pathlib
import resource
import secrets
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import typing

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST_PORT = 21000
MILLISECOND = 10**6
SECOND = 10**9
# What a host says it needs before it can stop its machines, and what it takes to save them.
NEEDS, SAVES = 2 * MILLISECOND, 20 * MILLISECOND
NOTHING = b"{}"


class Stub:
    """One host: what it was told, and what it answers."""

    def __init__(self, name: str, template: dict) -> None:
        self.name = name
        self.template = template
        self.operations: dict[str, dict] = {}
        # By kind: what is told, with a sign where the instant goes. Real hosts have processors of their own to write it with.
        self.written: dict[tuple[str, str], str] = {}

    def told(self, call: str, operation: dict) -> bytes:
        """A report, or the stages."""
        key = (call, operation["kind"])
        if key not in self.written:
            sample = dict(operation, at="@at@", operation="@operation@")
            if call == "report":
                self.written[key] = json.dumps(self.report(sample))
            else:
                self.written[key] = "".join("\n" + json.dumps(stage) for stage in self.stages(sample)) + "\n"
        text = self.written[key].replace('"@at@"', str(operation["at"])).replace("@operation@", operation["operation"])
        return text.encode()

    def answer(self, call: str, body: typing.Any) -> object:
        match call:
            case "time":
                now = time.time_ns()
                unknown = {"synchronised": False, "maximumError": 16 * SECOND, "estimatedError": 16 * SECOND}
                return {"arrived": now, "answered": time.time_ns(), "synchronisation": unknown}
            case "describe":
                return {"host": self.name, "architecture": "x86_64", "binaries": [], "findings": [], "kvm": False, "freeBytes": 1 << 40}
            case "prepare":
                return self.prepare(body)
            case "machines" | "undecided" | "leftovers" | "obstacles" | "verify" | "lost" | "seal" | "clocks":
                return []
            case _:
                return {}

    def prepare(self, order: dict) -> dict:
        ((kind, box),) = order.items()
        order = box["_0"]
        starts = kind == "start"
        machines = [machine["name"] for machine in order["simulation"]["machines"]] if starts else order["machines"]
        now = time.time_ns()
        handle = {
            "token": secrets.token_hex(16),
            "operation": order["operation"],
            "kind": kind,
            "simulation": order["simulation"]["name"] if starts else order["simulation"],
            "machines": machines,
            "earliest": now + NEEDS,
            "expires": now + 300 * SECOND,
        }
        if order.get("instant") is not None:
            handle["instant"] = order["instant"]
        self.operations[order["operation"]] = dict(handle, at=None)
        if starts:
            for call in ("report", "stages"):
                self.told(call, dict(handle, kind="suspend", at=0))
        return {"ready": {"_0": handle}}

    def stages(self, operation: dict) -> list[dict]:
        names = ["stop", "save", "disks", "digest"] if operation["kind"] == "suspend" else ["launch", "cont"]
        stages = [{"name": name, "startedAt": operation["at"], "duration": MILLISECOND} for name in ("prepare", "links", "sync")]
        return stages + [
            {"machine": machine, "name": name, "startedAt": operation["at"], "duration": MILLISECOND}
            for machine in operation["machines"]
            for name in names
        ]

    def report(self, operation: dict) -> dict:
        at, kind = operation["at"], operation["kind"]
        machines = []
        for name in operation["machines"]:
            report = {"name": name, "sentAt": at, "happenedAt": at, "lateness": 0, "ramIsView": False, "notes": []}
            report["stages"] = [stage for stage in self.stages(operation) if stage.get("machine") == name]
            if kind == "suspend":
                files = {key: dict(self.template[key], path=f"machines/{name}/{key}") for key in ("state", "ram") if self.template.get(key)}
                launch = dict(self.template["launch"], spec=dict(self.template["launch"]["spec"], name=name, host=self.name))
                saved = dict(self.template, **files, launch=launch, name=name, host=self.name, stoppedAtNs=at)
                report |= {"saved": saved, "clock": saved["clock"], "ramWay": saved["ramWay"], "ramBytes": 16 << 20}
            machines.append(report)
        return {"operation": operation["operation"], "kind": kind, "host": self.name, "instant": at, "outcome": {"done": {}},
                "machines": machines, "links": [], "notes": []}  # fmt: skip


class Connection(asyncio.Protocol):
    """HTTP/1.1, as much of it as the client speaks."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while (end := self.pending.find(b"\r\n\r\n")) >= 0:
            head = self.pending[:end].decode("latin-1").lower().split("\r\n")
            length = next((int(line.partition(":")[2]) for line in head if line.startswith("content-length:")), 0)
            if len(self.pending) < end + 4 + length:
                return
            body = self.pending[end + 4 : end + 4 + length]
            self.pending = self.pending[end + 4 + length :]
            self.take(head[0].split()[1].rpartition("/")[2], json.loads(body) if body else None)

    def take(self, call: str, body: object) -> None:
        if call == "execute":
            assert isinstance(body, dict)
            self.stub.operations[body["handle"]["operation"]]["at"] = body["instant"]
        if call in ("report", "stages"):
            self.later(call, body)
        else:
            self.send(json.dumps(self.stub.answer(call, body)).encode())

    def later(self, call: str, body: object) -> None:
        """Once the instant has passed and all is saved; it may not have been told the instant yet."""
        operation = self.stub.operations.get(str(body))
        loop = asyncio.get_running_loop()
        if operation is None:
            self.send(json.dumps({"reasons": [{"code": "operation-unknown", "message": "never heard of it"}]}).encode(), b"409 Conflict")
        elif operation["at"] is None or time.time_ns() < operation["at"] + SAVES:
            due = 0.005 if operation["at"] is None else (operation["at"] + SAVES - time.time_ns()) / 1e9
            loop.call_later(max(0.001, due), self.later, call, body)
        else:
            self.send(self.stub.told(call, operation))

    def send(self, body: bytes, status: bytes = b"200 OK") -> None:
        kind = b"application/json"
        self.transport.write(b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (status, kind, len(body), body))


async def serve(folder: pathlib.Path, names: list[str]) -> None:
    template = json.loads((folder / "template.json").read_text())
    loop = asyncio.get_running_loop()
    for index, name in enumerate(names):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "desk/pki/ca.pem")
        context.load_cert_chain(folder / "own" / f"{name}.pem")
        stub = Stub(name, template)
        await loop.create_server(functools.partial(Connection, stub), "127.0.0.1", FIRST_PORT + index, ssl=context, backlog=64)
    print("ready", flush=True)
    await asyncio.Event().wait()


class Control:
    """The control instance, by its socket and by its command line."""

    def __init__(self, options: argparse.Namespace, folder: pathlib.Path) -> None:
        self.options = options
        self.home = folder / "desk"
        self.environment = dict(os.environ, FERMATA_HOME=str(self.home), FERMATA_CLOCK_ERROR="1h")

    def fermata(self, *words: object) -> tuple[dict, dict[str, float]]:
        """The result, and when each phase was heard of, in seconds from the start of the command."""
        phases: dict[str, float] = {}
        began = time.monotonic()
        command = [self.options.fermata, *map(str, words), "--json"]
        last = "{}"
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                last = line if line.strip() else last
                if line.startswith('{"') and '"phase"' in line[:400]:
                    event = json.loads(line)
                    if event.get("event") == "phase":
                        phases.setdefault(event["phase"], time.monotonic() - began)
        phases["end"] = time.monotonic() - began
        if process.returncode != 0:
            reasons = json.loads(last).get("reasons", last)
            raise SystemExit(f"fermata {' '.join(map(str, words))}: {str(reasons)[:2000]}")
        return json.loads(last), phases

    def post(self, path: str, body: dict) -> None:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.home / "control.sock"))
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"POST {path}: {answer.status} {text[:1000]!r}")
        connection.close()

    @property
    def process(self) -> int:
        return int((self.home / "daemon.lock").read_text())


def processor_time(process: int) -> float:
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """The most that it ever had, in MiB."""
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def manifest(name: str, options: argparse.Namespace, hosts: list[str]) -> str:
    machine = f"qemu: {options.qemu}, machine: pc, memory: 16M"
    machines = [f"  {host}-m{index}: {{{machine}, host: {host}}}" for host in hosts for index in range(options.machines)]
    return "\n".join([f"simulation: {name}", "machines:", *machines, ""])


def make_template(control: Control, folder: pathlib.Path, options: argparse.Namespace) -> None:
    """A machine of a real checkpoint, as this version of fermata has it."""
    (folder / "one.yaml").write_text(f"simulation: one\nmachines:\n  m: {{qemu: {options.qemu}, machine: pc, memory: 16M}}\n")
    control.fermata("up", folder / "one.yaml")
    control.fermata("suspend", "one@s")
    saved = json.loads((control.home / "checkpoints/one/s/checkpoint.json").read_text())
    (folder / "template.json").write_text(json.dumps(saved["machines"][0]))
    control.fermata("down", "one")


def make_hosts(control: Control, folder: pathlib.Path, names: list[str]) -> None:
    (folder / "own").mkdir(exist_ok=True)
    for name in names:
        trust = folder / "trust" / name
        trust.parent.mkdir(exist_ok=True)
        control.fermata("pki", "issue", "hypervisor", name, "--out", trust)
        os.rename(trust / f"{name}.pem", folder / "own" / f"{name}.pem")


def measure(control: Control, folder: pathlib.Path, options: argparse.Namespace, size: int, stubs: int) -> list[str]:
    hosts = [f"h{index}" for index in range(size)]
    name = f"fleet{size}"
    (folder / f"{name}.yaml").write_text(manifest(name, options, hosts))
    rows: dict[str, list[float]] = {key: [] for key in ("all", "prepare", "arm", "results", "commit", "own", "stubs")}
    for index in range(options.rounds):
        control.fermata("up", folder / f"{name}.yaml")
        before = processor_time(control.process), processor_time(stubs)
        result, phases = control.fermata("suspend", f"{name}@s{index}")
        assert len(result["machines"]) == size * options.machines
        rows["own"].append(processor_time(control.process) - before[0])
        rows["stubs"].append(processor_time(stubs) - before[1])
        rows["prepare"].append(phases["prepared"] - phases["preparing"])
        rows["arm"].append(phases["happened"] - phases["armed"])
        rows["results"].append(phases["deciding"] - phases["happened"])
        rows["commit"].append(phases["end"] - phases["deciding"])
        rows["all"].append(phases["end"])
        print(f"{size} hosts, round {index + 1}: {phases}", file=sys.stderr, flush=True)
        control.fermata("down", name)
    cells = [f"{statistics.median(rows[key]):.2f} s" for key in rows]
    return [str(size), str(size * options.machines), *cells, f"{memory(control.process):.0f} MiB"]


def run(options: argparse.Namespace, folder: pathlib.Path) -> None:
    control = Control(options, folder)
    sizes = [int(size) for size in options.hosts.split(",")]
    names = [f"h{index}" for index in range(max(sizes))]
    stubs = None
    try:
        control.fermata("pki", "init")
        control.fermata("pki", "issue", "control", "desk")
        make_template(control, folder, options)
        began = time.monotonic()
        make_hosts(control, folder, names)
        print(f"{len(names)} certificates in {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
        stubs = subprocess.Popen([sys.executable, __file__, "--serve", folder, "--hosts", str(len(names))], stdout=subprocess.PIPE, text=True)
        assert stubs.stdout is not None and stubs.stdout.readline() == "ready\n"
        rows, known = [], 0
        for size in sizes:
            began = time.monotonic()
            for index in range(known, size):
                control.post("/v1/hosts", {"name": names[index], "address": f"127.0.0.1:{FIRST_PORT + index}", "labels": {}})
            print(f"{size - known} hosts added in {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
            known = max(known, size)
            rows.append(measure(control, folder, options, size, stubs.pid))
    finally:
        with contextlib.suppress(SystemExit):
            control.fermata("serve", "--stop")
        if stubs is not None:
            stubs.kill()
            stubs.wait()
    print("| hosts | machines | all of it | prepare | until saved | results | commit | control instance's processor | the stubs' | most memory |")
    print("|" + " --- |" * 10)
    for row in rows:
        print(f"| {' | '.join(row)} |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fermata", default=str(ROOT / ".build/debug/fermata"))
    parser.add_argument("--qemu", default="/usr/bin/qemu-system-x86_64")
    parser.add_argument("--hosts", default="10,100,1000")
    parser.add_argument("--machines", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.serve:
        asyncio.run(serve(options.serve, [f"h{index}" for index in range(int(options.hosts))]))
        return
    with tempfile.TemporaryDirectory(prefix="fermata-fleet-") as folder:
        run(options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
