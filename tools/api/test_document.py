"""docs/openapi.yaml and the server agree: whatever the document makes one send, no answer is an error of the server's own, none is of a
form that the document does not know, none is missing, and what is wrong is refused."""

import os
import pathlib
import secrets

import pytest
import requests
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection

from conftest import ANSWERS, SEED
from mirror import dice_of
from served import ROLES

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs/openapi.yaml"
# No request of these takes that long, however busy the host is: it would be for ever.
HANGS = 120
# Streams without an end are read that long.
LISTENS = 3


def document(examples):
    config = SchemathesisConfig.from_path(HERE / "schemathesis.toml")
    SEED[:] = [int(os.environ.get("API_SEED", "1")) or secrets.randbits(32)]
    config.update(seed=SEED[0], max_failures=None)
    schema = schemathesis.openapi.from_path(DOCUMENT, config=config)
    schema.config.update(base_url="https://localhost")
    schema.config.generation.max_examples = examples
    return schema


# An archive is bytes.
schemathesis.serializer.alias("application/zstd", "application/octet-stream")

EXAMPLES = int(os.environ.get("API_EXAMPLES", "8"))
wide, narrow = document(EXAMPLES), document(max(1, EXAMPLES // 8))
# Coverage of a document's every field is the same whoever asks.
narrow.config.phases.coverage.enabled = False


class Session(requests.Session):
    """Of JSON lines without an end the first is enough."""

    def request(self, *arguments, **options):
        answer = super().request(*arguments, **options)
        if answer.headers.get("Content-Type") == "application/x-ndjson":
            answer._content = next(answer.iter_lines(), b"") + b"\n"
            answer._content_consumed = True
            answer.close()
        return answer


@pytest.fixture(scope="session")
def session(lab):
    with Session() as session:
        session.verify = str(lab.authority)
        yield session


def ask(case, lab, session, role, token=None):
    is_mended = lab.fill(case, dice_of(case))
    answer = case.call(
        base_url=lab.url, session=session, headers={"Authorization": f"Bearer {token or lab.tokens[role]}"}, verify=str(lab.authority),
        timeout=LISTENS if is_endless(case) else HANGS,
    )
    ANSWERS[role, answer.status_code] += 1
    return answer, [negative_data_rejection] if is_mended else []


def is_endless(case):
    return case.method == "GET" and case.path.endswith(("/events", "/serial"))


def changed(case, answer):
    return case.method != "GET" and answer.status_code < 300


def rank(role):
    """owner has none."""
    words = role.split(",")[0]
    return ROLES.index(words) if words in ROLES else len(ROLES)


def hold(case, lab, session, role):
    answer, excluded = ask(case, lab, session, role)
    try:
        case.validate_response(answer, excluded_checks=excluded)
        needed = case.operation.definition.raw["x-role"]
        # Of another method than the document's nobody has asked for a role.
        if rank(needed) > ROLES.index(role) and answer.request.method.lower() == case.operation.method.lower():
            assert answer.status_code in (400, 403, 404), f"a token of the role {role} was let do what needs {needed}"
    finally:
        if changed(case, answer):
            lab.restore()


@wide.parametrize()
def test_admin(case, lab, session):
    hold(case, lab, session, "admin")


@narrow.parametrize()
def test_operate(case, lab, session):
    hold(case, lab, session, "operate")


@narrow.parametrize()
def test_view(case, lab, session):
    hold(case, lab, session, "view")


@narrow.parametrize()
def test_nobody(case, lab, session):
    answer, _ = ask(case, lab, session, "nobody", token="fermata_" + "0" * 64)
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] == "token-unknown"


def test_everything_is_as_it_was(lab):
    """After all that: machines run, can be saved, and the daemon is the first one."""
    lab.restore()
    assert lab.state("bench") == "running"
    assert lab.suspend_round("bench")["outcome"] == "done"
    assert "request failed" not in lab.log(), "an error that the daemon does not know"
