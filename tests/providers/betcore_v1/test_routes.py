"""What stands before the flows: who is believed, what a failure looks like, what is said while the database is away."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import structlog

from croupier.apps.worker import retry_database
from croupier.kit.clock import SystemClock
from croupier.kit.wire import WireAnswer
from croupier.providers.betcore_v1 import signing
from croupier.providers.betcore_v1.routes import REFUSAL_DELAY_S
from croupier.store.db import Db, DbDown, DbUnfit
from tests.flows.desk import Desk, make_desk

NOBODY = "3f0c8d52-6f0e-4a53-9b1c-0f6f3a2f7c11"
QUERY_MS = 3
MACHINE_S = 0.5
"""What a loaded machine may add."""


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    made = await make_desk(db)
    yield made
    await made.line.close()


class Provider:
    """The provider of the cast, and whoever says so."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.numbers = 0
        self.name = desk.cast.provider.counterparty_id

    async def headers(
        self, body: bytes = b"", *, name: str | None = None, secret: str | None = None, ago_ms: int = 0
    ) -> dict[str, str]:
        self.numbers += 1
        (own,) = await self.desk.hub.store.providers.secrets(self.desk.cast.provider.provider_id)
        return signing.sign(
            secret or own,
            name or self.name,
            body,
            timestamp_ms=self.desk.clock.now_ms() - ago_ms,
            request_id=f"{self.numbers:032x}",
        )

    async def pay_in(self, bet: str, headers: dict[str, str] | None = None, *, stake: str = "1.00") -> WireAnswer:
        body = json.dumps({"betId": bet, "gameRoundId": "r", "betAmount": stake}).encode()
        given = await self.headers(body) if headers is None else headers
        return await self.desk.call("POST", "/v1/sessions/s-2/bets/pay-in", body, **given)

    async def balance(self, headers: dict[str, str]) -> WireAnswer:
        return await self.desk.call("GET", "/v1/sessions/s-2/balance", **headers)


async def failures(provider: Provider) -> dict[str, dict[str, str]]:
    """Everything by which a request is not believed."""
    good = await provider.headers()
    return {
        "nobody": await provider.headers(name=NOBODY),
        "no such number": await provider.headers(name="99"),
        "bad signature": await provider.headers(secret="another"),
        "stale": await provider.headers(ago_ms=31_000),
        "twice named": {**good, "X-Sign": good["X-Sign"] + ", " + good["X-Sign"]},
        "none": {},
    }


