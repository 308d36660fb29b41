"""What a casino is answered, and our log told, when a call of it could not be taken in. Spec: casino.md 1 and 1.2."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import Response

from croupier.casinos.betcore_v2.routes import _answer, _jwks, not_found
from croupier.flows.database_health import DatabaseHealth
from croupier.kit.clock import SystemClock
from croupier.kit.inbound import HotRequest
from croupier.kit.metrics import Metrics
from croupier.store.db import Db, DbDown
from tests.flows.desk import Desk, make_desk


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    """The hub's app, asked without a network."""
    made = await make_desk(db)
    yield made
    await made.line.close()


def call() -> HotRequest:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    return HotRequest.of(Request(scope, receive), SystemClock())


@pytest.mark.parametrize(("problem", "traceback"), [(DbDown("gone"), False), (KeyError("our own fault"), True)])
async def test_what_was_not_taken_in_is_to_be_sent_again_and_only_a_bug_leaves_a_traceback(
    problem: Exception, traceback: bool
) -> None:
    """A database that is away for a minute must not fill the log with tracebacks, one for every accept."""

    async def handle(*_: object) -> Response:
        raise problem

    tokens: Any = SimpleNamespace(hub=SimpleNamespace(database_health=DatabaseHealth(SystemClock(), Metrics())))
    with structlog.testing.capture_logs() as lines:
        answer = await _answer(tokens, handle, call())
    assert (answer.status_code, json.loads(bytes(answer.body))["ErrorCode"]) == (500, 102823)
    assert answer.headers["X-Problem"] == "not taken in now: send it again"
    (line,) = [line for line in lines if line["event"] == ("casino.not_answered" if traceback else "database.trouble")]
    assert bool(line.get("exc_info")) is traceback


async def test_no_error_is_ever_taken_for_a_set_of_keys() -> None:
    """The key set travels without an envelope, and casinos may keep for ever what came with 200."""
    answer = await _answer(None, _jwks, call())  # type: ignore[arg-type] # without a hub it must fail
    assert (answer.status_code, json.loads(bytes(answer.body))["ErrorCode"]) == (500, 102823)
    assert "cache-control" not in answer.headers


async def test_a_call_that_a_stopping_worker_cuts_off_is_answered_as_one_to_be_sent_again() -> None:
    """Not with the server's own words: every answer has the form of the protocol."""
    tokens: Any = SimpleNamespace(hub=SimpleNamespace(state=SimpleNamespace(closing=False)))
    began = asyncio.Event()

    async def hangs(*_: object) -> Response:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    for tokens.hub.state.closing in (True, False):
        began.clear()
        asked = asyncio.create_task(_answer(tokens, hangs, call()))
        await began.wait()
        asked.cancel()
        if tokens.hub.state.closing:
            answer = await asked
            assert (answer.status_code, json.loads(bytes(answer.body))["ErrorCode"]) == (500, 102823)
            assert answer.headers["X-Problem"] == "not taken in now: send it again"
        else:
            with pytest.raises(asyncio.CancelledError):
                await asked


@pytest.mark.parametrize(("status", "says"), [(404, "no such path"), (405, "no such method of this path")])
def test_what_is_not_there_is_named(status: int, says: str) -> None:
    answer = not_found(status)
    assert (answer.status_code, answer.headers["X-Problem"]) == (status, says)


API = "/mis-api/api/v2"
FORGED = jwt.encode({"client_id": "PartnerClient-7"}, "x" * 32, algorithm="HS256", headers={"kid": "k"})
NAMELESS = jwt.encode({"client_id": "x" * 5000}, "x" * 32, algorithm="HS256")


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("path", "body", "headers", "problem", "line"),
    [
        (
            "auth/token", {"PartnerClientId": 7, "Secret": "wrong"}, {}, (401, "no good id and secret"),
            {"event": "casino.unauthorized", "client": "PartnerClient-7"},
        ),
        (
            "payments/accept", {}, {"Authorization": f"Bearer {FORGED}"}, (401, "no good bearer"),
            {"event": "casino.unauthorized", "client": "PartnerClient-7"},
        ),
        (
            "payments/accept", {}, {"Authorization": f"Bearer {NAMELESS}"}, (401, "no good bearer"),
            {"event": "casino.unauthorized", "client": None},
        ),
        (
            "cashback-payments/accept", {}, {}, (401, "no good bearer"),
            {"event": "casino.unauthorized", "client": None, "why": "no bearer"},
        ),
        (
            "auth/token", {}, {"Content-Type": "text/plain"}, (415, "Content-Type must be application/json, once"),
            {"event": "casino.unreadable"},
        ),
        (
            "auth/token", {"Secret": "s" * 70_000}, {}, (413, "the body is larger than 65536 bytes"),
            {"event": "casino.unreadable"},
        ),
    ],
    ids=["secret", "forged", "nameless", "no bearer", "type", "size"],
)  # fmt: skip
async def test_who_is_not_believed_or_read_is_told_what_is_wrong_and_our_log_names_client_and_path(
    desk: Desk, path: str, body: object, headers: dict[str, str], problem: tuple[int, str], line: dict[str, object]
) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await desk.call("POST", f"{API}/{path}", json.dumps(body).encode(), **headers)
    assert (answer.status, answer.headers["x-problem"]) == problem
    assert json.loads(answer.body) == {"ErrorCode": 103752, "Message": "Incorrect request parameters"}
    (told,) = lines
    assert {**told, **line, "path": f"{API}/{path}", "log_level": "info"} == told
