#!/usr/bin/env python3
"""Serves the console's files from the source tree, and the API behind them from a daemon's UNIX socket, as the daemon itself
serves both: one-time link, session, CSRF header, the same security headers. For work on the page without a build.

Usage: dev.py [--home FOLDER] [--port PORT]      prints the link
"""

import argparse
import http.client
import http.server
import os
import pathlib
import secrets
import socket
import sys
import time
import urllib.parse

WEB = pathlib.Path(__file__).resolve().parents[2] / "Sources/CConsoleAssets/web"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ControlConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fermata-dev"

    def log_message(self, *arguments):
        pass

    def handle_request(self):
        try:
            self.route()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = handle_request

    def route(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/enter":
            return self.enter(urllib.parse.parse_qs(url.query).get("token", [""])[0])
        if url.path.startswith("/v1/"):
            return self.forward()
        name = "index.html" if url.path == "/" else url.path.lstrip("/")
        file = (WEB / name).resolve()
        if not file.is_relative_to(WEB) or not file.is_file():
            return self.answer(404, b"there is no such page", "text/plain")
        self.answer(200, file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"))

    def answer(self, status, body, kind, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status, code, detail):
        body = f'{{"type":"about:blank","title":"{code}","status":{status},"detail":"{detail}","code":"{code}","reasons":[],"exitCode":3}}'
        self.answer(status, body.encode(), "application/problem+json")

    def enter(self, token):
        server = self.server
        if token not in server.tokens:
            return self.answer(403, b"This link was used already. `fermata console` prints another.", "text/plain")
        server.tokens.remove(token)
        server.session, server.csrf = secrets.token_hex(16), secrets.token_hex(16)
        port = server.server_port
        self.answer(303, b"", "text/plain", [
            ("Location", "/"),
            ("Set-Cookie", f"fermata-session-{port}={server.session}; HttpOnly; SameSite=Strict; Path=/"),
            ("Set-Cookie", f"fermata-csrf-{port}={server.csrf}; SameSite=Strict; Path=/"),
        ])

    def cookie(self, name):
        pairs = (pair.strip().partition("=") for pair in self.headers.get("Cookie", "").split(";"))
        return next((value for key, _, value in pairs if key == f"{name}-{self.server.server_port}"), None)

    def forward(self):
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if server.session is None or self.cookie("fermata-session") != server.session:
            return self.problem(401, "no-session", "this browser has no session: open a link that fermata console prints")
        if self.command != "GET" and self.headers.get("X-Fermata-CSRF") != server.csrf:
            return self.problem(403, "csrf-invalid", "the request does not carry the session's own mark")
        passed = ("Accept", "Content-Type", "Last-Event-ID", "Idempotency-Key")
        headers = {name: self.headers[name] for name in passed if name in self.headers}
        upstream = ControlConnection(server.socket_path)
        try:
            upstream.request(self.command, self.path, body or None, headers)
            response = upstream.getresponse()
        except OSError:
            return self.problem(502, "daemon-unreachable", "the daemon does not answer")
        self.send_response(response.status)
        for name in ("Content-Type", "Location", "Content-Disposition"):
            if response.getheader(name):
                self.send_header(name, response.getheader(name))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while chunk := response.read1(65536):
                self.wfile.write(chunk)
                self.wfile.flush()
        except http.client.IncompleteRead:
            pass  # The daemon has ended.
        upstream.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    session = csrf = None

    def __init__(self, port, socket_path):
        super().__init__(("127.0.0.1", port), Handler)
        self.socket_path = socket_path
        self.tokens = set()

    def link(self):
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        return f"http://127.0.0.1:{self.server_port}/enter?token={token}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", default=os.environ.get("FERMATA_HOME"))
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    if not arguments.home:
        sys.exit("dev.py: say which daemon: --home FOLDER or FERMATA_HOME")
    server = Server(arguments.port, str(pathlib.Path(arguments.home) / "control.sock"))
    # One for each line that is read: the first at once.
    print(server.link(), flush=True)
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in sys.stdin:
        print(server.link(), flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
