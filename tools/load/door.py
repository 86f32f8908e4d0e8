"""HTTP/1.1 by hand, for clients that do what no HTTP library does."""

import asyncio
import json
import ssl

# So many clients come from one address, and with one token: the daemon takes only so many (docs/api.md).
TOGETHER = 50


class Door:
    """How one gets to the daemon: its socket, or TLS with a token."""

    def __init__(self, about, way):
        self.about = about
        self.way = way
        self.context = None
        if way == "tls":
            self.context = ssl.create_default_context(cafile=about["authority"])
        self.host = f"localhost:{about['port']}"

    async def open(self, number=0, limit=1 << 16, **options):
        if self.way == "socket":
            return await asyncio.open_unix_connection(self.about["socket"], limit=limit)
        return await asyncio.open_connection(
            "127.0.0.1", self.about["port"], ssl=self.context, server_hostname="localhost", limit=limit,
            local_addr=(self.address(number), 0), ssl_handshake_timeout=240, **options,
        )

    async def knock(self, number=0):
        """A connection without TLS, where there should be some."""
        if self.way == "socket":
            return await asyncio.open_unix_connection(self.about["socket"])
        return await asyncio.open_connection("127.0.0.1", self.about["port"], local_addr=(self.address(number), 0))

    @staticmethod
    def address(number):
        return f"127.0.0.{2 + number // TOGETHER % 200}"

    def listener_token(self, number):
        tokens = self.about["listeners"]
        return tokens[number // TOGETHER % len(tokens)]

    def request(self, method, path, headers=None, body=None, token=None):
        fields = {"Host": self.host, "Authorization": f"Bearer {token or self.about['token']}", **(headers or {})}
        if body is not None:
            fields |= {"Content-Type": "application/json", "Content-Length": len(body)}
        lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
        return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + (body or b"")


class Head:
    """The head of an answer."""

    def __init__(self, text):
        first, *lines = text.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ", 2)[1])
        self.fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}

    @classmethod
    async def read(cls, reader):
        return cls(await reader.readuntil(b"\r\n\r\n"))

    async def body(self, reader):
        """Of an answer that says how long it is."""
        return await reader.readexactly(int(self.fields.get("content-length", 0)))

    async def code(self, reader):
        """Of a problem; nil of anything else."""
        text = await self.body(reader)
        return json.loads(text).get("code") if "problem+json" in self.fields.get("content-type", "") else None
