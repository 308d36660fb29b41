"""The app of one process: unknown paths in the style of their half, health and numbers also without a database."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import pytest

from tests.flows.desk import Desk

PROVIDERS = [
    ("GET", "/v1/sessions/s-1/balance/"), ("POST", "/v1/sessions/s-1/bets/pay-in/"), ("POST", "/v1/sessions/s-1/bets/refund/"),
    ("GET", "/v1/"), ("GET", "/v1/nothing"),
]  # fmt: skip
CASINOS = [
    ("GET", "/mis-api/api/v2/auth/jwks/"), ("POST", "/mis-api/api/v2/auth/token/"),
    ("POST", "/mis-api/api/v2/payments/accept/"), ("GET", "/mis-api/api/v2"),
]  # fmt: skip


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("method", "path"), PROVIDERS)
async def test_a_slash_too_many_is_an_unknown_path_of_the_provider_half(desk: Desk, method: str, path: str) -> None:
    answer = await desk.call(method, path)
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (404, 6)
    assert "location" not in answer.headers, "a redirect would be followed without a signature, or not at all"


@pytest.mark.parametrize(("method", "path"), CASINOS)
async def test_a_slash_too_many_is_an_unknown_path_of_the_casino_half(desk: Desk, method: str, path: str) -> None:
    answer = await desk.call(method, path)
    assert (answer.status, json.loads(answer.body)["ErrorCode"]) == (404, 103752)
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "name", "code"),
    [("/v1/sessions/s-1/balance", "_responseCode", 6), ("/mis-api/api/v2/auth/jwks", "ErrorCode", 103752)],
)
async def test_a_wrong_method_is_405_in_the_style_of_its_half(desk: Desk, path: str, name: str, code: int) -> None:
    answer = await desk.call("DELETE", path)
    assert (answer.status, json.loads(answer.body)[name]) == (405, code)


@pytest.mark.parametrize("path", ["/livez/", "/metrics/", "/", "/elsewhere"])
async def test_an_unknown_path_under_neither_half_is_a_plain_404(desk: Desk, path: str) -> None:
    answer = await desk.call("GET", path)
    told = json.loads(answer.body)
    assert (answer.status, told["error"], told["see"]) == (404, "not found", "/openapi.json")


async def test_metrics_are_told_with_the_queue(desk: Desk) -> None:
    await desk.bet()
    told = (await desk.call("GET", "/metrics")).body.decode()
    assert "croupier_waiting_calls 1.0" in told
    assert 'croupier_decisions_total{event="' in told
    assert "croupier_group_commit_seconds_count 1.0" in told


async def test_money_that_is_not_through_is_a_gauge_until_it_is(desk: Desk) -> None:
    """What is over is gone from the next answer: a gauge that stayed would call a person for nothing."""
    await desk.bet()
    await desk.hub.store.incidents.raise_for(0, "audit", "a note")
    told = (await desk.call("GET", "/metrics")).body.decode()
    assert 'what="debit"} 1.0' in told
    assert 'croupier_incidents_open{name="audit"} 1.0' in told
    assert "croupier_open_oldest_seconds{" in told
    await desk.db.execute("update incidents set closed_ms = 1, closed_by = 'ann', close_note = 'seen'")
    await desk.db.execute("delete from calls")
    told = (await desk.call("GET", "/metrics")).body.decode()
    assert "croupier_open_payments{" not in told
    assert "croupier_incidents_open{" not in told
    assert "croupier_backup_seconds " not in told, "no backup was made of this home"


async def test_metrics_are_told_without_a_database_too(desk: Desk) -> None:
    """Just then one wants to see them."""
    await desk.bet()
    await desk.db.close()
    answer = await desk.call("GET", "/metrics")
    assert answer.status == 200
    assert "croupier_waiting_requests 0.0" in answer.body.decode()
    assert "croupier_waiting_calls " not in answer.body.decode()
    assert (await desk.call("GET", "/livez")).status == 200


@pytest.mark.slow
async def test_ready_tells_the_truth_while_the_database_hangs(desk: Desk) -> None:
    """Every session that the worker has is frozen: a proxy must hear of it, and soon."""
    assert (await desk.call("GET", "/readyz")).status == 200
    own = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    pids = [row["pid"] for row in await desk.db.fetch(own)] + [await desk.db.fetchval("select pg_backend_pid()")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(5):
            answer = await desk.call("GET", "/readyz")
        assert answer.status == 503
        assert json.loads(answer.body)["why"].startswith("database: ")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_a_worker_whose_commits_are_stuck_is_not_ready(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.hub.group_commit, "stuck_s", lambda: 1.5)
    answer = await desk.call("GET", "/readyz")
    assert (answer.status, json.loads(answer.body)["why"]) == (503, "commits have been stuck for 1.5 s")


async def test_ready_is_only_who_has_a_database_and_is_not_stopping(desk: Desk) -> None:
    assert json.loads((await desk.call("GET", "/readyz")).body) == {
        "ready": True,
        "breakers_open": [],
        "recovering": False,
    }
    desk.hub.state.closing = True
    assert (await desk.call("GET", "/readyz")).status == 503
    desk.hub.state.closing = False
    await desk.db.close()
    answer = await desk.call("GET", "/readyz")
    assert (answer.status, json.loads(answer.body)["ready"]) == (503, False)
