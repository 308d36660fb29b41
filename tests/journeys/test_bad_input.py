"""Bad input of every kind at every boundary: refused with the contract's code, naming the field, storing nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.journeys.by_hand import HandCasino, Told, ask, compact, outcome_of
from tests.journeys.hostile import TOO_LARGE, hostile, valid
from tests.journeys.stage import Stage, Table, fresh

COUNTS = """
select (select count(*) from bets where provider_id = $1) as bets,
    (select count(*) from events e join bets b on b.bet_id = e.subject_id where b.provider_id = $1) as events,
    (select count(*) from demo_bets where provider_id = $1) as demo_bets"""
FULL = {"betId": "b", "gameRoundId": "r", "betAmount": "1.00", "winAmount": "2.00"}
FIELDS = {
    "pay-in": ("betId", "gameRoundId", "betAmount"),
    "pay-out": ("betId", "gameRoundId", "winAmount"),
    "pay-in-out": ("betId", "gameRoundId", "betAmount", "winAmount"),
    "refund": ("betId",),
}
REFS: list[Any] = [None, "", 5, True, [], {}, "x" * 129, "a\nb", "a\tb", "\u200b", "a\u2028b", "\ud800"]
AMOUNTS: list[Any] = [
    None, "", " ", "abc", "-1", "+1", "1.", ".5", "1,5", "1 000", " 1", "1 ", "1e3", "1E3", "0x10", "NaN", "Infinity",
    "1" * 16, "1.123456789", "1.001", "0.001", "\u0661\u0662", "\uff11", "1\n", True, [], {}, -1, 1e22, "1_000",
    "--1", "1.0.0", "\u22121", "01.00.", "0" * 65,
]  # fmt: skip


@pytest.fixture(params=sorted(FIELDS))
def verb(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def document(verb: str, bet: str) -> dict[str, str]:
    return {name: FULL[name] for name in FIELDS[verb]} | {"betId": bet}


def clean(told: Told) -> bool:
    """No traceback, no class name, no path and no SQL reaches a peer."""
    said = told.raw.lower()
    return not any(word in said for word in (b"traceback", b"error(", b'file "', b".py", b"asyncpg", b"select "))


# --- the provider half --------------------------------------------------------------------------------------------


async def test_hostile_bodies_are_refused_and_nothing_is_stored(stage: Stage, verb: str) -> None:
    table = await stage.table(studio=await stage.new_studio())
    path = f"/v1/sessions/{table.session}/bets/{verb}"
    bodies = hostile(document(verb, fresh("b")))
    told = {name: await table.line.send("POST", path, body) for name, body in bodies.items()}
    wanted = {name: (413 if name == TOO_LARGE else 400, 6) for name in bodies}
    assert {name: t.outcome for name, t in told.items()} == wanted
    assert all(clean(t) and len(t.raw) < 300 for t in told.values())
    assert dict(await stage.desk.store.db.fetchrow(COUNTS, table.line.provider_id) or {}) == {
        "bets": 0, "events": 0, "demo_bets": 0,
    }  # fmt: skip
    assert table.casino.heard == []


async def test_what_is_just_inside_every_bound_is_taken(table: Table) -> None:
    path = f"/v1/sessions/{table.session}/bets/pay-in"
    for name, body in valid(document("pay-in", fresh("b"))).items():
        told = await table.line.send("POST", path, body)
        assert (name, told.outcome) == (name, (200, 1))


async def test_every_field_is_judged_and_named(stage: Stage, verb: str) -> None:
    table = await stage.table(studio=await stage.new_studio())
    path = f"/v1/sessions/{table.session}/bets/{verb}"
    good = document(verb, fresh("b"))
    for name in FIELDS[verb]:
        without = {k: v for k, v in good.items() if k != name}
        odd = [{**good, name: value} for value in (AMOUNTS if name.endswith("Amount") else REFS)]
        for bad in [without, *odd]:
            told = await table.line.send("POST", path, json.dumps(bad).encode())
            assert (bad, told.outcome) == (bad, (400, 6))
            surrogate = bad.get(name) == "\ud800"
            assert (bad, told.said.get("field")) == (bad, None if surrogate else name)
            assert clean(told)
    for value in ["other", 5, "", "x" * 129, []]:
        told = await table.line.send("POST", path, json.dumps({**good, "sessionId": value}).encode())
        assert (told.outcome, told.said["field"]) == ((400, 6), "sessionId")
    assert dict(await stage.desk.store.db.fetchrow(COUNTS, table.line.provider_id) or {})["bets"] == 0
    assert table.casino.heard == []


async def test_long_and_foreign_ids_inside_the_bound_are_kept(table: Table) -> None:
    for bet in ("x" * 128, "\u0416" * 128, "b/../c?d#e%00", "'; drop table bets; --", "{}", "\U0001f3b0" * 100):
        bet_id = fresh("b") + bet
        bet_id = bet_id[:128]
        told = await table.line.pay_in(table.session, bet_id)
        assert told.outcome == (200, 1)
        assert await table.row(bet_id) is not None


@pytest.mark.parametrize("amount", ["0.01", "1.00", "1.000", "1.10000000", "000000000000001.00"])
async def test_amounts_inside_the_grammar_are_taken(table: Table, amount: str) -> None:
    assert (await table.line.pay_in(table.session, fresh("b"), amount)).outcome == (200, 1)


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1.5"), ("KWD", "1.0001"), ("KWD", "999999999999999.999")])
async def test_an_amount_must_fit_its_currency(stage: Stage, currency: str, amount: str) -> None:
    """More decimals than the currency has, or more than 10^17 minor units."""
    table = await stage.table(await stage.new_casino(currencies=(currency,)), currency=currency)
    told = await table.line.pay_in(table.session, fresh("b"), amount)
    assert (told.outcome, told.said["field"]) == ((400, 6), "betAmount")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", "", "json"]
)
async def test_another_content_type_is_415(stage: Stage, table: Table, kind: str) -> None:
    bet = fresh("b")
    told = await table.line.send(
        "POST", f"/v1/sessions/{table.session}/bets/pay-in", compact(document("pay-in", bet)), kind=kind
    )
    assert told.outcome == (415, 6)
    assert await table.row(bet) is None
    refused = await table.casino.line.call("payments/accept", {}, kind=kind)
    assert refused.outcome == (415, 103752)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/json;x=y"])
async def test_json_by_any_of_its_names_is_taken(table: Table, kind: str) -> None:
    body = compact(document("pay-in", fresh("b")))
    told = await table.line.send("POST", f"/v1/sessions/{table.session}/bets/pay-in", body, kind=kind)
    assert told.outcome == (200, 1)


async def test_a_body_without_a_length_is_bounded_as_it_comes(stage: Stage, table: Table) -> None:
    """Chunks, as a proxy sends them: what is inside the bound is read, what is not is refused on the way."""

    async def chunks(body: bytes, count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield body

    url = f"{stage.facts.hub_url}/v1/sessions/{table.session}/bets/pay-in"
    body = compact(document("pay-in", fresh("b")))
    headers = {**table.line.signed(body), "Content-Type": "application/json"}
    async with stage.http.post(url, data=chunks(body, 1), headers=headers) as answer:
        assert (answer.status, (await answer.json())["_responseCode"]) == (200, 1)
    headers = {**table.line.signed(b"x"), "Content-Type": "application/json"}
    async with stage.http.post(url, data=chunks(b" " * 8192, 9), headers=headers) as answer:
        assert (answer.status, (await answer.json())["_responseCode"]) == (413, 6)


@pytest.mark.parametrize(
    "session", ["%00", "%0a", "%20", "x" * 129, "%ff%fe", "%F0%9F%8E%B0", "'", "..%00", "%E2%80%AE"]
)
async def test_an_odd_session_in_the_path_is_refused_like_any_other(table: Table, session: str) -> None:
    body = compact(document("pay-in", fresh("b")))
    told = await table.line.send("POST", f"/v1/sessions/{session}/bets/pay-in", body)
    assert told.outcome in {(400, 6), (404, 2)}
    assert clean(told)


# --- the casino half ----------------------------------------------------------------------------------------------


async def test_hostile_accepts_are_refused_and_nothing_is_stored(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    before = await table.row(bet)
    made = table.casino.made(-1)[0]
    for path, envelope in [
        ("payments/accept", outcome_of(made, 102823)),
        (
            "cashback-payments/accept",
            outcome_of({"CashbackId": 5, "PartnerUserId": "a", "TransactionType": 1, "Amount": "1"}),
        ),
    ]:
        for name, body in hostile(envelope).items():
            told = await table.casino.line.call(path, body)
            assert (name, told.outcome) == (name, (413 if name == TOO_LARGE else 400, 103752))
            assert set(told.said) == {"ErrorCode", "Message"}
            assert clean(told)
    assert await table.row(bet) == before
    assert await stage.incidents(made["BetId"]) == set()


async def test_hostile_token_requests_are_refused(stage: Stage) -> None:
    casino = await stage.new_casino()
    good = {"PartnerClientId": casino.line.client_id, "Secret": casino.line.secret}
    for name, body in hostile(good).items():
        told = await casino.line.call("auth/token", body, bearer=None)
        assert (name, told.outcome) == (name, (413 if name == TOO_LARGE else 400, 103752))
    for name, body in valid(good).items():
        assert (name, (await casino.line.call("auth/token", body, bearer=None)).outcome) == (name, (200, 200))


@pytest.mark.parametrize("length", ["65537", "99999999999999999999", "-1", "x"])
async def test_a_declared_length_beyond_the_bound_is_refused_without_reading(stage: Stage, length: str) -> None:
    """Spoken by hand, because no client would declare it. A length that is no number is the server's to refuse."""
    host, port = stage.facts.hub_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /mis-api/api/v2/auth/token HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
        b"Content-Length: " + length.encode() + b"\r\n\r\n"
    )
    head = await asyncio.wait_for(reader.readline(), 5)
    rest = await asyncio.wait_for(reader.read(4096), 5)
    writer.close()
    await writer.wait_closed()
    assert head.split()[1] in {b"413", b"400"}
    assert b"Traceback" not in rest


