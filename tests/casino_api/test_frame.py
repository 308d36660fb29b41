"""A player in a browser: entry by token and by code, renewal, origins, guests, hard stop, no cookies. Contract: webframe.md 2.3 to 2.5."""

from __future__ import annotations

import asyncio

import pytest

from croupier.core.readings import No, Unknown
from croupier.core.refusals import CasinoNo
from croupier.store.db import Db
from tests.casino_api.conftest import ORIGIN, Answer, House, at, open_house


async def as_player(house: House, token: str, method: str, path: str, body: object = None, **headers: str) -> Answer:
    return await house.send(method, path, body, Authorization=f"Bearer {token}", Origin=ORIGIN, **headers)


async def test_the_casino_says_who_the_player_is_and_the_new_token_goes_back(house: House) -> None:
    told = await house.enter(token="r-1", tagId=7)
    assert told.status == 201
    assert (told.body["refreshToken"], told.body["tokenType"], told.body["expiresIn"], told.body["game"]) == (
        "r-1+",
        "Bearer",
        1800,
        None,
    )
    assert told.body["session"] == {
        "player": {"playerId": "anna", "currency": "EUR", "language": "de", "country": "DE", "test": False},
        "currency": "EUR", "balance": "90.50", "since": at(), "hardStop": None,
        "realityCheck": {"everySeconds": None, "playedSeconds": 0, "staked": "0.00", "won": "0.00", "net": "0.00"},
    }  # fmt: skip
    assert told.headers["cache-control"] == "no-store"
    assert "set-cookie" not in told.headers
    assert told.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in told.headers, "no cookie is ever asked for"
    house.clock.ms += 90_000
    state = await as_player(house, told.body["accessToken"], "GET", "frame/session")
    assert (state.body["since"], state.body["realityCheck"]["playedSeconds"]) == (at(), 90)


async def test_a_token_that_the_casino_refuses_and_a_casino_that_is_silent(house: House) -> None:
    house.peers.auth_says = (
        No(CasinoNo.USER_UNKNOWN, 102145, "User not found")
        if hasattr(CasinoNo, "USER_UNKNOWN")
        else No(next(iter(CasinoNo)), 1, "x")
    )
    answer = await house.enter(token="r-1")
    assert (answer.code, answer.body["field"]) == ((403, "player_refused"), "token")
    house.peers.auth_says = Unknown("timed out")
    answer = await house.enter(token="r-1")
    assert (answer.code, answer.headers["retry-after"]) == ((502, "peer_unanswered"), "2")


async def test_a_launch_code_opens_its_game_once_within_a_minute_at_its_casino(house: House) -> None:
    opened = await house.open(exitUrl=f"{ORIGIN}/bye")
    other = await house.another()
    assert (await other.enter(code=opened["launchCode"])).status == 403, "its page is of another origin"
    elsewhere = await other.send(
        "POST", "frame/session", {"clientId": other.casino.casino_id, "code": opened["launchCode"]}
    )
    assert elsewhere.code == (410, "code_not_valid")
    told = await house.enter(code=opened["launchCode"])
    assert told.status == 201
    assert told.body["refreshToken"] is None
    assert told.body["session"]["player"]["playerId"] == "anna"
    assert told.body["game"] == {
        "sessionId": opened["sessionId"], "frameUri": opened["frameUri"], "expiresAt": opened["expiresAt"],
        "gameId": house.games["owl"], "mode": "real", "lobbyUrl": None, "exitUrl": f"{ORIGIN}/bye",
    }  # fmt: skip
    for code in (opened["launchCode"], "0" * 48, "x"):
        assert (await house.enter(code=code)).code == (410, "code_not_valid")
    late = (await house.open())["launchCode"]
    house.clock.ms += 60_000
    assert (await house.enter(code=late)).code == (410, "code_not_valid")


async def test_a_code_is_of_its_game(house: House) -> None:
    """A page that shows another game does not get in, and leaves the code as it was."""
    opened = await house.open()
    other = next(number for name, number in house.games.items() if name != "owl")
    assert (await house.enter(code=opened["launchCode"], gameId=other)).code == (410, "code_not_valid")
    assert (await house.enter(token="r-1", gameId=other)).code == (400, "bad_request")
    told = await house.enter(code=opened["launchCode"], gameId=house.games["owl"])
    assert (told.status, told.body["game"]["gameId"]) == (201, house.games["owl"])


async def test_a_code_opens_no_session_that_has_ended(house: House) -> None:
    opened = await house.open()
    assert (
        await house.send("DELETE", f"sessions/{opened['sessionId']}", Authorization=f"Bearer {house.token}")
    ).status == 200
    assert (await house.enter(code=opened["launchCode"])).code == (410, "code_not_valid")


async def test_of_many_who_use_a_code_at_once_one_gets_in(house: House) -> None:
    code = (await house.open())["launchCode"]
    answers = await asyncio.gather(*(house.enter(code=code) for _ in range(12)))
    assert sorted(answer.status for answer in answers) == [201] + [410] * 11


async def test_a_code_is_not_stored_as_it_is(house: House) -> None:
    code = (await house.open())["launchCode"]
    rows = await house.hub.store.db.fetch(
        "select encode(digest, 'hex') as digest, launch_codes::text as whole from launch_codes"
    )
    assert len(rows) == 1
    assert code not in rows[0]["whole"]


