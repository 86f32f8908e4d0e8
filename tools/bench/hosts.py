#!/usr/bin/env python3
"""Machines on three hosts against the same machines on one: how far apart they stop, and what two phases over a network cost.

Each host is a network namespace with an agent in it (tools/hosts; needs root). All share this machine's processors and its clock, whose
offset the control instance measures all the same. Suspends of both kinds take turns. What control instance and agents say to each other
is late by a fixed time: by `netem` where the kernel has it, which delays all of the network, else by a relay before each agent.

Usage: hosts.py [--fermata PATH] [--rounds N] [--machines N] [--delay MS]

    --machines  of each host (4)
    --delay     of each message, one way (1 ms)
"""

import argparse
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools/hosts"))
HOSTS = 3


def measure(lab, options):
    from hostlab import QEMU

    spreads, bounds, overheads = {"one": [], "three": []}, [], []
    for name, host in (("one", lambda index: ""), ("three", lambda index: f", host: h{index % HOSTS}")):
        machines = "".join(
            f"  m{index}: {{qemu: {QEMU}/qemu-system-x86_64, machine: pc, memory: 16M{host(index)}}}\n"
            for index in range(HOSTS * options.machines)
        )
        lab.up(name, f"simulation: {name}\nmachines:\n{machines}")
    for index in range(options.rounds):
        for name in spreads:
            answer = lab.done("suspend", f"{name}@s{index}", "--sealed")
            report = answer.result
            spreads[name].append(report["spreadNs"] / 1e6)
            if name == "three":
                bounds.append(report["clockErrorBoundNs"] / 1e6)
                prepare = max(stage["durationNs"] for stage in report["stages"] if stage["name"] == "prepare")
                heard = {line["phase"]: line["heardAt"] for line in reversed(answer.lines) if line.get("event") == "phase"}
                overheads.append((heard["armed"] - heard["preparing"]) * 1e3 - prepare / 1e6)
            lab.done("resume", name)
            if index > 0:
                lab.done("rm", f"{name}@s{index - 1}")
    return spreads, bounds, overheads


def median(values):
    return f"{statistics.median(values):.2f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fermata", default=str(ROOT / ".build/debug/fermata"))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--machines", type=int, default=4)
    parser.add_argument("--delay", type=float, default=1)
    options = parser.parse_args()
    os.environ["FERMATA"] = options.fermata
    import hostlab
    import spaces

    if reason := spaces.why_not():
        raise SystemExit(reason)
    with hostlab.HostLab(HOSTS) as lab:
        kernel = options.delay and lab.switch.has_netem()
        relayed = options.delay and not kernel
        lab.start(dict.fromkeys([host.name for host in lab.hosts], options.delay) if relayed else None)
        for host in lab.hosts:
            if kernel:
                lab.switch.impair(host.name, "delay", f"{2 * options.delay}ms")
        spreads, bounds, overheads = measure(lab, options)
    where = "no delay" if not options.delay else f"{options.delay:g} ms apart by {'netem' if kernel else 'a relay, since this kernel has no netem'}"
    count = HOSTS * options.machines
    print(f"| {count} machines | spread of their stops, median | largest |\n| --- | --- | --- |")
    for name, place in (("one", "one host"), ("three", f"{HOSTS} hosts, {where}")):
        print(f"| {place} | {median(spreads[name])} ms | {max(spreads[name]):.2f} ms |")
    ratio = statistics.median(spreads["three"]) / statistics.median(spreads["one"])
    limit = statistics.median(bounds) + 1.5 * statistics.median(spreads["one"])
    print(f"\nratio of the medians: {ratio:.2f}")
    print(f"bound of the clocks, median: {median(bounds)} ms; with 1.5 times the spread of one host: {limit:.2f} ms")
    print(f"from prepare to armed beyond the slowest host's own prepare, median: {median(overheads)} ms, largest {max(overheads):.2f} ms")


if __name__ == "__main__":
    main()
