"""A daemon whose API is served at all of its doors: the socket, TLS with a token of each role, and a browser's port."""

import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "console"))

from support.lab import ARM, RISCV, ControlConnection, Lab, free_port  # noqa: E402

ROLES = ("view", "operate", "admin")
# Streams of one token are limited (docs/api.md): a crowd has several.
LISTENER_TOKENS = 20
SECOND = 10**9
KINDS = [(ARM, "2024-02-29T12:00:00Z"), (RISCV, "2026-12-31T23:58:00Z")]


class ServedLab(Lab):
    def __init__(self):
        super().__init__()
        self.remote_port = free_port()
        self.environment["FERMATA_LISTEN"] = f"127.0.0.1:{self.remote_port}"
        try:
            self.run("pki", "init")
            self.run("pki", "issue", "control", "desk", "--address", "localhost", "--address", "127.0.0.1")
            # What it needs is there: now it begins.
            self.run("ps")
            self.tokens = {role: self.json("token", "create", role, "--role", role)["token"] for role in ROLES}
            self.listener_tokens = []
            self.wait_for("the API over TLS", lambda: "API open" in self.log())
        except BaseException:
            self.close()
            raise

    @property
    def authority(self):
        return self.home / "pki/ca.pem"

    @property
    def url(self):
        return f"https://localhost:{self.remote_port}"

    def log(self):
        path = self.home / "daemon.log"
        return path.read_bytes().decode(errors="surrogateescape") if path.exists() else ""

    def doors(self, role="admin"):
        """Where a crowd goes (crowd.py), as it is told."""
        for number in range(len(self.listener_tokens), LISTENER_TOKENS):
            _, made = self.owner("POST", "/v1/tokens", {"name": f"listener{number}", "role": "view"})
            self.listener_tokens.append(made["token"])
        return {
            "socket": str(self.home / "control.sock"), "port": self.remote_port, "authority": str(self.authority),
            "token": self.tokens[role], "tokens": self.tokens,
            "listeners": self.listener_tokens,
        }

    def begin(self, simulation, machines):
        """So many machines, of two architectures."""
        self.up(simulation, {f"m{number}": KINDS[number % len(KINDS)] for number in range(machines)})

    # Over TLS

    def connect(self, timeout=120):
        context = ssl.create_default_context(cafile=str(self.authority))
        return http.client.HTTPSConnection("localhost", self.remote_port, context=context, timeout=timeout)

    def ask(self, method, path, body=None, token="admin", headers=None, timeout=120):
        """Status and JSON of an answer over TLS. token: a role of `ROLES`, None for none, or a token itself."""
        fields = {"Accept": "application/json", **(headers or {})}
        if token is not None:
            fields["Authorization"] = f"Bearer {self.tokens.get(token, token)}"
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        with contextlib.closing(self.connect(timeout)) as connection:
            connection.request(method, path, body=body, headers=fields)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None

    # At the socket

    def owner(self, method, path, body=None):
        """Status and JSON of an answer."""
        with contextlib.closing(ControlConnection(str(self.home / "control.sock"))) as connection:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, body=text, headers={"Content-Type": "application/json"} if text else {})
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None

    # At the browsers' door

    def browser_port(self):
        """Opens it if it is not open. The link is lost with it."""
        return self.link()[0]

    def link(self):
        """A port and the path that lets one browser in."""
        url = self.json("console")["url"]
        port, path = url.removeprefix("http://127.0.0.1:").split("/", 1)
        return int(port), f"/{path}"

    # Operations

    def operate(self, verb, simulation, body=None, token="operate"):
        """The report of an operation that was asked for over TLS, when it is over."""
        status, answer = self.ask("POST", f"/v1/simulations/{simulation}/{verb}", body or {}, token)
        assert status == 202, f"{verb}: {status} {answer}"
        return self.report(answer["operation"])

    def report(self, operation):
        def finished():
            detail = self.get(f"/v1/operations/{operation}")[1]
            return detail.get("report") if detail["phase"] == "finished" else None

        return self.wait_for(f"the end of {operation}", finished, seconds=300)

    def suspend_round(self, simulation, ahead=5):
        """Suspends at an instant that is so many seconds ahead, and goes on: the suspend's report."""
        report = self.operate("suspend", simulation, {"when": {"inNs": int(ahead * SECOND)}})
        assert report["outcome"] == "done", report["reasons"]
        resumed = self.operate("resume", simulation)
        assert resumed["outcome"] == "done", resumed["reasons"]
        # One is kept: the simulation stands at it.
        for one in self.get(f"/v1/simulations/{simulation}/checkpoints")[1]["checkpoints"]:
            if not one["current"]:
                self.ask("DELETE", f"/v1/simulations/{simulation}/checkpoints/{one['checkpoint']}")
        return report

    def at_once(self, calls):
        """What each of the calls returns, all of which begin at the same moment."""
        barrier = threading.Barrier(len(calls))

        def call(one):
            barrier.wait()
            return one()

        with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
            return [future.result() for future in [pool.submit(call, one) for one in calls]]

    # Memory, in MiB

    def memory(self):
        """What the daemon has in memory now, and the most that it had since `forget_peak`."""
        fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{self.daemon_pid()}/status").read_text().splitlines())
        return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.daemon_pid()}/clear_refs").write_text("5")

    def last_change(self):
        """The id of the last event of /v1/events: who begins to follow without one is told it."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(60)
            stream.connect(str(self.home / "control.sock"))
            stream.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            text = b""
            while b"event: reset" not in text:
                piece = stream.recv(4096)
                assert piece, text
                text += piece
        return text.split(b"id: ", 1)[1].split(b"\n", 1)[0].decode()

    def still(self, seconds=0.5):
        """Waits until nothing is told any more."""
        last = None
        while (now := self.last_change()) != last:
            last = now
            time.sleep(seconds)
        return last