async def test_an_odd_bearer_is_unauthorized_and_nothing_else(stage: Stage) -> None:
    url = f"{stage.facts.hub_url}/mis-api/api/v2/payments/accept"
    for odd in [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "bearer x",
        "Bearer " + "x" * 7000,
        "Bearer ....",
        "Bearer e30.e30.e30",
    ]:
        headers = {"Authorization": odd, "Content-Type": "application/json"}
        told = await ask(stage.http, "POST", url, b"{}", headers)
        assert (odd[:20], told.outcome) == (odd[:20], (401, 103752))


async def test_a_token_with_a_character_outside_ascii_is_refused_like_any_other(stage: Stage) -> None:
    casino = (await stage.new_casino()).line
    head, claims, signature = (await casino.bearer()).split(".")
    odd = f"{head}.{claims[:9]}\u00e9{claims[9:]}.{signature}"
    headers = {"Authorization": f"Bearer {odd}", "Content-Type": "application/json"}
    told = await ask(stage.http, "POST", f"{stage.facts.hub_url}/mis-api/api/v2/payments/accept", b"{}", headers)
    assert told.outcome == (401, 103752)
    assert (await casino.call("auth/verify", odd)).outcome == (200, 103753)


async def test_hostile_verify_bodies_are_refused(stage: Stage) -> None:
    casino: HandCasino = (await stage.new_casino()).line
    for body in (b"", b"x", b'"a', b'"\\u0000"', b'"\xff"', b'"' + b"x" * 65536 + b'"', b'\xef\xbb\xbf"x"'):
        told = await casino.call("auth/verify", body)
        assert told.status in {400, 413}
        assert told.code == 103752
