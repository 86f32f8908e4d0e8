"""The two ways to a control instance: the command line, which starts a daemon where none runs, and the daemon's socket."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
from typing import Any, Iterator, Mapping, Optional

from ._errors import FermataError

VERSION = "0.1.0"

_Answer = Mapping[str, Any]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: Optional[float]) -> None:
        super().__init__("localhost")
        self._path = path
        self._patience = timeout

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._patience)
        self.sock.connect(self._path)


class Control:
    """One control instance, by the program and environment that reach it."""

    def __init__(self, program: str, environment: Optional[Mapping[str, str]] = None) -> None:
        self.program = program
        self._environment = dict(os.environ if environment is None else environment)
        self._host: Optional[str] = None

    def run(self, *words: str, what: str = "") -> _Answer:
        """`fermata WORDS --json`: its last line.

        Raises FermataError when it ends with anything but 0. An instant that the host was too busy for (exit code 4) has
        changed nothing: if nobody asked for that very one, the next is tried.
        """
        attempts = 1 if "--at" in words or "--in" in words else 5
        while True:
            status, answer, errors = self._run_once(words)
            attempts -= 1
            if status != 4 or attempts <= 0:
                break
        if status == 0:
            return answer
        if not answer:
            answer = {"detail": errors.strip() or "it said nothing", "exitCode": status}
        raise FermataError.of({"exitCode": status, **answer}, what or f"fermata {' '.join(words)}")

    def _run_once(self, words: tuple[str, ...]) -> tuple[int, _Answer, str]:
        try:
            done = subprocess.run(
                [self.program, *words, "--json"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise FermataError(
                f"the program '{self.program}' cannot be run ({error.strerror}): install fermata, or name it with --fermata",
                code="program-missing",
            ) from None
        lines = done.stdout.strip().splitlines()
        try:
            answer = json.loads(lines[-1]) if lines else {}
        except ValueError:
            answer = {}
        return done.returncode, answer if isinstance(answer, dict) else {}, done.stderr

    @property
    def socket_path(self) -> str:
        """By the rules of the command line."""
        named = self._environment.get("FERMATA_CONTROL")
        if named:
            for scheme in ("unix://", "unix:", "http+unix://"):
                if named.startswith(scheme):
                    return named[len(scheme) :]
            return named
        return str(self.home / "control.sock")

    @property
    def home(self) -> pathlib.Path:
        environment = self._environment
        if environment.get("FERMATA_HOME"):
            return pathlib.Path(environment["FERMATA_HOME"]).absolute()
        if environment.get("XDG_STATE_HOME", "").startswith("/"):
            return pathlib.Path(environment["XDG_STATE_HOME"], "fermata")
        return pathlib.Path(environment.get("HOME", "/"), ".local/state/fermata")

    def request(self, method: str, path: str, body: Optional[_Answer] = None) -> _Answer:
        """One request at the socket. A daemon that is not there is started once."""
        try:
            return self._request(method, path, body)
        except (OSError, http.client.HTTPException):
            self.start()
            return self._request(method, path, body)

    def start(self) -> None:
        """Any verb starts a daemon where none runs."""
        self.run("ps")

    def _request(self, method: str, path: str, body: Optional[_Answer]) -> _Answer:
        connection = _Connection(self.socket_path, timeout=None)
        try:
            answer = _send(connection, method, path, body)
            content = answer.read()
        finally:
            connection.close()
        return _checked(answer, content, f"{method} {path}")

    def lease(self, simulation: str) -> Lease:
        return Lease(self, simulation)

    def version(self) -> str:
        """Of the daemon."""
        return str(self.request("GET", "/v1/version").get("version"))

    @property
    def host(self) -> Optional[str]:
        """What the daemon calls its own host, which is this one."""
        if self._host is None:
            self._host = self.request("GET", "/v1/version").get("host")
        return self._host

    def follow(self, path: str, seen: int) -> Iterator[tuple[str, int, bytes]]:
        """Server-sent events behind the id `seen`: each one's name, the last id, and its data."""
        connection = _Connection(self.socket_path, timeout=60)
        try:
            connection.request("GET", path, headers={"accept": "text/event-stream", "last-event-id": str(seen)})
            answer = connection.getresponse()
            if answer.status != 200:
                _checked(answer, answer.read(), f"GET {path}")
            name = ""
            while line := answer.readline():
                field, _, value = line.rstrip(b"\n").partition(b": ")
                if field == b"id":
                    seen = int(value)
                elif field == b"event":
                    name = value.decode()
                elif field == b"data":
                    yield name, seen, value
        finally:
            connection.close()


class Lease:
    """A simulation that lives as long as this process does, or until it is ended.

    It is an answer of the daemon that does not end. When this process is gone, however it went, so is the connection, and
    the daemon ends the simulation and removes what it had.
    """

    def __init__(self, control: Control, simulation: str) -> None:
        self.simulation = simulation
        self._control = control
        self._ended = threading.Event()
        try:
            self._hold()
        except OSError:
            control.start()
            self._hold()
        threading.Thread(target=self._keep, name=f"lease of {simulation}", daemon=True).start()

    def end(self, keep: tuple[str, ...] = ()) -> _Answer:
        """Ends its machines and removes it, with all checkpoints but those to `keep`."""
        self._ended.set()
        try:
            return self._control.request("POST", f"/v1/leases/{self.simulation}/end", {"keep": list(keep)})
        finally:
            self._connection.close()

    def _hold(self) -> None:
        self._connection = _Connection(self._control.socket_path, timeout=None)
        self._answer = _send(self._connection, "POST", "/v1/leases", {"simulation": self.simulation})
        if self._answer.status == 200 and json.loads(self._answer.readline() or b"{}").get("event") == "held":
            return
        content = self._answer.read()
        self._connection.close()
        if self._answer.status == 404:
            raise FermataError(
                f"the daemon is fermata {self._control.version()}, which knows no leases; this plugin is {VERSION}. End it "
                "with 'fermata serve --stop'; the next verb starts a new one, and machines go on running meanwhile",
                code="daemon-of-other-version",
            )
        _checked(self._answer, content, f"lease of {self.simulation}")

    def _keep(self) -> None:
        """When the daemon ends, the next one is asked for the lease again: it has it on record, and waits half a minute."""
        while not self._ended.is_set():
            try:
                while self._answer.readline():
                    pass
            except (OSError, ValueError, AttributeError, http.client.HTTPException):
                pass
            while not self._ended.wait(0.2):
                try:
                    self._hold()
                    break
                except (OSError, FermataError, http.client.HTTPException):
                    time.sleep(0.2)


def _send(connection: _Connection, method: str, path: str, body: Optional[_Answer]) -> http.client.HTTPResponse:
    content = None if body is None else json.dumps(body)
    connection.request(method, path, body=content, headers={"content-type": "application/json"} if content else {})
    return connection.getresponse()


def _checked(answer: http.client.HTTPResponse, content: bytes, what: str) -> _Answer:
    try:
        value = json.loads(content or b"{}")
    except ValueError:
        value = {"detail": f"an answer that is no JSON: {content[:200]!r}"}
    fields: dict[str, Any] = (
        value if isinstance(value, dict) else {"detail": f"an answer that is no object: {content[:200]!r}"}
    )
    if answer.status >= 400:
        raise FermataError.of(fields, what)
    return fields