@pytest.fixture
def slow_queries(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every query takes some milliseconds of the hand-moved clock."""
    asked: list[str] = []
    plain = Db.fetch

    async def fetch(db: Db, sql: str, *args: object) -> Any:
        asked.append(sql)
        desk.clock.ms += QUERY_MS
        return await plain(db, sql, *args)

    monkeypatch.setattr(Db, "fetch", fetch)
    return asked


@pytest.mark.one_in(4)
@pytest.mark.parametrize("idle_s", [0, 60])
@pytest.mark.parametrize("why", ["nobody", "no such number", "bad signature", "stale", "twice named", "none"])
async def test_whoever_is_not_believed_gets_the_same_at_the_same_time(
    desk: Desk, slow_queries: list[str], why: str, idle_s: int
) -> None:
    """Whether the counterparty exists shows neither in the answer nor in its time, be its row remembered or not."""
    provider = Provider(desk)
    headers = (await failures(provider))[why]
    desk.clock.ms += idle_s * 1000
    before_ms = desk.clock.now_ms()
    answer = await provider.balance(headers)
    assert desk.clock.now_ms() - before_ms == REFUSAL_DELAY_S * 1000
    assert (answer.status, answer.body) == (401, b'{"_responseCode":8}')
    assert answer.headers == {"content-type": "application/json", "content-length": str(len(answer.body))}


async def test_the_work_for_a_failure_differs_so_the_wait_is_needed(desk: Desk, slow_queries: list[str]) -> None:
    """What the test above would be worth nothing without: a known counterparty asks the database more than nobody."""
    provider = Provider(desk)
    asked = {}
    for why in ("nobody", "bad signature"):
        headers = (await failures(provider))[why]
        desk.clock.ms += 1000
        slow_queries.clear()
        await provider.balance(headers)
        asked[why] = len(slow_queries)
    assert asked["nobody"] != asked["bad signature"]
    assert max(asked.values()) * QUERY_MS < REFUSAL_DELAY_S * 1000


async def test_why_it_was_not_believed_is_in_our_log_alone(desk: Desk) -> None:
    provider = Provider(desk)
    with structlog.testing.capture_logs() as lines:
        for why in await failures(provider):
            await provider.balance((await failures(provider))[why])
    assert {line["event"] for line in lines} == {"provider.unauthorized"}
    assert {line["why"] for line in lines} == {
        "the signature does not match",
        "the signature is good, but the timestamp is 31.0 s old",
        "x-sign is malformed",
        "a signature header is missing",
    }
    assert [line.get("provider") for line in lines if "good" in line["why"]] == ["Reelwright"]
    assert all("counterparty" in line for line in lines if "does not match" in line["why"])
    assert {line["path"] for line in lines} == {"/v1/sessions/s-2/balance"}


async def test_a_path_breaks_no_line_of_our_log(desk: Desk) -> None:
    with structlog.testing.capture_logs() as lines:
        await desk.call("GET", "/v1/sessions/a%1Bb" + "c" * 500 + "/balance")
    (line,) = lines
    assert line["path"].startswith("/v1/sessions/a\\x1bb")
    assert len(line["path"]) == 200


async def test_a_good_request_waits_for_nothing(desk: Desk) -> None:
    provider = Provider(desk)
    headers = await provider.headers()
    before_ms = desk.clock.now_ms()
    answer = await desk.call("GET", "/v1/sessions/unknown/balance", **headers)
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (404, 2)
    assert desk.clock.now_ms() == before_ms


# --- while the database is away -----------------------------------------------------------------------------------


async def test_a_database_that_is_away_before_anything_is_written_takes_nothing_on(desk: Desk) -> None:
    provider = Provider(desk)
    body = json.dumps({"betId": "b", "gameRoundId": "r", "betAmount": "1.00"}).encode()
    headers = await provider.headers(body)
    await desk.db.close()
    answer = await provider.pay_in("b", headers)
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (503, 99)
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("table", ["sessions", "bets"])
async def test_nor_does_one_that_goes_while_the_request_is_looked_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    async def gone(*_: object) -> None:
        raise DbDown("gone")

    monkeypatch.setattr(getattr(desk.hub.store, table), {"sessions": "get", "bets": "by_ref"}[table], gone)
    # A stake above every limit: the bet is looked up before it is refused.
    answer = await Provider(desk).pay_in("b", stake="999999.00")
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (503, 99)


async def test_once_something_may_be_written_nobody_knows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: object) -> bool:
        raise DbDown("gone in the commit")

    monkeypatch.setattr(desk.hub.group_commit, "commit", gone)
    with structlog.testing.capture_logs() as lines:
        answer = await Provider(desk).pay_in("b")
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (504, 99)
    (line,) = [line for line in lines if line["event"] == "database.trouble"]
    assert not line.get("exc_info")


async def test_a_fault_of_ours_is_99_for_the_provider_and_a_traceback_for_us(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(*_: object) -> bool:
        raise KeyError("our own fault")

    monkeypatch.setattr(desk.hub.group_commit, "commit", bug)
    with structlog.testing.capture_logs() as lines:
        answer = await Provider(desk).pay_in("b")
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (504, 99)
    assert b"fault" not in answer.body
    (line,) = [line for line in lines if line["event"] == "provider.not_answered"]
    assert isinstance(line["exc_info"], KeyError)


# --- while the database hangs -------------------------------------------------------------------------------------


@pytest.fixture
async def real_time(db: Db) -> AsyncIterator[Desk]:
    """A desk on the real clock, whose provider waits a second."""
    made = await make_desk(db)
    made.clock = made.hub.clock = SystemClock()  # type: ignore[assignment]
    for part in (
        made.hub.store.providers,
        made.hub.store.replay_guard,
        made.hub.group_commit,
        made.hub.waiters,
        made.hub.database_health,
    ):
        part._clock = made.hub.clock  # type: ignore[attr-defined]
    made.hub.store.providers.usual_hold_s = 1.0
    await made.hub.store.providers.change(made.cast.provider.provider_id, {"hold_s": 1.0})
    await db.execute("update sessions set expires_ms = 9e15")
    yield made
    await made.line.close()


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("store", "name", "status"),
    [
        ("providers", "by_counterparty", 503),
        ("providers", "secrets", 503),
        ("replay_guard", "claim", 503),
        ("sessions", "get", 504),
        ("ids", "take", 504),
    ],
)
async def test_a_request_is_answered_in_time_wherever_the_database_hangs(
    real_time: Desk, monkeypatch: pytest.MonkeyPatch, store: str, name: str, status: int
) -> None:
    provider = Provider(real_time)
    body = json.dumps({"betId": "b", "gameRoundId": "r", "betAmount": "1.00"}).encode()
    headers = await provider.headers(body)

    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(getattr(real_time.hub.store, store), name, hangs)
    began = time.monotonic()
    answer = await provider.pay_in("b", headers)
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (status, 99)
    assert 0.9 < time.monotonic() - began < 1.25 + MACHINE_S


@pytest.mark.slow
async def test_a_commit_that_hangs_is_answered_in_time_and_goes_on(
    real_time: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, goes_on = real_time.db.commit_group, asyncio.Event()

    async def hangs(sql: str, *args: object) -> Any:
        await goes_on.wait()
        return await plain(sql, *args)

    monkeypatch.setattr(real_time.db, "commit_group", hangs)
    began = time.monotonic()
    answer = await Provider(real_time).pay_in("b-slow")
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (504, 99)
    assert time.monotonic() - began < 1.25 + MACHINE_S
    goes_on.set()
    while (bet := await real_time.hub.store.bets.by_ref(real_time.cast.provider.provider_id, "b-slow")) is None:
        await asyncio.sleep(0.01)
    assert bet.stake == 100


async def test_fresh_is_what_was_fresh_when_it_arrived(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database, or a body, that takes 40 s makes a genuine request late, not forged."""
    plain = desk.hub.store.providers.secrets
    (own,) = await plain(desk.cast.provider.provider_id)

    async def slow(provider_id: int) -> Any:
        desk.clock.ms += 40_000
        return await plain(provider_id)

    provider = Provider(desk)
    body = json.dumps({"betId": "b", "gameRoundId": "r", "betAmount": "1.00"}).encode()
    headers = await provider.headers(body)
    monkeypatch.setattr(desk.hub.store.providers, "secrets", slow)
    answer = await provider.pay_in("b", headers)
    assert answer.status == 503, "known and believed; only its time is over"
    stale = await provider.balance(signing.sign(own, provider.name, timestamp_ms=1, request_id="f" * 32))
    assert stale.status == 401


async def test_while_the_database_cannot_do_its_work_new_bets_are_held_off_and_one_line_says_so(desk: Desk) -> None:
    """A full disk (here a trigger says so): 503 before anything is written, and it heals by itself."""
    full = (
        "create function full_() returns trigger language plpgsql as $$ begin"
        " raise exception 'no space left' using errcode = '53100'; end $$;"
        "create trigger full_ before insert on bets for each statement execute function full_()"
    )
    await desk.db.execute(full)
    provider = Provider(desk)
    with structlog.testing.capture_logs() as lines:
        for n in range(5):
            answer = await provider.pay_in(f"b-{n}")
            assert (answer.status, json.loads(answer.body)["_responseCode"]) == (503, 99)
        assert (await desk.call("GET", "/readyz")).status == 503
        with pytest.raises(DbUnfit):
            await retry_database(desk.hub)
        assert (await desk.call("GET", "/readyz")).status == 503
        await desk.db.execute("drop trigger full_ on bets; drop function full_()")
        await retry_database(desk.hub)
        assert (await desk.call("GET", "/readyz")).status == 200
    told = [line["event"] for line in lines]
    assert told == ["database.trouble", "database.well"]
    assert await desk.db.fetchval("select count(*) from bets") == 0
    assert await desk.db.fetchval("select count(*) from turns") == 0, "a trial leaves nothing"


@pytest.mark.slow
async def test_a_locked_row_gets_99_and_is_decided_later(desk: Desk, database_url: str) -> None:
    bet = await desk.bet()
    other = await asyncpg.connect(database_url)
    await other.execute("begin; select * from bets for update")
    provider = Provider(desk)
    body = json.dumps({"betId": bet.bet_ref}).encode()
    desk.hub.group_commit._clock = SystemClock()
    answer = await desk.call("POST", "/v1/sessions/s-2/bets/refund", body, **await provider.headers(body))
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (503, 99)
    await other.close()
    answer = await desk.call("POST", "/v1/sessions/s-2/bets/refund", body, **await provider.headers(body))
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (200, 1)


async def test_a_request_that_a_stopping_worker_cuts_off_is_answered(desk: Desk) -> None:
    """Not with the server's own words: every answer has the form of the protocol."""
    under_way: asyncio.Future[asyncio.Task[Any] | None] = asyncio.get_running_loop().create_future()

    async def hangs(*_: object) -> None:
        under_way.set_result(asyncio.current_task())
        await asyncio.Event().wait()

    desk.hub.store.sessions.get = hangs  # type: ignore[method-assign, assignment]
    provider = Provider(desk)
    headers = await provider.headers()
    asked = asyncio.create_task(provider.balance(headers))
    request = await under_way
    assert request is not None
    desk.hub.state.closing = True
    request.cancel()
    answer = await asked
    assert (answer.status, json.loads(answer.body)["_responseCode"]) == (504, 99)


@pytest.mark.parametrize(
    ("amount", "status", "told", "line"),
    [
        ("10000.01", 403, {"_responseCode": 4}, "the stake is not within 0.01 to 10000.00 EUR"),
        (
            "1.001",
            400,
            {"_responseCode": 6, "field": "betAmount", "message": "betAmount has more decimals than the 2 of EUR"},
            None,
        ),
    ],
)
async def test_a_stake_that_cannot_be_is_explained_to_whoever_may_know(
    desk: Desk, amount: str, status: int, told: dict[str, object], line: str | None
) -> None:
    """A field to the provider; a limit, which is nobody's mistake, to our log alone."""
    body = json.dumps({"betId": "b", "gameRoundId": "r", "betAmount": amount}).encode()
    headers = await Provider(desk).headers(body)
    with structlog.testing.capture_logs() as lines:
        answer = await desk.call("POST", "/v1/sessions/s-2/bets/pay-in", body, **headers)
    said = json.loads(answer.body)
    assert (answer.status, {key: said.get(key) for key in told}) == (status, told)
    assert [one["why"] for one in lines if one["event"] == "provider.limit"] == ([line] if line else [])
    assert line is None or "message" not in said
