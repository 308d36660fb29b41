"""The catalogue as a casino sees it: filters, words, languages, pages, changes, entity tags. Contract: casino.md 3.1."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from tests.casino_api.conftest import House


def names(told: Any) -> list[str]:
    return [game["providerGameId"] for game in told["games"]]


async def test_a_game_is_shown_with_all_that_is_known_of_it(house: House) -> None:
    await house.hub.store.games.set(house.games["owl"], features=("free-rounds",), jackpot_wins=True, min_bet="0.20")
    await house.hub.store.games.describe(house.games["owl"], "de", {"name": "Nachteule", "description": "Ruft."})
    told = (await house.get("games?language=de-AT"))["games"][0]
    assert told == {
        "gameId": house.games["owl"], "providerGameId": "owl", "providerId": house.provider.provider_id,
        "provider": "Reelwright", "name": "Nachteule", "description": "Ruft.", "language": "de", "category": "slots",
        "type": "rng", "features": ["free-rounds", "jackpot"], "maxOdd": "500", "minBet": "0.20",
        "imageUrl": "https://studio.example/owl.png", "available": True, "unavailableCurrencies": [],
        "unavailableCountries": [], "languages": ["de"], "changedAt": told["changedAt"],
    }  # fmt: skip
    one = await house.get(f"games/{house.games['owl']}")
    assert (one["name"], one["language"]) == ("Night Owl", None)
    assert one["translations"] == {"de": {"name": "Nachteule", "description": "Ruft."}}


FOUND = {
        "": ["owl", "fox", "hare"], "category=slots": ["owl"], "type=live": ["hare"], "type=rng": ["owl", "fox"],
        "provider=Reelwright": ["owl", "fox", "hare"], "provider=nobody": [], "text=night": ["owl"],
        "text=HOU": ["fox"], "text=fox%20hound": ["fox"], "text=owl%20fox": [], "text=%27)%20%7C%20(": ["owl", "fox", "hare"],
        "text=nachteule": ["owl"], "currency=JPY": ["owl", "fox", "hare"], "currency=USD": [],
        "features=free-rounds": ["owl"], "features=free-rounds,buy": [], "country=DE": ["owl", "fox", "hare"],
}  # fmt: skip


async def test_filters_and_words(house: House) -> None:
    await house.hub.store.games.set(house.games["owl"], features=("free-rounds",))
    await house.hub.store.games.describe(house.games["owl"], "de", {"name": "Nachteule"})
    for query, found in FOUND.items():
        assert (query, names(await house.get(f"games?{query}"))) == (query, found)


async def test_a_game_that_is_off_here_is_not_listed_and_is_there_for_others(house: House) -> None:
    await house.hub.store.games.switch(house.casino.casino_id, house.games["fox"], False)
    await house.hub.store.games.set(house.games["hare"], enabled=False)
    assert names(await house.get("games")) == ["owl"]
    told = await house.get("games?unavailable=true")
    assert [(g["providerGameId"], g["available"]) for g in told["games"]] == [
        ("owl", True),
        ("fox", False),
        ("hare", False),
    ]
    assert names(await (await house.another()).get("games")) == ["owl", "fox"]
    assert (await house.get(f"games/{house.games['fox']}"))["available"] is False


async def test_pages_end_and_hold_every_game_once(house: House) -> None:
    first = await house.get("games?limit=2")
    assert names(first) == ["owl", "fox"]
    second = await house.get(f"games?limit=2&cursor={first['nextCursor']}")
    assert (names(second), second["nextCursor"]) == (["hare"], None)
    assert second["changesCursor"] == first["changesCursor"], "where changes begin is the beginning of the list"


async def _settled(house: House, since: str) -> list[str]:
    """The names that stay listed once a newer cursor is read: a transaction in another database makes a game appear again."""
    patience = asyncio.get_running_loop().time() + 20
    while names(told := await house.get(f"games?since={since}")) and asyncio.get_running_loop().time() < patience:
        since = told["changesCursor"]
        await asyncio.sleep(0.05)
    return names(told)


async def test_changes_since_a_list_name_what_changed_and_what_is_gone(house: House) -> None:
    since = (await house.get("games"))["changesCursor"]
    assert await _settled(house, since) == [], "nothing changed"
    await house.hub.store.games.set(house.games["owl"], min_bet="1")
    await house.hub.store.games.switch(house.casino.casino_id, house.games["hare"], False)
    told = await house.get(f"games?since={since}")
    assert [(g["providerGameId"], g["available"]) for g in told["games"]] == [("owl", True), ("hare", False)]
    assert await _settled(house, told["changesCursor"]) == []
    await house.hub.store.providers.disable(house.provider.provider_id)
    gone = await house.get(f"games?since={told['changesCursor']}")
    assert [(g["providerGameId"], g["available"]) for g in gone["games"]] == [
        ("owl", False),
        ("fox", False),
        ("hare", False),
    ]


async def test_a_change_that_commits_late_is_not_missed(house: House) -> None:
    """A reader that counted by time or by a sequence would pass over the transaction that is still under way."""
    async with house.hub.store.db.transaction() as tx:
        await tx.execute("update games set min_bet = '2' where game_id = $1", house.games["fox"])
        apart = contextvars.Context()
        change = house.hub.store.games.set(house.games["owl"], min_bet="1")
        await asyncio.get_running_loop().create_task(change, context=apart)
        since = (await house.get("games"))["changesCursor"]
    assert "fox" in names(await house.get(f"games?since={since}"))


async def test_a_cursor_of_other_books_is_refused(house: House) -> None:
    answer = await house.ask("GET", "games?since=9000000000000000000")
    assert answer.code == (400, "bad_request")
    assert answer.body["field"] == "since"


async def test_what_has_not_changed_is_not_sent_again(house: House) -> None:
    first = await house.ask("GET", "games")
    await house.open()
    again = await house.ask("GET", "games", If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, None), "whatever else the hub committed"
    await house.hub.store.games.set(house.games["owl"], min_bet="3")
    assert (await house.ask("GET", "games", If_None_Match=first.headers["etag"])).status == 200


WRONG = {
    "limit=0": "limit",
    "limit=201": "limit",
    "limit=x": "limit",
    "cursor=x": "cursor",
    "cursor=1": "cursor",
    "currency=XXX": "currency",
    "country=de": "country",
    "country=DEU": "country",
    "language=d": "language",
    "type=A": "type",
    "features=a,,b": "features",
    "since=-1": "since",
    "unavailable=1": "unavailable",
    "categories=slots": "categories",
    "category=slots&category=live": "category",
    "text=": "text",
    "text=%00": "text",
    "provider=%0a": "provider",
    "cursor=99999999999999999999.1": "cursor",
}


async def test_a_wrong_query_is_refused_and_the_parameter_named(house: House) -> None:
    for query, field in WRONG.items():
        answer = await house.ask("GET", f"games?{query}")
        assert (query, answer.code, answer.body["field"]) == (query, (400, "bad_request"), field)


NOT_THERE = {
    ("GET", "games/99999"): (404, "not_found"),
    ("GET", "games/x"): (400, "bad_request"),
    ("GET", "nothing"): (404, "not_found"),
    ("POST", "games"): (405, "method_not_allowed"),
    ("GET", ""): (404, "not_found"),
}


async def test_what_is_not_there_is_a_problem(house: House) -> None:
    for (method, path), code in NOT_THERE.items():
        assert (path, (await house.ask(method, path)).code) == (path, code)
