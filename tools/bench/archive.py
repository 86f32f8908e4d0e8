#!/usr/bin/env python3
"""How fast a checkpoint becomes an archive and an archive a checkpoint, beside plain `tar --zstd` of the same folder: one machine whose
RAM is half noise and half zeros, on QEMU 10.0 in a mapped-ram file.

Usage: archive.py [--fermata PATH] [--memory MIB] [--rounds N]
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

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


def timed(action):
    os.sync()
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def manifest(options, folder):
    """A RAM that QEMU loads noise into before it starts: `-device loader` puts a file anywhere."""
    noise = folder / "noise"
    half = options.memory // 2
    with open(noise, "wb") as file:
        for _ in range(half - 64):
            file.write(os.urandom(1 << 20))
    path = folder / "lab.yaml"
    path.write_text(
        "simulation: bench\nmachines:\n"
        f"  m: {{qemu: {QEMU}, machine: pc, memory: {options.memory}M, ram: mapped,"
        f" args: [-device, 'loader,file={noise},addr=0x4000000,force-raw=on']}}\n"
    )
    return path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fermata", default=str(ROOT / ".build/debug/fermata"))
    parser.add_argument("--memory", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = {"fermata export": [], "fermata import": [], "tar --zstd -Scf": [], "tar --zstd -Sxf": []}
    with tempfile.TemporaryDirectory(prefix="fermata-bench-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        here, there = folder / "here", folder / "there"
        archive, plain = folder / "bench.tar.zst", folder / "plain.tar.zst"
        try:
            fermata(options, here, "up", manifest(options, folder))
            fermata(options, here, "suspend", "bench")
            source = here / "checkpoints/bench/s1"
            for index in range(options.rounds):
                target = folder / f"unpacked{index}"
                target.mkdir()
                for file in (archive, plain):
                    file.unlink(missing_ok=True)
                rows["fermata export"].append(timed(lambda: fermata(options, here, "export", "bench@s1", archive)))
                rows["fermata import"].append(
                    timed(lambda: fermata(options, there, "import", archive, "--as", f"bench@i{index}"))
                )
                pack = ["tar", "--zstd", "-Scf", plain, "-C", source, "."]
                rows["tar --zstd -Scf"].append(timed(lambda: (subprocess.run(pack, check=True), os.sync())))
                unpack = ["tar", "--zstd", "-Sxf", plain, "-C", target]
                rows["tar --zstd -Sxf"].append(timed(lambda: (subprocess.run(unpack, check=True), os.sync())))
                fermata(options, there, "rm", f"bench@i{index}")
                subprocess.run(["rm", "-rf", target], check=True)
            state = source / "machines/m/state.qemu"
            print(f"state: {state.stat().st_size >> 20} MiB, {state.stat().st_blocks >> 11} MiB of them data")
            print(f"archive: {archive.stat().st_size >> 20} MiB; tar's: {plain.stat().st_size >> 20} MiB\n")
        finally:
            for home in (here, there):
                subprocess.run([options.fermata, "down", "bench"], env=dict(os.environ, FERMATA_HOME=str(home)))
                subprocess.run([options.fermata, "serve", "--stop"], env=dict(os.environ, FERMATA_HOME=str(home)))
    print("| | median | range | MiB of memory a second |\n| --- | --- | --- | --- |")
    for what, times in rows.items():
        median = statistics.median(times)
        print(f"| {what} | {median:.2f} s | {min(times):.2f}–{max(times):.2f} s | {options.memory / median:.0f} |")


if __name__ == "__main__":
    main()
