"""Requests that are many, or large, or never end."""

import asyncio
import time

import pytest

from crowds import CrowdProcess
from door import Door
from noise import pipelined, read_pipelined, upload

MIB = 1 << 20
REQUESTS = 10_000


@pytest.mark.parametrize("way", ["socket", "tls"])
def test_ten_thousand_requests_on_one_connection_are_answered_in_their_order(lab, way):
    async def ask():
        door = Door(lab.doors(), way)
        reader, writer = await door.open(limit=MIB)

        async def send():
            writer.write(pipelined(door, REQUESTS))
            await writer.drain()

        sending = asyncio.create_task(send())
        statuses = []
        wrong = [text async for text in read_pipelined(reader, REQUESTS, statuses.append)]
        await sending
        writer.close()
        return statuses, wrong

    begun = time.monotonic()
    statuses, wrong = asyncio.run(ask())
    assert wrong == []
    assert len(statuses) == REQUESTS
    print(f"{way}: {REQUESTS} requests in {time.monotonic() - begun:.1f} s")


def send_a_gigabyte(lab, way, **options):
    """Status, how much of it got away and the most memory that the daemon took more for it than it had, both in MiB."""

    async def send():
        door = Door(lab.doors(), way)
        return await upload(door, *await door.open(), **options)

    lab.forget_peak()
    before, _ = lab.memory()
    status, sent = asyncio.run(send())
    _, most = lab.memory()
    print(f"{status}, {sent // MIB} MiB sent; the daemon had {before:.0f} MiB, and {most - before:.0f} more at most")
    return status, sent // MIB, most - before


@pytest.mark.parametrize("path", ["/v1/gc", "/v1/simulations/bench/suspend", "/v1/import"])
@pytest.mark.parametrize("is_told", [True, False], ids=["announced", "in chunks"])
def test_a_body_of_a_gigabyte_is_refused_early_and_takes_no_memory(lab, path, is_told):
    # An archive may be of any length: this is none, which its first bytes tell.
    kind, refusal = ("application/zstd", (400, 422)) if path == "/v1/import" else ("application/json", (413,))
    status, sent, grown = send_a_gigabyte(lab, "tls", path=path, kind=kind, is_told=is_told)
    assert status in refusal
    assert sent < 64
    assert grown < 64


@pytest.mark.parametrize("way", ["socket", "tls"])
def test_who_goes_on_sending_in_spite_of_the_refusal_takes_no_memory(lab, way):
    status, _, grown = send_a_gigabyte(lab, way, goes_on=True)
    assert status == 413
    assert grown < 64


def test_clients_that_say_nothing_or_little_keep_nobody_waiting(lab):
    with CrowdProcess(lab, noise={"silent": 100, "mute": 100, "dribble": 50}) as crowd:
        for role in lab.tokens:
            assert lab.ask("GET", "/v1/simulations", token=role)[0] == 200
        result = crowd.result()["noise"]
    assert [one["faults"] for one in result.values()] == [[], [], []]
