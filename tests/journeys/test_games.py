"""`GET {provider}/v1/games`: the catalogue as the provider lists it."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from croupier.flows.sync_games import sync_games
from croupier.kit.wire import PeerError
from tests.journeys.peers import Studio
from tests.journeys.stage import HOLDS_WITHIN_S, Stage, fresh


async def sync(stage: Stage, studio: Studio) -> dict[str, Any]:
    """Fetch the games, as `provider sync` does; the catalogue by gameId."""
    provider = await stage.desk.store.providers.find(studio.line.provider_id)
    assert provider is not None
    await sync_games(stage.desk, provider)
    return {game.game_ref: game for game in await stage.desk.store.games.all(provider.provider_id)}


async def test_the_sandbox_studios_catalogue_is_there_with_its_oddities(stage: Stage) -> None:
    games = {game.game_ref: game for game in await stage.desk.store.games.all(stage.facts.provider_id)}
    assert {"lantern-tumble", "7007", "marble-run"} <= set(games)
    assert games["7007"].name == "Paper Dice", "a number is an id like any other"
    assert games["marble-run"].category == "marbles", "a category the contract does not name is kept"
    assert games["lantern-tumble"].max_odd == "500"
    assert all(game.enabled and game.listed for game in games.values())


async def test_new_games_arrive_vanished_ones_are_off_and_come_back(stage: Stage) -> None:
    studio = await stage.new_studio()
    one = {"gameId": "one", "name": "One", "gameCategory": "slots", "lobbyImgUrl": "https://img.example/1.png"}
    studio.games = [one, {"gameId": 2, "name": "Two", "gameCategory": "crash", "maxOdd": 12.5}]
    first = await sync(stage, studio)
    assert (first["one"].image_url, first["2"].max_odd) == ("https://img.example/1.png", "12.5")
    assert not first["hand-reels"].listed, "vanished, and still there"
    studio.games = [{**one, "name": "One More"}]
    second = await sync(stage, studio)
    assert (second["one"].name, second["one"].game_id) == ("One More", first["one"].game_id)
    assert not second["2"].listed
    studio.games = []
    assert not any(game.listed for game in (await sync(stage, studio)).values())
    studio.games = [one]
    assert (await sync(stage, studio))["one"].listed


async def test_a_provider_may_have_new_games_arrive_switched_off(stage: Stage) -> None:
    studio = await stage.new_studio(games_enabled=False)
    assert {g.enabled for g in await stage.desk.store.games.all(studio.line.provider_id)} == {False}


async def test_a_vanished_game_takes_no_new_bets_and_settles_the_old(stage: Stage) -> None:
    table = await stage.table(studio=await stage.new_studio())
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).code == 1
    table.studio.games = []
    await sync(stage, table.studio)
    await asyncio.sleep(HOLDS_WITHIN_S)
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (403, 4)
    assert (await table.line.pay_out(table.session, bet)).outcome == (200, 1)


async def test_one_element_that_cannot_be_read_spoils_only_itself(stage: Stage) -> None:
    studio = await stage.new_studio()
    good = {"gameId": "good", "name": "Good", "gameCategory": "slots"}
    bad: list[Any] = [
        {**good, "gameId": None}, {**good, "gameId": "x" * 129}, {**good, "gameId": 1.5}, {**good, "name": 5},
        {"gameId": "nameless", "gameCategory": "slots"}, {**good, "gameId": "a\nb"}, "text", 5, None, [],
    ]  # fmt: skip
    studio.games = [good, *bad]
    known = await sync(stage, studio)
    assert {"good"} < set(known)
    assert not {"nameless", "x" * 129, "a\nb", "1.5"} & set(known)
    assert known["hand-reels"].listed, "it may be one of those that could not be read"


def _odd(body: bytes, status: int = 200, **headers: str) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


@pytest.mark.parametrize(
    "answer",
    [
        lambda: _odd(b"{}"), lambda: _odd(b""), lambda: _odd(b"<html>"), lambda: _odd(b"[]", 500),
        lambda: _odd(b'{"_responseCode":8}', 401), lambda: _odd(b'{"_responseCode":99}'),
        lambda: _odd(b"[]", 302, Location="/elsewhere"), lambda: _odd(b"[" + b" " * 1_100_000 + b"]"),
        lambda: _odd(b"[" * 40 + b"]" * 40), lambda: _odd(b'[{"gameId":"a","gameId":"b"}]'),
    ],
)  # fmt: skip
async def test_what_is_no_catalogue_changes_nothing(stage: Stage, answer: Any) -> None:
    studio = await stage.new_studio()
    before = await stage.desk.store.games.all(studio.line.provider_id)
    studio.games = answer()
    with pytest.raises(PeerError):
        await sync(stage, studio)
    assert await stage.desk.store.games.all(studio.line.provider_id) == before
