"""Player protection: exclusion ends play at once and pays what is owed; limits of the casino hold in open sessions. Contract: casino.md 3.5."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from croupier.core.commands import PayIn, PayOut
from croupier.core.readings import PaymentKind
from croupier.core.refusals import Refusal
from croupier.flows.pay_in import pay_in
from croupier.flows.pay_out import pay_out
from croupier.store.db import Db
from tests.casino_api.conftest import House, at, open_house
from tests.casino_api.test_frame import as_player

HOUR_MS = 3_600_000


async def bet(house: House, session_id: str, ref: str, stake: str = "1.00") -> Refusal | None:
    """What a provider's new bet is answered if it is refused; no stake is ever sent here."""
    session = await house.hub.store.sessions.get(session_id)
    assert session is not None
    house.hub.state.closing = False
    return (await pay_in(house.hub, PayIn(session.provider_id, session_id, ref, "r-1", stake))).refusal


@pytest.mark.slow
async def test_an_exclusion_ends_play_at_once_and_what_is_owed_is_paid(house: House) -> None:
    session = (await house.open())["sessionId"]
    token = (await house.enter(token="r-1")).body["accessToken"]
    bet_id = await house.play(session, "b-1")
    house.clock.ms += 1000
    told = await house.ask("PUT", "players/anna/exclusion", {"until": at(HOUR_MS), "reason": "asked for it"})
    assert told.status == 200
    assert told.body == {
        "playerId": "anna", "excluded": True, "until": at(HOUR_MS), "reason": "asked for it", "since": at(1000),
        "sessionsEnded": 1,
    }  # fmt: skip
    over = await house.get(f"sessions/{session}")
    assert (over["state"], over["endedBy"], over["endReason"]) == ("over", "casino Rialto", "excluded")
    assert await bet(house, session, "b-2") is Refusal.SESSION_UNKNOWN
    found = await house.hub.store.sessions.get(session)
    assert found is not None
    paid = await pay_out(house.hub, PayOut(found.provider_id, session, "b-1", "r-1", "25.00"))
    assert paid.refusal is None, "what was bet before is paid"
    await house.accept(bet_id, PaymentKind.PAYOUT, 2500, found)
    body = {"playerId": "anna", "currency": "EUR", "gameId": house.games["owl"]}
    answer = await house.ask("POST", "sessions", body)
    assert (answer.code, answer.body["rule"]) == ((403, "player_refused"), "player_excluded")
    assert (await house.ask("POST", "sessions", {**body, "mode": "demo"})).code == (403, "player_refused")
    state = await as_player(house, token, "GET", "frame/session")
    assert state.body["hardStop"] == {"reason": "excluded", "at": None, "until": at(HOUR_MS)}
    assert (await as_player(house, token, "POST", f"frame/games/{house.games['owl']}/launch", {})).code == (
        403,
        "player_refused",
    )
    assert (await house.enter(token="r-2")).body["rule"] == "player_excluded"


@pytest.mark.slow
async def test_an_exclusion_ends_by_itself_or_by_the_casino_and_each_is_noted(house: House) -> None:
    await house.open()
    await house.ask("PUT", "players/anna/exclusion", {"until": at(HOUR_MS)})
    house.clock.ms += HOUR_MS
    await house.log_in()
    assert (await house.get("players/anna/exclusion"))["excluded"] is False
    await house.open()
    forever = await house.ask("PUT", "players/anna/exclusion", {})
    assert (forever.body["excluded"], forever.body["until"]) == (True, None)
    assert (await house.ask("DELETE", "players/anna/exclusion")).body["excluded"] is False
    assert (await house.ask("DELETE", "players/anna/exclusion")).body["excluded"] is False
    await house.open()
    rows = await house.hub.store.db.fetch(
        "select until_ms is null as lifted, author from player_exclusions order by exclusion_id"
    )
    assert [(row["lifted"], row["author"]) for row in rows] == [(False, "casino Rialto")] * 2 + [
        (True, "casino Rialto")
    ]


@pytest.mark.slow
async def test_a_casino_cannot_lift_what_a_person_blocked_nor_reach_anothers_player(house: House) -> None:
    await house.open()
    player = await house.hub.store.players.find(house.casino.casino_id, "anna")
    assert player is not None
    await house.hub.store.players.block(player.player_id, True, reason="fraud", author="eve")
    assert (await house.ask("DELETE", "players/anna/exclusion")).body["excluded"] is False
    blocked = await house.hub.store.players.find(house.casino.casino_id, "anna")
    assert blocked is not None
    assert blocked.blocked
    other = await house.another()
    for method, path, body in (
        ("GET", "exclusion", None), ("PUT", "exclusion", {}), ("DELETE", "exclusion", None), ("GET", "limits", None), ("PUT", "limits", {}),
    ):  # fmt: skip
        theirs, nobodys = [await other.ask(method, f"players/{name}/{path}", body) for name in ("anna", "nobody")]
        assert (theirs.code, theirs.body) == ((404, "not_found"), nobodys.body)
    assert (await other.ask("PUT", "players/anna/exclusion", {"currency": "JPY"})).body["excluded"] is True
    assert (await house.get("players/anna/exclusion"))["excluded"] is False


