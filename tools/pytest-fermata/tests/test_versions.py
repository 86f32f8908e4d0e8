"""Daemons of other releases: scripted ones, which answer what those would."""

import http.server
import json
import os
import socketserver
import threading

import pytest

from pytest_fermata import Fermata, FermataError
from pytest_fermata._control import Control


class Daemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path, version, knows_leases):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, value):
                body = json.dumps(value).encode() + b"\n"
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.answer(200, {"version": version})

            def do_POST(self):
                self.rfile.read(int(self.headers.get("content-length") or 0))
                if knows_leases:
                    self.answer(200, {"event": "held"})
                else:
                    self.answer(404, {"code": "unknown-path", "detail": "no such path", "exitCode": 1})

            def address_string(self):
                return ""

            def log_message(self, *_):
                pass

        super().__init__(path, Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def daemon(tmp_path):
    daemons = []

    def start(version, knows_leases):
        daemons.append(Daemon(str(tmp_path / "s"), version, knows_leases))
        return Control("/bin/false", {**os.environ, "FERMATA_CONTROL": f"unix:{tmp_path}/s"})

    yield start
    for daemon in daemons:
        daemon.shutdown()
        daemon.server_close()


def test_a_daemon_of_another_version_is_warned_of_once(daemon):
    said = []
    fermata = Fermata(daemon("9.9.9", True), said.append)
    for _ in range(2):
        with pytest.raises(FermataError):
            fermata.up("lab.yaml")
    assert len(said) == 1 and "the daemon is fermata 9.9.9" in said[0] and "serve --stop" in said[0]


def test_a_daemon_that_knows_no_leases_is_refused_with_its_version(daemon):
    with pytest.raises(FermataError, match="the daemon is fermata 0.0.1, which knows no leases") as refusal:
        Fermata(daemon("0.0.1", False)).up("lab.yaml")
    assert refusal.value.code == "daemon-of-other-version"


def test_a_daemon_of_this_version_is_not_warned_of(daemon):
    said = []
    with pytest.raises(FermataError):
        Fermata(daemon("0.1.0", True), said.append).up("lab.yaml")
    assert said == []
