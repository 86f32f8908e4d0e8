#!/usr/bin/env python3
"""How long machines stand still for `fermata checkpoint`, by their size: the pause that each report tells, of machines whose RAM is
all touched, on QEMU 10.0.

Usage: checkpoint.py [--fermata PATH] [--machines N] [--memory MIB,MIB…] [--rounds N] [--ram anonymous|FOLDER]

With a folder the RAM is in files there that QEMU shares: /dev/shm, or where a hugetlbfs is mounted.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
QEMU = ROOT / ".cache/qemu-10.0/bin/qemu-system-x86_64"


def fermata(options, home, *arguments):
    answer = subprocess.run(
        [options.fermata, *map(str, arguments), "--json"],
        env=dict(os.environ, FERMATA_HOME=str(home)),
        capture_output=True,
        text=True,
    )
    if answer.returncode != 0:
        raise SystemExit(f"fermata {' '.join(map(str, arguments))}: {answer.stdout}{answer.stderr}")
    return json.loads(answer.stdout.strip().splitlines()[-1])


def ram(options, memory, folder, index):
    """Arguments with which every page is touched, so that none is left out for being empty."""
    if options.ram == "anonymous":
        return "-mem-prealloc"
    file = f"{options.ram}/{pathlib.Path(folder).name}-{index}"
    backend = f"memory-backend-file,id=ram,size={memory}M,mem-path={file},share=on,prealloc=on,discard-data=on"
    return f'-object, "{backend}", -machine, memory-backend=ram'


def pauses(options, memory):
    """Of each round: the longest pause of a machine, in milliseconds; and what the machines did meanwhile."""
    with tempfile.TemporaryDirectory(prefix="fermata-bench-") as folder:
        home = pathlib.Path(folder) / "home"
        manifest = pathlib.Path(folder) / "lab.yaml"
        machines = "".join(
            f"  m{index}: {{qemu: {QEMU}, machine: pc, memory: {memory}M, args: [{ram(options, memory, folder, index)}]}}\n"
            for index in range(options.machines)
        )
        manifest.write_text(f"simulation: bench\nmachines:\n{machines}")
        try:
            fermata(options, home, "up", manifest)
            longest, whiles = [], set()
            for index in range(options.rounds):
                report = fermata(options, home, "checkpoint", f"bench@c{index}")
                longest.append(max(machine["pauseNs"] for machine in report["machines"]) / 1e6)
                whiles |= {machine["savedWhile"] for machine in report["machines"]}
                # Room for the next one.
                if index > 0:
                    fermata(options, home, "rm", f"bench@c{index - 1}")
            return longest, whiles
        finally:
            fermata(options, home, "down", "bench")
            fermata(options, home, "serve", "--stop")
            for file in pathlib.Path(options.ram).glob(f"{pathlib.Path(folder).name}-*"):
                file.unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fermata", default=str(ROOT / ".build/debug/fermata"))
    parser.add_argument("--machines", type=int, default=4)
    parser.add_argument("--memory", default="128,1024", type=lambda text: [int(size) for size in text.split(",")])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--ram", default="anonymous")
    options = parser.parse_args()
    medians = {}
    print("| machines | median of the longest pause | largest | saved while |\n| --- | --- | --- | --- |")
    for memory in options.memory:
        longest, whiles = pauses(options, memory)
        medians[memory] = statistics.median(longest)
        print(
            f"| {options.machines} x {memory} MiB | {medians[memory]:.1f} ms | {max(longest):.1f} ms |"
            f" {', '.join(sorted(whiles))} |"
        )
    first, last = medians[options.memory[0]], medians[options.memory[-1]]
    print(f"\nratio of the last to the first: {last / first:.2f}")


if __name__ == "__main__":
    main()
