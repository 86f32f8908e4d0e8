"""Clients that are slow, half gone, too large, wrong or simply very busy."""

import asyncio
import contextlib
import itertools

from door import Head

GIBIBYTE = 1 << 30
PIECE = 1 << 16


class Noise:
    """So many clients of one kind, until they are cancelled."""

    kind = ""

    def __init__(self, door, count):
        self.door = door
        self.count = count
        self.ready = asyncio.Event()
        self.open = 0
        # What was answered, by status.
        self.answers = {}
        # Whatever should not have been.
        self.faults = []

    async def run(self):
        await asyncio.gather(*(self.stay(number) for number in range(self.count)))

    async def stay(self, number):
        """One client: comes back when it was let go of."""
        while True:
            # A daemon that has enough of a client ends its connection.
            with contextlib.suppress(OSError, EOFError):
                await self.one(number)
            await asyncio.sleep(0.05)

    async def one(self, number):
        raise NotImplementedError

    def arrived(self):
        self.open += 1
        if self.open >= self.count:
            self.ready.set()

    def answered(self, status):
        self.answers[status] = self.answers.get(status, 0) + 1

    def fault(self, text):
        if len(self.faults) < 20:
            self.faults.append(text)

    def result(self):
        return {"count": self.count, "connections": self.open, "answers": self.answers, "faults": self.faults}


class Silent(Noise):
    """Connected, and not even a handshake."""

    kind = "silent"

    async def one(self, number):
        reader, writer = await self.door.knock(number)
        self.arrived()
        await reader.read()
        writer.close()


class Mute(Noise):
    """Through the handshake, and then nothing."""

    kind = "mute"

    async def one(self, number):
        reader, writer = await self.door.open(number)
        self.arrived()
        await reader.read()
        writer.close()


class Dribble(Noise):
    """A request whose head comes one byte at a time."""

    kind = "dribble"

    async def one(self, number):
        _, writer = await self.door.open(number)
        self.arrived()
        for byte in itertools.chain(self.door.request("GET", "/v1/health")[:-4], itertools.repeat(ord("x"))):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.2)


class Deaf(Noise):
    """Asks for events, and reads none of them."""

    kind = "deaf"

    async def one(self, number):
        reader, writer = await self.door.open(number, limit=1024)
        writer.write(self.door.request("GET", "/v1/events"))
        await Head.read(reader)
        self.arrived()
        # What has come fills the buffers of this process, then those of the kernels, then the daemon's own.
        while not reader.at_eof() and not writer.transport.is_closing():
            await asyncio.sleep(1)
        writer.close()


class Pipeline(Noise):
    """Requests that wait for no answer: all of them are answered, in their order."""

    kind = "pipeline"
    batch = 500

    async def one(self, number):
        reader, writer = await self.door.open(number)
        self.arrived()
        while True:
            answers = asyncio.create_task(self.read(reader, self.batch))
            writer.write(pipelined(self.door, self.batch))
            await writer.drain()
            await answers

    async def read(self, reader, count):
        for wrong in [text async for text in read_pipelined(reader, count, self.answered)]:
            self.fault(wrong)


def pipelined(door, count):
    """Requests for what is there and for what is not, in turns; each of the latter says which one it is."""
    return b"".join(door.request("GET", f"/v1/nothing/{index}" if index % 2 else "/v1/health") for index in range(count))


async def read_pipelined(reader, count, answered=lambda status: None):
    """Reads the answers to that; yields what is wrong with them."""
    for index in range(count):
        head = await Head.read(reader)
        text = (await head.body(reader)).decode()
        answered(head.status)
        expected = (404, f"at /v1/nothing/{index}:") if index % 2 else (200, '"ok"')
        if head.status != expected[0] or expected[1] not in text:
            yield f"answer {index}: {head.status} {text[:200]}"


class Upload(Noise):
    """A body of a gigabyte where none is expected: refused at once, and every second sender goes on nevertheless."""

    kind = "upload"

    async def one(self, number):
        reader, writer = await self.door.open(number)
        self.arrived()
        status, _ = await upload(self.door, reader, writer, is_told=number % 4 < 2, goes_on=number % 2 == 1)
        self.answered(status)
        if status != 413:
            self.fault(f"a body of a gigabyte got {status}")


async def upload(door, reader, writer, path="/v1/gc", kind="application/json", is_told=True, goes_on=False):
    """Sends a gigabyte, until it is answered or, if it goes on, until the daemon hangs up: the status, and the bytes that got away."""
    length = {"Content-Length": GIBIBYTE} if is_told else {"Transfer-Encoding": "chunked"}
    writer.write(door.request("POST", path, {"Content-Type": kind, **length}))
    answer = asyncio.create_task(Head.read(reader))
    piece = bytes(PIECE) if is_told else b"%x\r\n%s\r\n" % (PIECE, bytes(PIECE))
    sent = 0
    try:
        while sent < GIBIBYTE and (goes_on or not answer.done()):
            writer.write(piece)
            draining = asyncio.create_task(writer.drain())
            # It may read no more, and answer.
            await asyncio.wait({draining} | (set() if goes_on else {answer}), return_when=asyncio.FIRST_COMPLETED)
            if not draining.done():
                draining.cancel()
                break
            draining.result()
            sent += PIECE
    except ConnectionError:
        # The daemon has enough of it. It has said so before.
        pass
    try:
        return (await answer).status, sent
    finally:
        writer.transport.abort()


class Strangers(Noise):
    """Who has no business here, or asks for what is no name."""

    kind = "strangers"

    def cases(self):
        """Method, path, headers, role or token, and the code of the refusal."""
        own = self.door.about["tokens"]
        post = {"Content-Length": 0}
        yield "GET", "/v1/simulations", {"Authorization": None}, None, "token-missing"
        yield "GET", "/v1/simulations", {}, "fermata_" + "0" * 64, "token-unknown"
        yield "GET", "/v1/simulations", {"Authorization": "Basic YTpi"}, None, "token-missing"
        yield "POST", "/v1/simulations/bench/suspend", post, own["view"], "role-insufficient"
        yield "POST", "/v1/simulations/bench/up", post, own["operate"], "role-insufficient"
        yield "POST", "/v1/shutdown", post, own["admin"], "local-only"
        yield "POST", "/v1/simulations/..%2f..%2fetc/suspend", post, own["admin"], "name-invalid"
        yield "POST", "/v1/simulations/a%00b/suspend", post, own["admin"], "name-invalid"
        yield "GET", "/v1/simulations/bench/checkpoints/%2e%2e", {}, own["admin"], "name-invalid"
        yield "GET", "/../../etc/passwd", {}, own["admin"], "unknown-path"

    async def one(self, number):
        reader, writer = await self.door.open(number)
        self.arrived()
        for method, path, headers, token, expected in itertools.cycle(list(self.cases())):
            writer.write(self.door.request(method, path, headers, token=token))
            head = await Head.read(reader)
            self.answered(head.status)
            if (code := await head.code(reader)) != expected:
                self.fault(f"{method} {path}: {head.status} {code}, not {expected}")


KINDS = {one.kind: one for one in (Silent, Mute, Dribble, Deaf, Pipeline, Upload, Strangers)}
