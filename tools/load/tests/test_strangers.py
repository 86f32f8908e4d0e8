"""Who has no business here, and what is no name: at a real daemon's doors."""

import contextlib
import http.client
import json
import re
import socket
import ssl

import pytest

from served import ROLES

# What only these roles may, of the many routes that Tests/ConsoleTests/AccessTests.swift goes through.
ABOVE = {"view": ["bench/suspend", "bench/up", "bench/down"], "operate": ["bench/up", "bench/adopt"], "admin": []}


def raw(lab, text, way="tls", port=None):
    """All that is answered to bytes of any kind."""
    with contextlib.ExitStack() as stack:
        if way == "socket":
            stream = stack.enter_context(socket.socket(socket.AF_UNIX))
            stream.settimeout(60)
            stream.connect(str(lab.home / "control.sock"))
        else:
            stream = stack.enter_context(socket.create_connection(("127.0.0.1", port or lab.remote_port), timeout=60))
            if way == "tls":
                context = ssl.create_default_context(cafile=str(lab.authority))
                stream = stack.enter_context(context.wrap_socket(stream, server_hostname="localhost"))
        stream.sendall(text)
        answer = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while piece := stream.recv(65536):
                answer += piece
        return answer


def code(answer):
    return (answer or {}).get("code")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_ends_where_it_ends(lab, role):
    for path in ABOVE[role]:
        status, answer = lab.ask("POST", f"/v1/simulations/{path}", {}, role)
        assert (status, code(answer)) == (403, "role-insufficient"), path
    for path in ("/v1/shutdown", "/v1/console"):
        status, answer = lab.ask("POST", path, {}, role)
        assert status == 403 and code(answer) in ("role-insufficient", "local-only")


@pytest.mark.parametrize("token, expected", [
    (None, "token-missing"), ("", "token-missing"), ("fermata_", "token-unknown"), ("fermata_" + "0" * 64, "token-unknown"),
    ("x" * 10_000, "token-unknown"), ("fermata_" + "0" * 64 + " more", "token-unknown"),
])  # fmt: skip
def test_without_a_good_token_nothing_is_told(lab, token, expected):
    for path in ("/v1/simulations", "/v1/nothing", "/../../etc/passwd", "/metrics"):
        status, answer = lab.ask("GET", path, token=token)
        assert (status, code(answer)) == (401, expected), path


def test_a_token_that_was_revoked_is_refused_from_then_on(lab):
    token = lab.json("token", "create", "brief", "--role", "admin")["token"]
    assert lab.ask("GET", "/v1/simulations", token=token)[0] == 200
    lab.run("token", "revoke", "brief")
    status, answer = lab.ask("GET", "/v1/simulations", token=token)
    assert (status, code(answer)) == (401, "token-unknown")


class Page:
    """What a page in a browser can have sent."""

    def __init__(self, lab):
        self.port, self.link = lab.link()
        self.host = f"127.0.0.1:{self.port}"
        status, fields, _ = self.send("GET", self.link)
        assert status == 303
        cookies = [value.split(";", 1)[0] for name, value in fields if name.lower() == "set-cookie"]
        self.cookies = "; ".join(cookies)
        self.csrf = next(one.split("=", 1)[1] for one in cookies if one.startswith("fermata-csrf-"))

    def send(self, method, path, headers=None):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, headers={"Host": self.host, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def ask(self, method, path, headers=None):
        """Status and code, with the session."""
        status, _, text = self.send(method, path, {"Cookie": self.cookies, **(headers or {})})
        return status, json.loads(text).get("code") if text else None


@pytest.fixture
def page(lab):
    return Page(lab)


def test_a_link_lets_one_browser_in_once(page):
    status, _, text = page.send("GET", page.link, {"Accept": "application/json"})
    assert (status, json.loads(text)["code"]) == (401, "no-session")
    assert page.ask("GET", "/v1/session")[0] == 200


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"X-Forwarded-Host": "evil.example", "X-Fermata-CSRF": ""},
], ids=str)  # fmt: skip
def test_another_page_reaches_nothing(page, headers):
    own = {"Origin": f"http://{page.host}", "X-Fermata-CSRF": page.csrf}
    assert page.ask("POST", "/v1/simulations/bench/suspend?dryRun=true", {**own, **headers}) == (403, "cross-site")
    assert page.ask("POST", "/v1/simulations/bench/suspend?dryRun=true", own)[0] == 200


