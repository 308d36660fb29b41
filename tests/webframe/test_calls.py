"""The calls of the frame's page: a session by refresh token, the lobby, a launch, the balance, and what is refused."""

from __future__ import annotations

import json

from croupier.kit import jwt
from croupier.sandbox.draws.catalogue import DRAW_GAMES
from croupier.webframe import player_tokens, rate_limit
from tests.webframe.conftest import HUB, ORIGIN, Salon


async def test_a_player_is_known_by_the_casinos_token_and_gets_the_next_one(salon: Salon) -> None:
    told = await salon.login()
    assert told["player"]["balance"] == "1000.00"
    assert told["player"]["currency"] == "EUR"
    assert told["token"] != told["access"]
    status, again = await salon.call("session", {"clientId": salon.casino_id, "token": told["token"]}, told["access"])
    assert status == 200
    assert again["sinceMs"] == told["sinceMs"], "the time played goes on"


async def test_a_token_that_the_casino_refuses_opens_nothing(salon: Salon) -> None:
    salon.casino.wallet.open_door = False
    status, told = await salon.call("session", {"clientId": salon.casino_id, "token": "no such token"})
    assert (status, told) == (401, {"code": "token_refused"})


async def test_a_casino_that_does_not_answer_is_no_refusal(salon: Salon) -> None:
    salon.casino.behave("error500", path="users/auth")
    token = salon.casino.endpoint.new_refresh_token("anna")
    assert await salon.call("session", {"clientId": salon.casino_id, "token": token}) == (
        503,
        {"code": "casino_silent"},
    )


async def test_the_lobby_shows_what_the_casino_offers(salon: Salon) -> None:
    guest = await salon.guest()
    _, before = await salon.call("lobby", access=guest["access"])
    await salon.hub.store.games.switch(salon.casino_id, await salon.game(), False)
    other, secret = await salon.hub.store.casinos.add("Corner", "http://corner.test", ["EUR"])
    _, elsewhere = await salon.call("session", {"clientId": other.casino_id})
    _, theirs = await salon.call("lobby", access=elsewhere["access"])
    assert {game["name"] for game in before["games"]} >= {game.name for game in DRAW_GAMES.values()}
    assert [game for game in theirs["games"] if game["name"] == "Lantern Tumble"]
    assert secret


async def test_a_real_game_moves_the_wallet_and_the_balance_follows(salon: Salon) -> None:
    told = await salon.login()
    status, opened = await salon.launch(told["access"])
    assert status == 200
    assert opened["address"].startswith("http://studio.test/play/")
    _, balance = await salon.call(f"balance?session={opened['session']}", access=told["access"])
    assert (balance["balance"], balance["demo"]) == ("1000.00", False)
    assert balance["play"] == {"staked": "0.00", "returned": "0.00", "net": "0.00"}


async def test_a_guest_plays_demo_games_alone(salon: Salon) -> None:
    guest = await salon.guest()
    assert await salon.launch(guest["access"]) == (403, {"code": "guest"})
    status, opened = await salon.launch(guest["access"], demo=True)
    assert status == 200
    _, balance = await salon.call(f"balance?session={opened['session']}", access=guest["access"])
    assert balance["demo"] is True
    assert (await salon.call("balance", access=guest["access"]))[0] == 403


async def test_nobody_sees_the_session_of_another(salon: Salon) -> None:
    anna, ben, guest = await salon.login("anna"), await salon.login("ben"), await salon.guest()
    _, opened = await salon.launch(anna["access"])
    for other in (ben, guest):
        assert await salon.call(f"balance?session={opened['session']}", access=other["access"]) == (
            404,
            {"code": "no_game"},
        )
    for wrong in ("x", "%00", "a" * 500):
        assert (await salon.call(f"balance?session={wrong}", access=anna["access"]))[0] == 404


