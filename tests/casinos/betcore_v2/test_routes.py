"""What a casino is answered, and our log told, when a call of it could not be taken in. Spec: casino.md 1 and 1.2."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from starlette.requests import Request
from starlette.responses import Response

from croupier.casinos.betcore_v2.routes import _answer, _jwks
from croupier.flows.database_health import DatabaseHealth
from croupier.kit.clock import SystemClock
from croupier.kit.metrics import Metrics
from croupier.store.db import DbDown


def call() -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}, receive)


@pytest.mark.parametrize(("problem", "traceback"), [(DbDown("gone"), False), (KeyError("our own fault"), True)])
async def test_what_was_not_taken_in_is_to_be_sent_again_and_only_a_bug_leaves_a_traceback(
    problem: Exception, traceback: bool
) -> None:
    """A database that is away for a minute must not fill the log with tracebacks, one for every accept."""

    async def handle(*_: object) -> Response:
        raise problem

    door: Any = SimpleNamespace(hub=SimpleNamespace(database_health=DatabaseHealth(SystemClock(), Metrics())))
    with structlog.testing.capture_logs() as lines:
        answer = await _answer(door, call(), handle)
    assert (answer.status_code, json.loads(bytes(answer.body))["ErrorCode"]) == (500, 102823)
    assert answer.headers["X-Problem"] == "not taken in now: send it again"
    (line,) = [line for line in lines if line["event"] == ("casino.not_answered" if traceback else "database.trouble")]
    assert bool(line.get("exc_info")) is traceback


async def test_no_error_is_ever_taken_for_a_set_of_keys() -> None:
    """The key set travels without an envelope, and casinos may keep for ever what came with 200."""
    answer = await _answer(None, call(), _jwks)  # type: ignore[arg-type] # without a hub it must fail
    assert (answer.status_code, json.loads(bytes(answer.body))["ErrorCode"]) == (500, 102823)
    assert "cache-control" not in answer.headers
