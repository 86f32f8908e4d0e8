#!/usr/bin/env python3
"""What clients of the API cost, and what they cost the machines: a suspend's lateness alone and beside a thousand listeners and
clients that are slow, half gone, too large and very busy, in turns of one run; memory; requests on one connection.

Usage: api-load.py [--fermata PATH] [--rounds N] [--machines N] [--listeners N] [--only ROW,ROW…]

Rows: suspend (lateness and spread by the reports, which are QEMU's own stamps), listeners (memory of the daemon, by their number, over
the socket and over TLS; how long until all have heard of an operation), pipeline (10,000 requests on one connection), body (a body of 1 GiB). Machines are
bare-metal guests of two architectures. Clients are processes of their own on the same processors as all that is measured (tools/load).
"""

import argparse
import asyncio
import os
import pathlib
import signal
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/load"))

MIB = 1 << 20
REQUESTS = 10_000
NOISE = {"silent": 50, "mute": 50, "dribble": 50, "deaf": 20, "pipeline": 2, "upload": 2, "strangers": 2}


def cells(values, unit):
    return f"{statistics.median(values):.0f} {unit} | {min(values):.0f} to {max(values):.0f} {unit}"


def suspend(lab, options):
    print("\n## suspends beside clients\n")
    late, spread = {}, {}

    def rounds(name):
        for _ in range(options.rounds):
            report = lab.suspend_round("bench")
            late.setdefault(name, []).append(max(machine["latenessNs"] for machine in report["machines"]) / 1000)
            spread.setdefault(name, []).append(report["spreadNs"] / 1000)

    lab.forget_peak()
    before, _ = lab.memory()
    rounds("nobody")
    with CrowdProcess(lab, listeners=options.listeners) as crowd:
        rounds(f"{options.listeners} listeners")
        with CrowdProcess(lab, noise=NOISE) as noise:
            rounds("and the others")
            made = noise.result()["noise"]
        crowd.until(lab.still())
        heard = crowd.result()["listeners"]
    rounds("nobody again")
    now, most = lab.memory()
    print("| clients | latest machine, median | range | spread, median | range |\n| --- | --- | --- | --- | --- |")
    for name in late:
        print(f"| {name} | {cells(late[name], 'µs')} | {cells(spread[name], 'µs')} |")
    wrong = {name: heard[name] for name in ("gaps", "resets", "losses", "different")}
    print(f"\n{heard['events']} events to each listener; {wrong}; memory {before:.0f} MiB, at most {most:.0f}, then {now:.0f}")
    for kind, one in made.items():
        print(f"{kind}: {one['count']} clients, {one['connections']} connections, answers {one['answers']}, faults {one['faults']}")


def listeners(lab, options):
    print("\n## listeners\n\n| door | listeners | until all are there | until all have heard of a checkpoint | daemon's memory |")
    print("| --- | --- | --- | --- | --- |")
    for way in ("socket", "tls"):
        for count in (1, options.listeners // 4, options.listeners):
            before, _ = lab.memory()
            begun = time.monotonic()
            with CrowdProcess(lab, listeners=count, way=way) as crowd:
                there = time.monotonic()
                report = lab.operate("checkpoint", "bench")
                done = time.monotonic()
                crowd.until(lab.last_change())
                heard = time.monotonic()
                now, _ = lab.memory()
            assert report["outcome"] == "done", report
            lab.ask("DELETE", f"/v1/simulations/bench/checkpoints/{report['checkpoint']}")
            print(f"| {way} | {count} | {there - begun:.1f} s | {heard - done:.2f} s behind its end | {before:.0f} to {now:.0f} MiB |", flush=True)


def pipeline(lab, options):
    print(f"\n## {REQUESTS} requests on one connection, answered in order\n\n| door | median | range |\n| --- | --- | --- |")

    async def ask(way):
        door = Door(lab.doors(), way)
        reader, writer = await door.open(limit=MIB)
        writer.write(pipelined(door, REQUESTS))
        begun = time.monotonic()
        wrong = [text async for text in read_pipelined(reader, REQUESTS)]
        writer.close()
        assert wrong == [], wrong[:3]
        return time.monotonic() - begun

    for way in ("socket", "tls"):
        rates = [REQUESTS / asyncio.run(ask(way)) for _ in range(options.rounds)]
        print(f"| {way} | {cells(rates, 'a second')} |", flush=True)


def body(lab, options):
    print("\n## a body of 1 GiB that is refused, and sent on nevertheless\n")
    print("| door | status | sent until the daemon hung up, median | the daemon's memory: before, at most, then |\n| --- | --- | --- | --- |")

    async def send(way):
        door = Door(lab.doors(), way)
        return await upload(door, *await door.open(), goes_on=True)

    for way in ("socket", "tls"):
        lab.forget_peak()
        before, _ = lab.memory()
        answers = [asyncio.run(send(way)) for _ in range(options.rounds)]
        now, most = lab.memory()
        statuses = ", ".join(sorted({str(status) for status, _ in answers}))
        sent = statistics.median(sent for _, sent in answers) / MIB
        print(f"| {way} | {statuses} | {sent:.1f} MiB | {before:.0f}, {most:.0f}, {now:.0f} MiB |")


ROWS = {"suspend": suspend, "listeners": listeners, "pipeline": pipeline, "body": body}


def main():
    # A kill ends the script as Ctrl-C does, and leaves nothing behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    lab = ServedLab()
    try:
        lab.begin("bench", options.machines)
        # The leads of the instant are learnt from the first ones.
        for _ in range(3):
            lab.suspend_round("bench")
        for name in options.only:
            ROWS[name](lab, options)
    finally:
        lab.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--fermata", default=str(ROOT / ".build/debug/fermata"))
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--machines", type=int, default=4)
    arguments.add_argument("--listeners", type=int, default=1000)
    arguments.add_argument("--only", default=list(ROWS), type=lambda text: text.split(","))
    options = arguments.parse_args()
    os.environ["FERMATA_BINARY"] = options.fermata

    from crowds import CrowdProcess
    from door import Door
    from noise import pipelined, read_pipelined, upload
    from served import ServedLab

    main()
