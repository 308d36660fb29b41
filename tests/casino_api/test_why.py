"""Why a game or a bet is not available: each rule, who set it and when; a switch closes and never opens. Contract: casino.md 3.7."""

from __future__ import annotations

from typing import Any

from croupier.core.commands import GameListing
from croupier.store.parties.switchings import acting
from tests.casino_api.conftest import House, at


async def reasons(house: House, query: str = "", game: str = "owl") -> list[tuple[str, str | None, str | None]]:
    told = await house.get(f"games/{house.games[game]}/why?{query}")
    assert told["available"] is not bool(told["reasons"])
    return [(one["rule"], one["setBy"], one["reason"]) for one in told["reasons"]]


async def test_each_switch_names_its_rule_its_author_and_its_reason(house: House) -> None:
    store, owl = house.hub.store, house.games["owl"]
    assert await reasons(house) == []
    with acting("eve", "licence"):
        await store.games.switch(house.casino.casino_id, owl, False)
        await store.games.switch(None, owl, False, currency="JPY")
    with acting("adam"):
        await store.games.switch(house.casino.casino_id, owl, False, country="DE")
        await store.providers.disable(house.provider.provider_id)
        await store.games.set(owl, enabled=False)
    here = [
        ("provider_disabled", "adam", None),
        ("game_disabled", "adam", None),
        ("game_off_for_casino", "eve", "licence"),
    ]
    assert await reasons(house) == here
    assert await reasons(house, "currency=JPY&country=DE") == [
        *here, ("game_off_for_currency", "eve", "licence"), ("game_off_for_country", "adam", None),
    ]  # fmt: skip
    assert await reasons(house, "currency=USD&country=FR") == [("currency_not_played", None, None), *here]
    told = await house.get(f"games/{owl}/why")
    assert {one["setAt"] for one in told["reasons"]} == {at()}
    assert [rule for rule, _, _ in await reasons(await house.another(), "currency=JPY&country=DE")] == [
        "provider_disabled", "game_disabled", "game_off_for_currency",
    ]  # fmt: skip


async def test_a_game_that_vanished_and_a_player_who_may_not(house: House) -> None:
    store = house.hub.store
    await house.open()
    await store.games.take_listing(
        house.provider.provider_id, [GameListing("fox", "Fox", "table")], enabled_for_new=True
    )
    assert await reasons(house) == [("game_not_listed", "hub", None)]
    player = await store.players.find(house.casino.casino_id, "anna")
    assert player is not None
    await store.players.block(player.player_id, True, reason="fraud", author="eve")
    await house.ask("PUT", "players/anna/exclusion", {"until": at(60_000), "reason": "asked"})
    assert await reasons(house, "player=anna&currency=JPY", "fox") == [
        ("player_currency", None, "it is EUR"), ("player_blocked", "eve", "fraud"), ("player_excluded", "casino Rialto", "asked"),
    ]  # fmt: skip
    assert await reasons(house, "player=nobody", "fox") == []


async def test_switches_in_a_currency_or_country_hold_for_lists_launches_and_bets(house: House) -> None:
    store, owl = house.hub.store, house.games["owl"]
    session = (await house.open(country="DE"))["sessionId"]
    since = (await house.get("games"))["changesCursor"]
    await store.games.switch(None, owl, False, country="DE")
    await store.games.switch(house.casino.casino_id, owl, False, currency="JPY")

    async def listed(query: str) -> list[str]:
        return [game["providerGameId"] for game in (await house.get(f"games?{query}"))["games"]]

    assert await listed("country=DE") == await listed("currency=JPY") == ["fox", "hare"]
    assert await listed("country=FR&currency=EUR") == ["owl", "fox", "hare"]
    (changed,) = (await house.get(f"games?since={since}"))["games"]
    assert (changed["unavailableCurrencies"], changed["unavailableCountries"]) == (["JPY"], ["DE"])
    found = await store.sessions.get(session)
    assert found is not None
    assert not found.game_open, "in an open session too"
    body: dict[str, Any] = {"playerId": "bob", "currency": "EUR", "gameId": owl, "country": "DE"}
    assert (await house.ask("POST", "sessions", body)).body["rule"] == "game_off_for_country"
    yen = {**body, "playerId": "yuki", "currency": "JPY", "country": "FR"}
    assert (await house.ask("POST", "sessions", yen)).body["rule"] == "game_off_for_currency"
    await store.games.switch(house.casino.casino_id, owl, True, country="DE")
    assert await listed("country=DE") == ["fox", "hare"], "on for one lifts no switch of all"
    await store.games.switch(None, owl, True, country="DE")
    assert await listed("country=DE") == ["owl", "fox", "hare"]
    assert (await store.sessions.get(session) or found).game_open


async def test_a_bet_says_why_it_is_as_it_is(house: House) -> None:
    session = (await house.open())["sessionId"]
    good = await house.play(session, "b-1")
    assert (await house.get(f"bets/{good}/why")) == {"betId": good, "state": "on", "reasons": []}
    settled = await house.get(f"bets/{await house.play(session, 'b-2', win=0)}/why")
    assert settled["state"] == "settled"
    other = await house.another()
    theirs, nobodys = [await other.ask("GET", f"bets/{number}/why") for number in (good, 17)]
    assert (theirs.code, theirs.body) == ((404, "not_found"), nobodys.body)