async def test_a_blocked_player_sees_why_and_opens_nothing(salon: Salon) -> None:
    await salon.login()
    player = await salon.hub.store.players.find(salon.casino_id, "anna")
    assert player is not None
    await salon.hub.store.players.block(player.player_id, True, reason="self-excluded", author="test")
    told = await salon.login()
    assert told["player"]["stopped"] == "blocked"
    assert await salon.launch(told["access"]) == (403, {"code": "blocked"})


async def test_a_token_of_another_kind_is_not_taken(salon: Salon) -> None:
    told, keys = await salon.login(), salon.hub.store.keys
    now_s = salon.hub.clock.now_ms() // 1000
    claims = {"iss": "croupier", "aud": "hub", "nbf": now_s, "exp": now_s + 60, "casino": salon.casino_id, "since": 0}
    forged = [
        jwt.sign(keys.token_key(), claims), jwt.sign(keys.token_key(), {**claims, "aud": "webframe", "exp": now_s - 60}),
        jwt.sign(keys.token_key(), {**claims, "aud": "webframe", "casino": 999}), told["token"], told["access"] + "x", "x",
    ]  # fmt: skip
    for token in forged:
        assert await salon.call("lobby", access=token) == (401, {"code": "access"})
    assert await salon.call("lobby") == (401, {"code": "access"})


async def test_no_other_page_can_act_for_a_player(salon: Salon) -> None:
    """No cookie is set or read; a form of another page cannot send JSON, nor a bearer; and no answer allows another origin."""
    body = {"clientId": salon.casino_id}
    assert (await salon.call("session", body, Origin="https://evil.example", **{"Sec-Fetch-Site": "cross-site"}))[
        0
    ] == 403
    assert (await salon.call("session", body, **{"Content-Type": "text/plain"}))[0] == 400
    answer = await salon.get("/frame/api/lobby", Origin=ORIGIN, Cookie="access=x")
    assert answer.status == 401
    assert not {"access-control-allow-origin", "set-cookie"} & {name.lower() for name in answer.headers}
    told = await salon.login()
    assert "set-cookie" not in json.dumps(told)


async def test_what_cannot_be_read_is_refused(salon: Salon) -> None:
    guest = await salon.guest()
    for body in ([], {}, {"clientId": "1"}, {"clientId": 1.5}, {"clientId": salon.casino_id, "token": 5}):
        assert (await salon.call("session", body))[0] == 400
    assert await salon.call("session", {"clientId": 999}) == (404, {"code": "unknown_casino"})
    assert (await salon.call("launch", {"gameId": 1}, guest["access"]))[0] == 400
    wish = {"gameId": 10**9, "demo": True, "language": "en", "mobile": False}
    assert await salon.call("launch", wish, guest["access"]) == (404, {"code": "no_game"})


async def test_a_browser_that_calls_too_often_is_told_when_to_return(salon: Salon) -> None:
    answers = [await salon.call("session", {"clientId": 999}) for _ in range(62)]
    assert answers[-1] == (429, {"code": "too_many"})
    answer = await salon.get("/frame/api/live")
    assert answer.status == 401, "other calls have a limit of their own"


async def test_live_names_the_draws_and_jackpots(salon: Salon) -> None:
    guest = await salon.guest()
    assert (await salon.call("live", access=guest["access"]))[1].keys() == {"nowMs", "draws", "jackpots"}


def test_a_full_table_of_limits_forgets_those_that_are_at_rest() -> None:
    class Hand:
        now = 0.0

        def monotonic_s(self) -> float:
            return self.now

    clock = Hand()
    limit = rate_limit.RateLimit(clock, rate_limit.Pace(1, 1.0))  # type: ignore[arg-type]
    assert limit.wait_s("a") == 0
    assert limit.wait_s("a") == 1
    clock.now = 1.0
    assert limit.wait_s("a") == 0


def test_the_session_token_lives_half_an_hour() -> None:
    assert player_tokens.TOKEN_S == 1800
    assert HUB.startswith("http")
