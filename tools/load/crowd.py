#!/usr/bin/env python3
"""Many clients of one daemon, well-behaved ones and others, as a process of their own. The first line of its input is a plan, JSON:

    {"door": {"socket", "port", "authority", "token", "tokens", "listeners"}, "way": "socket" | "tls", "listeners": N, "noise": {KIND: N, …}}

It says `{"ready": true}` when all of them are there. Then it obeys lines: `cut` (every second listener loses its connection, and comes
back behind the last event that it saw), `until ID` (waits until every listener has seen that event). At the end of its input it tells,
as JSON, what they saw, and ends.

Kinds of noise (noise.py): silent, mute, dribble, deaf, pipeline, upload, strangers.
"""

import asyncio
import contextlib
import json
import sys

import noise
from door import Door, Head

# As many handshakes at a time; a crowd that comes all at once is served no sooner.
AT_ONCE = 32
PATIENCE = 240


class Listener:
    """One client of /v1/events, which comes back when its connection is lost."""

    # What all of them heard, by id: the same for everybody.
    told = {}

    def __init__(self, door, number):
        self.door = door
        self.number = number
        self.last = None
        self.writer = None
        self.is_cut = False
        self.ready = asyncio.Event()
        self.heard = self.gaps = self.resets = self.losses = self.different = self.returns = self.attempts = 0

    async def run(self, gate):
        while True:
            async with gate:
                try:
                    reader, self.writer = await self.door.open(self.number)
                    resume = {"Last-Event-ID": self.last} if self.last else {}
                    self.writer.write(self.door.request("GET", "/v1/events", resume, token=self.door.listener_token(self.number)))
                    head = await Head.read(reader)
                except (OSError, EOFError):
                    # A daemon that is very busy does not wait for ever for the end of a handshake: one comes again.
                    self.attempts += 1
                    await asyncio.sleep(0.2)
                    continue
                if head.status != 200:
                    raise AssertionError(f"a listener got {head.status}: {await head.body(reader)!r}")
            try:
                await self.listen(reader)
            except (OSError, EOFError):
                pass
            # The end of the stream, or of the connection.
            self.writer.transport.abort()
            if self.is_cut:
                self.is_cut = False
                self.returns += 1
            else:
                self.losses += 1

    async def listen(self, reader):
        text = b""
        while size := int(await reader.readline() or b"0", 16):
            text += (await reader.readexactly(size + 2))[:-2]
            *frames, text = text.split(b"\n\n")
            for frame in frames:
                self.take(frame)

    def take(self, frame):
        fields = dict(line.split(b": ", 1) for line in frame.split(b"\n") if b": " in line)
        if b"id" not in fields:
            return  # a heartbeat
        name = fields[b"id"].decode()
        if fields.get(b"event") == b"reset":
            self.resets += self.last is not None
        else:
            self.heard += 1
            self.gaps += self.last is not None and number(name) != number(self.last) + 1
            self.different += self.told.setdefault(name, frame) != frame
        self.last = name
        self.ready.set()

    def cut(self):
        self.is_cut = True
        self.writer.transport.abort()


def number(name):
    return int(name.rsplit("-", 1)[1])


class Crowd:
    def __init__(self, plan):
        door = Door(plan["door"], plan.get("way", "tls"))
        gate = asyncio.Semaphore(AT_ONCE)
        self.listeners = [Listener(door, index) for index in range(plan.get("listeners", 0))]
        self.tasks = [asyncio.create_task(one.run(gate)) for one in self.listeners]
        self.noise = [noise.KINDS[kind](door, count) for kind, count in plan.get("noise", {}).items()]
        self.tasks += [asyncio.create_task(one.run()) for one in self.noise]

    async def ready(self):
        waiting = [one.ready.wait() for one in self.listeners] + [one.ready.wait() for one in self.noise]
        all_there = asyncio.ensure_future(asyncio.gather(*waiting))
        await asyncio.wait([all_there, *self.tasks], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        self.check()
        if not all_there.done():
            all_there.cancel()
            raise AssertionError(f"{sum(not one.ready.is_set() for one in self.listeners)} listeners did not come in")

    def check(self):
        """Whoever failed says so."""
        for task in self.tasks:
            if task.done():
                task.result()

    async def obey(self, words):
        match words:
            case ["cut"]:
                for listener in self.listeners[::2]:
                    listener.cut()
            case ["until", last]:
                deadline = asyncio.get_running_loop().time() + PATIENCE
                while behind := [one for one in self.listeners if one.last is None or number(one.last) < number(last)]:
                    self.check()
                    if asyncio.get_running_loop().time() > deadline:
                        raise AssertionError(f"{len(behind)} listeners never saw {last}, one only {behind[0].last}")
                    await asyncio.sleep(0.1)
            case _:
                raise AssertionError(f"not understood: {words}")

    def result(self):
        self.check()
        names = ("heard", "gaps", "resets", "losses", "different", "returns", "attempts")
        listeners = {name: sum(getattr(one, name) for one in self.listeners) for name in names}
        return {
            "listeners": dict(listeners, count=len(self.listeners), events=len(Listener.told)),
            "noise": {one.kind: one.result() for one in self.noise},
        }


async def main():
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    crowd = Crowd(json.loads(await lines.readline()))
    try:
        await crowd.ready()
        print(json.dumps({"ready": True}), flush=True)
        while line := await lines.readline():
            await crowd.obey(line.decode().split())
            print(json.dumps({"done": line.decode().strip()}), flush=True)
        print(json.dumps(crowd.result()), flush=True)
    finally:
        for task in crowd.tasks:
            task.cancel()
        with contextlib.suppress(Exception):
            await asyncio.wait(crowd.tasks, timeout=5)


if __name__ == "__main__":
    asyncio.run(main())
