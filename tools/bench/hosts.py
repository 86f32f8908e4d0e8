#!/usr/bin/env python3
"""Machines on three hosts against the same machines on one: how far apart they stop, and what two phases over a network cost.

Each host is a network namespace with an agent in it, joined to this one by a veth pair with a delay (`ip`, `tc`; needs root). All share
this machine's processors and its clock, whose offset the control instance measures all the same. Suspends of both kinds take turns.

Usage: hosts.py [--fermata PATH] [--rounds N] [--machines N] [--delay MS]

    --machines  of each host (4)
    --delay     of each message, one way (1 ms)
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
QEMU = ROOT / ".cache/qemu-10.0/bin/qemu-system-x86_64"
HOSTS = 3


def sh(*arguments, check=True):
    return subprocess.run([str(word) for word in arguments], check=check, capture_output=True, text=True)


class Lab:
    def __init__(self, options, folder):
        self.options = options
        self.folder = pathlib.Path(folder)
        self.desk = self.folder / "desk"
        self.agents = []
        self.spaces = []

    def environment(self, home):
        return dict(os.environ, FERMATA_HOME=str(home), FERMATA_CLOCK_ERROR="1s")

    def fermata(self, *arguments):
        """The result, and when each phase was heard of, in seconds."""
        phases = {}
        process = subprocess.Popen(
            [self.options.fermata, *map(str, arguments), "--json"],
            env=self.environment(self.desk),
            stdout=subprocess.PIPE,
            text=True,
        )
        last = "{}"
        for line in process.stdout:
            now = time.monotonic()
            last = line if line.strip() else last
            event = json.loads(line)
            if event.get("event") == "phase":
                phases.setdefault(event["phase"], now)
        if process.wait() != 0:
            raise SystemExit(f"fermata {' '.join(map(str, arguments))}: {last}")
        return json.loads(last), phases

    def space(self, index):
        name = f"fermata-{os.getpid()}-{index}"
        near, far = f"fb{index}n{os.getpid() % 10000}", f"fb{index}f{os.getpid() % 10000}"
        sh("ip", "netns", "add", name)
        self.spaces.append(name)
        sh("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        sh("ip", "address", "add", f"10.177.{index}.1/24", "dev", near)
        sh("ip", "link", "set", near, "up")
        sh("ip", "-n", name, "address", "add", f"10.177.{index}.2/24", "dev", far)
        sh("ip", "-n", name, "link", "set", far, "up")
        sh("ip", "-n", name, "link", "set", "lo", "up")
        delay = ["root", "netem", "delay", f"{self.options.delay}ms"]
        if self.options.delay and sh("tc", "qdisc", "add", "dev", near, *delay, check=False).returncode != 0:
            print("this kernel has no netem: without a delay")
            self.options.delay = 0
        elif self.options.delay:
            sh("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", far, *delay)
        return name, f"10.177.{index}.2:7443"

    def start(self):
        self.fermata_plain("pki", "init")
        self.fermata_plain("pki", "issue", "control", "desk")
        for index in range(HOSTS):
            name, address = self.space(index)
            home = self.folder / f"host{index}"
            home.mkdir(mode=0o700)
            self.fermata_plain("pki", "issue", "hypervisor", f"host{index}", "--out", home / "trust")
            log = open(self.folder / f"host{index}.log", "wb")
            agent = [self.options.fermata, "agent", "--listen", address, "--qemu", f"{QEMU.parent}/"]
            self.agents.append(
                subprocess.Popen(
                    ["ip", "netns", "exec", name, *agent], env=self.environment(home), stdout=log, stderr=log
                )
            )
            for _ in range(100):
                time.sleep(0.1)
                if b"ready" in (self.folder / f"host{index}.log").read_bytes():
                    break
            self.fermata_plain("host", "add", f"host{index}", address)
        for name, host in (("one", lambda index: ""), ("three", lambda index: f", host: host{index % HOSTS}")):
            machines = "".join(
                f"  m{index}: {{qemu: {QEMU}, machine: pc, memory: 16M{host(index)}}}\n"
                for index in range(HOSTS * self.options.machines)
            )
            (self.folder / f"{name}.yaml").write_text(f"simulation: {name}\nmachines:\n{machines}")

    def fermata_plain(self, *arguments):
        answer = subprocess.run(
            [self.options.fermata, *map(str, arguments)], env=self.environment(self.desk), capture_output=True, text=True
        )
        if answer.returncode != 0:
            raise SystemExit(f"fermata {' '.join(map(str, arguments))}: {answer.stdout}{answer.stderr}")

    def clear(self):
        for name in ("one", "three"):
            with contextlib.suppress(SystemExit):
                self.fermata_plain("down", name)
        with contextlib.suppress(SystemExit):
            self.fermata_plain("serve", "--stop")
        for agent in self.agents:
            agent.terminate()
            agent.wait(20)
        for name in self.spaces:
            sh("ip", "netns", "delete", name, check=False)


def median(values):
    return f"{statistics.median(values):.2f}"


def measure(lab, options):
    spreads, bounds = {"one": [], "three": []}, []
    overheads = []
    for name in spreads:
        lab.fermata("up", lab.folder / f"{name}.yaml")
    for index in range(options.rounds):
        for name in spreads:
            report, phases = lab.fermata("suspend", f"{name}@s{index}", "--sealed")
            spreads[name].append(report["spreadNs"] / 1e6)
            if name == "three":
                bounds.append(report["clockErrorBoundNs"] / 1e6)
                prepare = max(stage["durationNs"] for stage in report["stages"] if stage["name"] == "prepare")
                overheads.append((phases["armed"] - phases["preparing"]) * 1e3 - prepare / 1e6)
            lab.fermata("resume", name)
            lab.fermata("rm", f"{name}@s{index - 1}") if index > 0 else None
    return spreads, bounds, overheads


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fermata", default=str(ROOT / ".build/debug/fermata"))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--machines", type=int, default=4)
    parser.add_argument("--delay", type=float, default=1)
    options = parser.parse_args()
    for tool in ("ip", "tc"):
        if shutil.which(tool) is None or os.geteuid() != 0:
            raise SystemExit(f"needs {tool} (Debian: iproute2) and root: hosts are network namespaces here")
    with tempfile.TemporaryDirectory(prefix="fermata-bench-") as folder:
        lab = Lab(options, folder)
        try:
            lab.start()
            spreads, bounds, overheads = measure(lab, options)
        finally:
            lab.clear()
    count = HOSTS * options.machines
    print(f"| {count} machines | spread of their stops, median | largest |\n| --- | --- | --- |")
    for name, where in (("one", "one host"), ("three", f"{HOSTS} hosts, {options.delay:g} ms apart")):
        print(f"| {where} | {median(spreads[name])} ms | {max(spreads[name]):.2f} ms |")
    limit = statistics.median(bounds) + 1.5 * statistics.median(spreads["one"])
    print(f"\nbound of the clocks, median: {median(bounds)} ms; with 1.5 times the spread of one host: {limit:.2f} ms")
    print(f"from prepare to armed beyond the slowest host's own prepare, median: {median(overheads)} ms, largest {max(overheads):.2f} ms")


if __name__ == "__main__":
    main()