async def test_a_wrong_exclusion_or_limit_is_refused(house: House) -> None:
    await house.open()
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("exclusion", {"until": at(-1)}, "until"), ("exclusion", {"until": "tomorrow"}, "until"), ("exclusion", {"reason": "a\nb"}, "reason"),
        ("limits", {"maxBet": "1.001"}, "maxBet"), ("limits", {"sessionMinutes": 0}, "sessionMinutes"),
        ("limits", {"maxLoss": -1}, "maxLoss"),
    ]  # fmt: skip
    for path, body, field in wrong:
        answer = await house.ask("PUT", f"players/anna/{path}", body)
        assert (answer.code, answer.body["field"]) == ((400, "bad_request"), field)
    assert (await house.ask("PUT", "players/new/limits", {"currency": "USD"})).body["field"] == "currency"


async def test_limits_of_a_player_hold_in_open_sessions_and_for_the_frame(house: House) -> None:
    session = (await house.open())["sessionId"]
    limits = {
        "maxBet": "2.00",
        "maxLoss": "5.00",
        "maxStakes": "50.00",
        "sessionMinutes": 60,
        "realityCheckMinutes": 20,
    }
    told = await house.ask("PUT", "players/anna/limits", limits)
    assert told.body == {"playerId": "anna", "currency": "EUR", "limits": limits}
    assert await house.get("players/anna/limits") == told.body
    assert await bet(house, session, "b-1", "2.01") is Refusal.LIMIT
    entered = (await house.enter(token="r-1")).body["session"]
    assert entered["realityCheck"]["everySeconds"] == 1200
    assert entered["hardStop"] == {"reason": "time", "at": at(HOUR_MS), "until": None}
    house.clock.ms += HOUR_MS
    await house.log_in()
    assert await bet(house, session, "b-2") is Refusal.SESSION_UNKNOWN, "the time of the session is over"
    assert (await house.ask("PUT", "players/anna/limits", {})).body["limits"] == {}


async def test_sums_of_a_session_count_what_is_staked_and_won(house: House) -> None:
    session = (await house.open(limits={"maxLoss": "20.00", "maxStakes": "45.00"}))["sessionId"]
    stakes, found = house.hub.store.session_stakes, await house.hub.store.sessions.get(session)
    assert found is not None

    async def noted(ref: str, stake: int, win: int | None = None) -> bool:
        if not await stakes.note(found, ref, stake):
            return False
        await house.play(session, ref, stake, win)
        return True

    assert await noted("b-1", 1000, 0)
    assert await noted("b-2", 1000), "exactly at the limit"
    assert not await noted("b-3", 1), "an open stake counts as lost"
    assert await stakes.note(found, "b-2", 1000), "a repeat is no second stake"
    await pay_out(house.hub, PayOut(found.provider_id, session, "b-2", "r-1", "15.00"))
    assert await noted("b-4", 1500, 0), "a win gives room"
    assert not await noted("b-5", 1)
    assert await stakes.note(found, "b-6", 0), "a free round costs nothing"
    house.clock.ms += 120_000
    assert await stakes.note(found, "b-7", 0)


async def test_of_bets_at_once_only_what_fits_is_noted(house: House) -> None:
    session = (await house.open(limits={"maxLoss": "5.00"}))["sessionId"]
    found = await house.hub.store.sessions.get(session)
    assert found is not None
    told = await asyncio.gather(*(house.hub.store.session_stakes.note(found, f"b-{n}", 100) for n in range(12)))
    assert sum(told) == 5
    house.clock.ms += 61_000
    assert await house.hub.store.session_stakes.note(found, "b-later", 500), "a stake without a bet counts for a minute"


async def test_a_bet_beyond_the_sums_is_refused_and_nothing_is_sent(house: House) -> None:
    session = (await house.open(limits={"maxStakes": "1.50"}))["sessionId"]
    assert await bet(house, session, "b-1", "1.51") is Refusal.LIMIT
    assert (await house.get("bets"))["bets"] == []


async def test_what_protects_a_player_is_never_limited(db: Db) -> None:
    async with open_house(db, api_per_s=1) as house:
        await house.open()
        for _ in range(6):
            await house.ask("GET", "games")
        assert (await house.ask("GET", "games")).status == 429
        assert (await house.ask("PUT", "players/anna/exclusion", {})).status == 200
        assert (await house.ask("PUT", "players/anna/limits", {})).status == 200
