#!/usr/bin/env python3
"""What `fermata checkpoint` costs, by the size of machines: how long they stand still for it, and how long a resume from it takes
beside one from what `suspend` made.

Usage: checkpoint.py [--fermata PATH] [--machines N] [--memory MIB,MIB…] [--rounds N] [--ram-folder PATH] [--only ROW,ROW…]

Rows: pause (the longest pause of N machines, by each report), resume (`resume --keep` of one machine, the whole command: from a
checkpoint made by `checkpoint`, whose RAM is in QEMU's stream and loaded whole, and from one made by `suspend`, whose RAM is a file).
Machines are Linux guests on QEMU 10.0 that fill most of their memory with noise. Their RAM is where fermata has it by default, in files
in /dev/shm, or in --ram-folder (FERMATA_RAM_FOLDER), which may be a mounted hugetlbfs. 128 MiB are the least that the guest boots in.
"""

import statistics

from lab import Lab, parser, summary, timed


def pause(options):
    print("\n## the longest pause of a checkpoint\n")
    print("| machines | median | range | saved while |\n| --- | --- | --- | --- |")
    medians = {}
    for memory in options.memory:
        with Lab(options) as bench:
            bench.up(memory, options.machines)
            longest, whiles = [], set()
            for index in range(options.rounds):
                report = bench.run("checkpoint", f"bench@c{index}")
                longest.append(max(machine["pauseNs"] for machine in report["machines"]) / 1e6)
                whiles |= {machine["savedWhile"] for machine in report["machines"]}
                # Room for the next one.
                if index > 0:
                    bench.run("rm", f"bench@c{index - 1}")
        medians[memory] = statistics.median(longest)
        print(f"| {options.machines} x {memory} MiB | {summary(longest)} | {', '.join(sorted(whiles))} |", flush=True)
    growth(medians, "the pause")


def resume(options):
    print("\n## resume --keep of one machine, the whole command\n")
    print("| memory | checkpoint made by | its RAM | median | range |\n| --- | --- | --- | --- | --- |")
    medians = {"checkpoint": {}, "suspend": {}}
    for memory in options.memory:
        spans = {"suspend": [], "checkpoint": []}
        ways = {verb: set() for verb in spans}
        with Lab(options) as bench:
            bench.up(memory)
            for index in range(options.rounds):
                for verb in ("checkpoint", "suspend"):
                    bench.run(verb, f"bench@{verb}{index}")
                # Once both are on disk, so that the copying of one is not measured with the resume of the other.
                for verb in spans:
                    bench.run("verify", f"bench@{verb}{index}")
                # The stream last: a machine that was loaded from it has RAM of its own, which the next suspend can hand over.
                for verb in spans:
                    span, report = timed(lambda: bench.run("resume", f"bench@{verb}{index}", "--keep"))
                    spans[verb].append(span)
                    ram = report["machines"][0]["ram"]
                    ways[verb].add(ram["way"] + (" (view)" if ram.get("isView") else ""))
                    if verb == "suspend":
                        bench.run("down", "bench")
                    if index > 0:
                        bench.run("rm", f"bench@{verb}{index - 1}")
        for verb in medians:
            medians[verb][memory] = statistics.median(spans[verb])
            print(f"| {memory} MiB | `{verb}` | {', '.join(sorted(ways[verb]))} | {summary(spans[verb])} |", flush=True)
    print()
    for memory in options.memory:
        ratio = medians["checkpoint"][memory] / medians["suspend"][memory]
        print(f"{memory} MiB: from what `checkpoint` made it takes {ratio:.2f} times as long as from what `suspend` made")
    for verb in medians:
        growth(medians[verb], f"a resume from what `{verb}` made")


def growth(medians, what):
    first, last = list(medians)[0], list(medians)[-1]
    if first != last:
        print(f"\nratio of {last} MiB to {first} MiB, {what}: {medians[last] / medians[first]:.2f}")


def main():
    rows = {"pause": pause, "resume": resume}
    arguments = parser(__doc__, rows)
    arguments.add_argument("--machines", type=int, default=4)
    arguments.add_argument("--memory", default="128,1024", type=lambda text: [int(size) for size in text.split(",")])
    options = arguments.parse_args()
    for name in options.only:
        rows[name](options)


if __name__ == "__main__":
    main()
