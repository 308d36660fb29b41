"""The signatures of the provider half on the wire: what is let in, for how long, how often, and by which worker."""

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import aiohttp
import pytest
from multidict import CIMultiDict

from tests.journeys.by_hand import HandProvider, compact, signature
from tests.journeys.peers import book_inline
from tests.journeys.stage import Stage, Table, fresh

VECTOR_BODY = b'{"betAmount":"12.50","betId":"b-1001","gameRoundId":"r-77","sessionId":"s-abc"}'
VECTOR = (
    "demo-provider-secret",
    "3f0c8d52-6f0e-4a53-9b1c-0f6f3a2f7c11",
    "1760000000123",
    "0b5d1f7a9c2e4d6f8a1b3c5d7e9f0a2b",
)


def test_the_hand_that_signs_here_agrees_with_the_vectors_of_the_contract() -> None:
    with_body = "242272a3b3cf717211c29d763d3dfb121efe5d7286a969ef6af5d393db65fb2e"
    without = "407997d491f2ed866d3cfb7cfa87fbad58a4e8e321d9b1b3344f368983818b30"
    assert signature(*VECTOR, VECTOR_BODY) == with_body
    assert signature(*VECTOR, b"") == without


@pytest.mark.slow
async def test_every_failure_is_answered_with_the_same_bytes(table: Table) -> None:
    line, now = table.line, time.time_ns() // 1_000_000
    good = line.signed()
    wrong = {
        "other secret": line.signed(secret="x"),
        "nobody": line.signed(counterparty="00000000-0000-4000-8000-000000000000"),
        "no such number": line.signed(counterparty="999999999"),
        "other signature": line.signed(sign="0" * 64),
        "upper case": line.signed(sign=good["X-Sign"].upper()),
        "other time than signed": {**good, "X-Timestamp": str(int(good["X-Timestamp"]) + 1)},
        "other id than signed": {**good, "X-Request-Id": "f" * 32},
        "other body than signed": line.signed(b"{}"),
        "seconds": line.signed(timestamp=str(now // 1000)),
        "no time": line.signed(timestamp="now"),
        "short id": line.signed(request_id="abc"),
        "odd id": line.signed(request_id="g" * 32),
        "31 s ago": line.signed(timestamp=str(now - 31_000)),
        "31 s ahead": line.signed(timestamp=str(now + 31_000)),
        "none at all": {},
        **{f"without {name}": {k: v for k, v in good.items() if k != name} for name in good},
    }
    path = f"/v1/sessions/{table.session}/balance"
    told = {name: await line.send("GET", path, headers=headers) for name, headers in wrong.items()}
    assert {name: t.outcome for name, t in told.items()} == dict.fromkeys(wrong, (401, 8))
    assert len({t.raw for t in told.values()}) == 1
    assert (await line.send("GET", path, headers=good)).code == 1, "the one that was right was not used up"


async def test_a_timestamp_inside_the_window_of_either_side_is_fresh(table: Table) -> None:
    now = time.time_ns() // 1_000_000
    path = f"/v1/sessions/{table.session}/balance"
    for shift_ms in (-25_000, 25_000):
        told = await table.line.send("GET", path, headers=table.line.signed(timestamp=str(now + shift_ms)))
        assert told.outcome == (200, 1)


async def test_the_window_is_a_setting_of_the_provider(stage: Stage) -> None:
    table = await stage.table(studio=await stage.new_studio(fresh_s=120.0))
    old = str(time.time_ns() // 1_000_000 - 100_000)
    path = f"/v1/sessions/{table.session}/balance"
    assert (await table.line.send("GET", path, headers=table.line.signed(timestamp=old))).code == 1


async def test_a_provider_may_go_by_its_number_and_its_guid_in_any_case(table: Table) -> None:
    path = f"/v1/sessions/{table.session}/balance"
    for name in (str(table.line.provider_id), table.line.counterparty_id.upper()):
        told = await table.line.send("GET", path, headers=table.line.signed(counterparty=name))
        assert told.outcome == (200, 1)


@pytest.mark.slow
async def test_two_secrets_hold_during_a_rotation_and_only_the_new_one_after_it(stage: Stage) -> None:
    table = await stage.table(studio=await stage.new_studio())
    path, rotate = f"/v1/sessions/{table.session}/balance", stage.desk.store.providers.rotate_secret
    old = table.line.secret
    table.line.secret = new = await rotate(table.line.provider_id)
    await asyncio.sleep(0.7)
    told = [await table.line.send("GET", path, headers=table.line.signed(secret=s)) for s in (old, new)]
    assert [t.code for t in told] == [1, 1]
    table.line.secret = newest = await rotate(table.line.provider_id, keep_old_s=0)
    await asyncio.sleep(0.7)
    told = [await table.line.send("GET", path, headers=table.line.signed(secret=s)) for s in (old, new, newest)]
    assert [t.code for t in told] == [8, 8, 1]


# --- repeats ------------------------------------------------------------------------------------------------------


async def test_a_repeated_request_of_a_bet_call_is_answered_as_the_repeat_it_is(table: Table) -> None:
    bet = fresh("b")
    for verb, fields in [
        ("pay-in", {"betId": bet, "gameRoundId": "r", "betAmount": "10.00"}),
        ("pay-out", {"betId": bet, "gameRoundId": "r", "winAmount": "1.00"}),
        ("refund", {"betId": bet}),
    ]:
        body = compact(fields)
        headers, path = table.line.signed(body), f"/v1/sessions/{table.session}/bets/{verb}"
        told = [await table.line.send("POST", path, body, headers=headers) for _ in range(2)]
        assert [t.outcome for t in told] == [(200, 1)] * 2
        assert told[0].raw == told[1].raw
    await table.make(2)
    assert len(table.casino.made(-1)) == 1


async def test_a_request_id_with_another_body_or_on_another_call_is_refused(table: Table) -> None:
    bet, used = fresh("b"), secrets.token_hex(16)
    base = f"/v1/sessions/{table.session}"
    body = compact({"betId": bet, "gameRoundId": "r", "betAmount": "10.00"})
    assert (
        await table.line.send("POST", f"{base}/bets/pay-in", body, headers=table.line.signed(body, request_id=used))
    ).code == 1
    other = compact({"betId": bet, "gameRoundId": "r", "betAmount": "11.00"})
    for path, again in [("bets/pay-in", other), ("bets/refund", compact({"betId": bet})), ("bets/pay-in-out", body)]:
        headers = table.line.signed(again, request_id=used.upper())
        assert (await table.line.send("POST", f"{base}/{path}", again, headers=headers)).outcome == (401, 8)
    assert (await table.line.send("GET", f"{base}/balance", headers=table.line.signed(request_id=used))).code == 8
    assert (await table.row(bet) or {})["state"] == "on"


async def test_a_repeated_question_for_the_balance_is_refused(table: Table) -> None:
    headers, path = table.line.signed(), f"/v1/sessions/{table.session}/balance"
    told = [await table.line.send("GET", path, headers=headers) for _ in range(3)]
    assert [t.outcome for t in told] == [(200, 1), (401, 8), (401, 8)]


async def test_of_many_with_one_id_at_once_one_is_let_in(table: Table) -> None:
    headers, path = table.line.signed(), f"/v1/sessions/{table.session}/balance"
    told = await asyncio.gather(*(table.line.send("GET", path, headers=headers) for _ in range(12)))
    assert sorted(t.code for t in told) == [1] + [8] * 11


async def test_two_providers_may_use_one_request_id(stage: Stage, table: Table) -> None:
    other = await stage.table(studio=await stage.new_studio())
    used = secrets.token_hex(16)
    for one in (table, other):
        headers = one.line.signed(request_id=used)
        assert (await one.line.send("GET", f"/v1/sessions/{one.session}/balance", headers=headers)).code == 1


async def test_a_repeat_is_known_to_the_other_worker(stage: Stage, table: Table) -> None:
    """The first request is answered by one worker, its repeat by the other: the one in between stands still."""
    table.casino.says["payments/make"] = book_inline  # an accept might go to the one that stands still
    one, other = await _workers(stage)
    path = f"/v1/sessions/{table.session}"
    bet = fresh("b")
    body = compact({"betId": bet, "gameRoundId": "r", "betAmount": "10.00"})
    changed = compact({"betId": bet, "gameRoundId": "r", "betAmount": "12.00"})
    used = secrets.token_hex(16)
    question = table.line.signed()
    with _standing_still(other):
        async with _on_a_new_connection(table.line) as line:
            assert (await line.send("GET", f"{path}/balance", headers=question)).outcome == (200, 1)
            first = await line.send("POST", f"{path}/bets/pay-in", body, headers=line.signed(body, request_id=used))
    with _standing_still(one):
        async with _on_a_new_connection(table.line) as line:
            assert (await line.send("GET", f"{path}/balance", headers=question)).outcome == (401, 8)
            again = await line.send("POST", f"{path}/bets/pay-in", body, headers=line.signed(body, request_id=used))
            odd = await line.send("POST", f"{path}/bets/pay-in", changed, headers=line.signed(changed, request_id=used))
    assert (first.outcome, again.outcome, odd.outcome) == ((200, 1), (200, 1), (401, 8))
    assert first.raw == again.raw


async def _workers(stage: Stage) -> list[int]:
    rows = await stage.desk.store.db.fetch("select pid from processes order by pid")
    assert len(rows) == 2
    return [row["pid"] for row in rows]


@contextlib.contextmanager
def _standing_still(pid: int) -> Iterator[None]:
    """Our own worker, stopped for a moment."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def _on_a_new_connection(line: HandProvider) -> AsyncIterator[HandProvider]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        yield replace(line, http=http)


@pytest.mark.parametrize("header", ["X-Sign", "X-Timestamp", "X-Request-Id", "X-Counterparty-Id"])
async def test_a_header_that_is_there_twice_is_no_signature(stage: Stage, table: Table, header: str) -> None:
    good = table.line.signed()
    twice = CIMultiDict(good)
    twice.add(header, good[header])
    url = f"{stage.facts.hub_url}/v1/sessions/{table.session}/balance"
    async with stage.http.get(url, headers=twice) as answer:
        assert (answer.status, (await answer.json())["_responseCode"]) == (401, 8)