async def test_pages_of_other_origins_are_refused(house: House) -> None:
    told = await house.enter(token="r-1")
    body = {"clientId": house.casino.casino_id, "token": "r-2"}
    for origin in ("https://evil.example", "null", "https://rialto.example.evil.example", "http://rialto.example"):
        answer = await house.send("POST", "frame/session", body, Origin=origin)
        assert answer.code == (403, "forbidden_origin")
        assert "access-control-allow-origin" not in answer.headers
        bearer = f"Bearer {told.body['accessToken']}"
        assert (await house.send("GET", "frame/session", Authorization=bearer, Origin=origin)).code == (
            403,
            "forbidden_origin",
        )
        ask = await house.send("OPTIONS", "frame/session", Origin=origin, Access_Control_Request_Method="POST")
        assert ask.code == (403, "forbidden_origin")
    assert house.peers.tokens == ["r-1"], "no token reached the casino"
    own = house.url
    assert (await house.send("POST", "frame/session", body, Origin=own)).status == 201, "the hub's own page"
    ask = await house.send("OPTIONS", "frame/session", Origin=ORIGIN, Access_Control_Request_Method="POST")
    assert (ask.status, ask.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert "authorization" in ask.headers["access-control-allow-headers"]


@pytest.mark.slow
async def test_a_form_of_another_page_cannot_act(house: House) -> None:
    """What a page can send without a preflight has another content type, and a browser adds nothing to it by itself."""
    body = b'{"clientId": 1, "token": "r-1"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await house.send("POST", "frame/session", body, Content_Type=kind)
        assert answer.code == (415, "wrong_type")
    assert house.peers.tokens == []


@pytest.mark.slow
async def test_a_token_lives_half_an_hour_and_is_renewed_for_a_day(house: House) -> None:
    token = (await house.enter(token="r-1")).body["accessToken"]
    house.clock.ms += 1_799_000
    renewed = await as_player(house, token, "POST", "frame/session/renew")
    assert (renewed.status, renewed.body["expiresIn"]) == (200, 1800)
    house.clock.ms += 1000
    assert (await as_player(house, token, "GET", "frame/session")).code == (401, "unauthorized")
    fresh = renewed.body["accessToken"]
    state = await as_player(house, fresh, "GET", "frame/session")
    assert state.body["since"] == at(), "a renewal keeps the time of the first"
    for _ in range(47):
        fresh = (await as_player(house, fresh, "POST", "frame/session/renew")).body["accessToken"]
        house.clock.ms += 1_799_000
    assert (await as_player(house, fresh, "POST", "frame/session/renew")).status == 200
    house.clock.ms -= 1_799_000
    house.clock.ms += 1_799_000
    fresh = (await as_player(house, fresh, "POST", "frame/session/renew")).body["accessToken"]
    house.clock.ms += 1_700_000
    assert (await as_player(house, fresh, "POST", "frame/session/renew")).code == (401, "unauthorized")


async def test_no_other_token_of_the_hub_is_a_players_and_a_players_is_no_other(house: House) -> None:
    token = (await house.enter(token="r-1")).body["accessToken"]
    assert (await house.send("GET", "games", Authorization=f"Bearer {token}")).code == (401, "unauthorized")
    assert (await as_player(house, house.token, "GET", "frame/session")).code == (401, "unauthorized")
    assert (await as_player(house, "x", "GET", "frame/session")).code == (401, "unauthorized")


async def test_the_lobby_and_a_launch_are_the_players(house: House) -> None:
    token = (await house.enter(token="r-1")).body["accessToken"]
    lobby = await as_player(house, token, "GET", "frame/games?category=slots")
    assert [game["gameId"] for game in lobby.body["games"]] == [house.games["owl"]]
    told = await as_player(
        house, token, "POST", f"frame/games/{house.games['owl']}/launch", {"device": "mobile", "playerId": "eve"}
    )
    assert told.status == 201
    (order,) = house.peers.launches
    assert (order.user_ref, order.currency, order.session_id) == (
        f"{house.casino.casino_id}-anna",
        "EUR",
        told.body["sessionId"],
    )


@pytest.mark.slow
async def test_a_guest_sees_the_lobby_and_plays_demo_games_alone(house: House) -> None:
    told = await house.enter()
    assert (told.body["session"]["player"], told.body["session"]["currency"]) == (None, "EUR")
    token = told.body["accessToken"]
    assert (await as_player(house, token, "GET", "frame/games")).status == 200
    path = f"frame/games/{house.games['owl']}/launch"
    real = await as_player(house, token, "POST", path, {})
    assert (real.code, real.body["field"]) == ((403, "player_refused"), "mode")
    assert (await as_player(house, token, "POST", path, {"mode": "demo"})).status == 201
    assert [order.demo for order in house.peers.launches] == [True]


@pytest.mark.slow
async def test_an_address_that_asks_too_often_waits(db: Db) -> None:
    async with open_house(db, api_address_per_s=2) as house:
        answers = [await house.enter(token="r") for _ in range(8)]
        assert [answer.status for answer in answers].count(429) >= 2
        assert answers[-1].code == (429, "too_many_requests")
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await house.get("games"))["games"], "the casino's own calls are not held back by its players'"
