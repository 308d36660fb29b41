"""`POST {provider}/v1/games/{gameId}/launch`: a session is opened, for real money or for none."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from croupier.core.counterparty import UserId
from croupier.flows.launch import LaunchRefused, LaunchRequest, launch
from tests.journeys.peers import GAME, JACKPOT_GAME, Casino, Studio
from tests.journeys.stage import Seat, Stage, Table, fresh


async def open_game(stage: Stage, casino: Casino, studio: Studio, game: str = GAME, **wish: Any) -> Any:
    """Launch, as `session open` does."""
    known = await stage.desk.store.casinos.find(casino.line.client_id)
    found = await stage.desk.store.games.find(f"{studio.line.provider_id}/{game}")
    assert known is not None
    assert found is not None
    return await launch(
        stage.desk,
        known,
        LaunchRequest(**{"player_ref": fresh("player"), "currency": "EUR", **wish}, game_id=found.game_id),
    )


async def test_the_body_is_compact_sorted_and_holds_what_is_required(stage: Stage, table: Table) -> None:
    player = fresh("player")
    opened = await open_game(stage, table.casino, table.studio, player_ref=player, language="de", mobile=True)
    game, raw = table.studio.launches[-1]
    assert game == GAME
    body = json.loads(raw, parse_float=str)
    assert list(body) == sorted(body)
    assert b" " not in raw
    assert b'"maxBet":10000.00,' in raw, "a number with its own digits"
    assert b'"minBet":0.01,' in raw
    assert body == {
        "userId": f"{table.casino.line.client_id}-{player}", "sessionId": opened.session_id, "currency": "EUR", "language": "de", "minBet": "0.01",
        "maxBet": "10000.00", "gameMode": "real", "viewType": "mobile", "maxOdd": 500,
    }  # fmt: skip
    assert opened.frame_uri == f"{table.studio.url}/play?session={opened.session_id}"
    assert await stage.desk.store.sessions.frame(opened.session_id) == opened.frame_uri


async def test_players_of_two_casinos_with_one_id_are_two_users_of_a_provider(stage: Stage) -> None:
    studio = await stage.new_studio()
    here, there = await stage.new_casino(), await stage.new_casino()
    await open_game(stage, here, studio, player_ref="anna")
    await open_game(stage, there, studio, player_ref="anna")
    await open_game(stage, here, studio, player_ref="anna")
    first, second, again = (json.loads(raw)["userId"] for _, raw in studio.launches)
    assert first != second
    assert first == again, "the same player in another session is the same user"
    provider = await stage.desk.store.providers.find(str(studio.line.provider_id))
    assert provider is not None
    await stage.desk.store.providers.change(provider.provider_id, {"user_id": UserId.PLAYER})
    await open_game(stage, here, studio, player_ref="anna")
    assert json.loads(studio.launches[-1][1])["userId"] == "anna"


async def test_the_narrowest_limits_hold_and_yen_have_no_decimals(stage: Stage) -> None:
    casino = await stage.new_casino(currencies=("EUR", "JPY"), min_bet="0.50")
    studio = await stage.new_studio(max_bet="20", min_bet="0.20")
    game = await stage.desk.store.games.find(f"{studio.line.provider_id}/{JACKPOT_GAME}")
    assert game is not None
    await stage.desk.store.games.set(game.game_id, max_bet="7.50")
    await open_game(stage, casino, studio)
    await open_game(stage, casino, studio, JACKPOT_GAME)
    await open_game(stage, casino, studio, currency="JPY")
    told = [json.loads(raw, parse_float=str) for _, raw in studio.launches]
    assert [(b["minBet"], b["maxBet"]) for b in told] == [("0.50", "20.00"), ("0.50", "7.50"), (1, 20)]


@pytest.mark.parametrize(
    "answer",
    [
        {}, {"frameUri": None}, {"frameUri": ""}, {"frameUri": "javascript:alert(1)"}, {"frameUri": "//x/y"},
        {"frameUri": "https://user:pw@x/"}, {"frameUri": "https://x/ y"}, {"frameUri": 5}, [], "x",
        {"_responseCode": 4, "frameUri": "https://x/"}, {"frameUri": "https://x/" + "a" * 5000},
    ],
)  # fmt: skip
async def test_an_answer_without_a_good_frame_opens_nothing(stage: Stage, table: Table, answer: Any) -> None:
    studio = await stage.new_studio()
    studio.launch_says = lambda: web.json_response(answer)
    with pytest.raises(LaunchRefused, match="did not open"):
        await open_game(stage, table.casino, studio)


async def test_a_provider_that_refuses_or_breaks_opens_nothing(stage: Stage, table: Table) -> None:
    studio = await stage.new_studio(total_s=0.5)
    for status in (302, 401, 404, 500):
        studio.launch_says = lambda status=status: web.Response(status=status, headers={"Location": "/x"})
        with pytest.raises(LaunchRefused):
            await open_game(stage, table.casino, studio)


async def test_who_may_not_play_is_told_why_and_the_provider_hears_nothing(stage: Stage) -> None:
    casino, studio = await stage.new_casino(), await stage.new_studio()
    player = fresh("player")
    store = stage.desk.store
    game = await store.games.find(f"{studio.line.provider_id}/{GAME}")
    assert game is not None
    with pytest.raises(LaunchRefused, match="USD"):
        await open_game(stage, casino, studio, currency="USD")
    await store.players.register(casino.line.client_id, player, "USD")
    with pytest.raises(LaunchRefused, match="currency"):
        await open_game(stage, casino, studio, player_ref=player)
    await store.games.switch(casino.line.client_id, game.game_id, False)
    with pytest.raises(LaunchRefused, match="switched off for casino"):
        await open_game(stage, casino, studio)
    await store.games.switch(casino.line.client_id, game.game_id, True)
    await store.games.set(game.game_id, enabled=False)
    with pytest.raises(LaunchRefused, match="switched off"):
        await open_game(stage, casino, studio)
    await store.games.set(game.game_id, enabled=True)
    await store.casinos.disable(casino.line.client_id)
    with pytest.raises(LaunchRefused, match="disabled"):
        await open_game(stage, casino, studio)
    assert studio.launches == []


async def test_a_session_lives_a_day(stage: Stage, table: Table) -> None:
    session = await stage.desk.store.sessions.get(table.session)
    assert session is not None
    assert session.expires_ms - session.opened_ms == 24 * 3600 * 1000


# --- demo ---------------------------------------------------------------------------------------------------------


async def test_a_demo_session_plays_with_virtual_money_and_the_casino_hears_nothing(stage: Stage) -> None:
    table = await stage.table(demo=True)
    assert json.loads(table.studio.launches[-1][1])["gameMode"] == "demo"
    line, session = table.line, table.session
    win, undone, both = fresh("b"), fresh("b"), fresh("b")
    steps = [
        (await line.balance(session), "1000.00"),
        (await line.pay_in(session, win), "990.00"),
        (await line.pay_out(session, win), "1015.00"),
        (await line.pay_in(session, undone, "15.00"), "1000.00"),
        (await line.refund(session, undone), "1015.00"),
        (await line.bet("pay-in-out", session, betId=both, gameRoundId="r", betAmount="5", winAmount="1.5"), "1011.50"),
    ]
    assert [(t.outcome, b'"balance":' + balance.encode() in t.raw) for t, balance in steps] == [((200, 1), True)] * 6
    assert (await line.pay_in(session, win)).outcome == (200, 1)
    assert (await line.pay_in(session, win, "9.00")).outcome == (409, 7)
    assert (await line.pay_out(session, win, "1.00")).outcome == (409, 7)
    assert (await line.pay_out(session, both)).outcome == (409, 7)
    assert (await line.pay_in(session, undone, "15.00")).outcome == (409, 7)
    assert (await line.pay_out(session, fresh("b"))).outcome == (404, 5)
    assert (await line.pay_in(session, fresh("b"), "2000.00")).outcome == (402, 3)
    assert (await line.pay_in(session, fresh("b"), "10000.01")).outcome == (403, 4)
    assert (await line.balance(session)).raw == b'{"_responseCode":1,"balance":1011.50,"currency":"EUR"}'
    assert table.casino.heard == []
    assert await table.row(win) is None


async def test_a_demo_bet_and_a_real_one_may_have_one_id(stage: Stage, table: Table) -> None:
    demo = await stage.table(table.casino, player=table.player, demo=True)
    bet = fresh("b")
    assert (await demo.line.pay_in(demo.session, bet, "3.00")).outcome == (200, 1)
    assert (await table.line.pay_in(table.session, bet, "4.00")).outcome == (200, 1)
    assert (await demo.line.refund(demo.session, bet)).outcome == (200, 1)
    assert (await table.row(bet) or {})["state"] == "on"
    assert (await demo.line.refund(demo.session, fresh("b"))).outcome == (200, 1)


@pytest.mark.slow
async def test_forty_demo_bets_at_once_are_counted_once_each(stage: Stage) -> None:
    table = await stage.table(demo=True)
    bets = [fresh("b") for _ in range(20)]
    told = await asyncio.gather(*(table.line.pay_in(table.session, bet, "1.00") for bet in bets * 2))
    assert {t.outcome for t in told} == {(200, 1)}
    assert b'"balance":980.00' in (await table.line.balance(table.session)).raw


async def test_the_sandbox_studio_plays_a_demo(stage: Stage) -> None:
    seat: Seat = await stage.seat(demo=True)
    assert (await seat.call("pay-in-out", fresh("b"), amount="10.00", win="0")).said["balance"] == "990.00"