def test_what_changes_something_needs_the_pages_own_secret(page):
    for secret in (None, "", "0" * 64, page.csrf[:-1], page.csrf + "0", page.cookies):
        headers = {} if secret is None else {"X-Fermata-CSRF": secret}
        assert page.ask("POST", "/v1/simulations/bench/suspend", headers) == (403, "cross-site")


NAMES = [
    "..", "../..", "..%2f..%2fetc", "%2e%2e%2f%2e%2e", "a%00b", "%00", "a%0d%0aX:%20y", "%1b[2J", "%ff%fe", "%", "%zz", "a%2fb", "Bench",
    "-bench", "bench%20", "bench%09", "%e2%80%ae", "a" * 64, "a" * 4000,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:30])
def test_what_is_no_name_is_none_wherever_it_stands(lab, name):
    before = {str(path) for path in lab.folder.rglob("*") if "logs" not in path.parts}
    for method, path in [
        ("POST", f"/v1/simulations/{name}/suspend"), ("GET", f"/v1/simulations/bench/checkpoints/{name}"),
        ("POST", f"/v1/simulations/bench/checkpoints/{name}/verify"), ("DELETE", f"/v1/tokens/{name}"),
        ("GET", f"/v1/simulations/bench/machines/{name}/serial"), ("GET", f"/v1/operations/{name}/events"), ("POST", f"/v1/leases/{name}/end"),
    ]:  # fmt: skip
        for way in ("socket", "tls"):
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {lab.tokens['admin']}\r\nConnection: close\r\n"
            answer = raw(lab, f"{head}Content-Length: 0\r\n\r\n".encode(), way)
            assert re.match(rb"HTTP/1\.1 40[0345] ", answer), f"{way} {method} {path}: {answer[:300]!r}"
    after = {str(path) for path in lab.folder.rglob("*") if "logs" not in path.parts}
    assert {path for path in after - before if not path.endswith(("-wal", "-shm", "-journal"))} == set()


@pytest.mark.parametrize("body", [
    {"checkpoint": "../a"}, {"checkpoint": "a\u0000b"}, {"checkpoint": "a\nb"}, {"labels": {"a": "b\nc"}}, {"labels": {"../a": ""}},
    {"labels": {"a": "\u001b[2J"}}, {"labels": {"a": "x" * 256}}, {"labels": {f"k{number}": "" for number in range(65)}},
    {"note": "x" * 100_000},
], ids=lambda body: str(body)[:40])  # fmt: skip
def test_a_body_with_such_names_saves_nothing(lab, body):
    count = len(lab.get("/v1/simulations/bench/checkpoints")[1]["checkpoints"])
    for verb in ("checkpoint", "suspend"):
        status, answer = lab.ask("POST", f"/v1/simulations/bench/{verb}", body, "operate")
        assert status in (400, 413), answer
        assert code(answer) in ("name-invalid", "label-invalid", "note-invalid", "bad-request", "body-too-large")
    assert len(lab.get("/v1/simulations/bench/checkpoints")[1]["checkpoints"]) == count


@pytest.mark.parametrize("way", ["socket", "tls", "browser"])
@pytest.mark.parametrize("text", [
    b"\x01\x02\x03\r\n\r\n", b"GET /v1/\x01health HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"POST /v1/gc HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/gc HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"GET /v1/health HTTP/1.1\r\nX: a\x00b\r\n\r\n",
    b"POST /v1/gc HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"POST /v1/gc HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"GET /v1/health HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
], ids=lambda text: repr(text[:50]))  # fmt: skip
def test_what_is_no_request_is_refused(lab, way, text):
    port = lab.browser_port() if way == "browser" else None
    answer = raw(lab, text, way, port)
    assert answer == b"" or re.match(rb"HTTP/1\.\d 4\d\d ", answer), answer[:300]


def test_the_log_has_no_control_characters_of_anybodys(lab):
    lab.ask("GET", "/v1/simulations/%1b[31m%0a2026-01-01T00:00:00Z%20forged", token="view")
    lab.ask("GET", "/v1/simulations", token="\x7f")
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lab.log()) == []
