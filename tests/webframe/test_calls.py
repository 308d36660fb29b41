"""What the frame's page needs of the hub: live draws, the balance of its games, and an entry that no other page can use."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from croupier.casino_api.player_tokens import ALGORITHM, AUDIENCE
from croupier.core.draws import Draw, DrawKey, DrawState, JackpotMeter, PlayState
from croupier.kit import jwt
from croupier.webframe import routes
from tests.webframe.conftest import ORIGIN, STUDIO, Salon


async def test_a_player_is_known_by_the_casinos_token_and_gets_the_next_one(salon: Salon) -> None:
    told = await salon.login()
    assert told["session"]["balance"] == "1000.00"
    assert told["refreshToken"]


async def test_a_deposit_shows_without_a_payment(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of the balance grows old; the casino is asked in the background, and the next look shows it."""
    told = await salon.login()
    salon.hub.process_settings = __import__("dataclasses").replace(salon.hub.process_settings, balance_stale_s=0.0)
    salon.casino.wallet.set_balance("anna", "750")
    async with asyncio.timeout(10):
        while (await salon.call("session", access=told["accessToken"]))[1]["balance"] != "750.00":
            await asyncio.sleep(0.05)


async def test_a_demo_game_has_a_balance_of_its_own(salon: Salon) -> None:
    guest, other, anna = await salon.guest(), await salon.login("ben"), await salon.login("anna")
    _, opened = await salon.launch(guest["accessToken"], demo=True)
    path = f"session?sessionId={opened['sessionId']}"
    _, state = await salon.call(path, access=guest["accessToken"])
    assert (state["balance"], state["currency"]) == ("1000.00", "EUR")
    for stranger in (other, anna):
        assert (await salon.call(path, access=stranger["accessToken"]))[0] == 404
    _, real = await salon.launch(anna["accessToken"])
    assert (await salon.call(f"session?sessionId={real['sessionId']}", access=anna["accessToken"]))[0] == 404


async def test_a_guests_demo_game_is_of_the_guest_who_opened_it(salon: Salon) -> None:
    """Guests of a casino share a player; the token tells them apart. Its renewal is the same guest."""
    guest, other = await salon.guest(), await salon.guest()
    namesake, elsewhere = await salon.login("guest-EUR"), await salon.guest_elsewhere()
    _, opened = await salon.launch(guest["accessToken"], demo=True)
    path = f"session?sessionId={opened['sessionId']}"
    for stranger in (other, namesake, elsewhere):
        status, told = await salon.call(path, access=stranger["accessToken"])
        assert (status, told["code"]) == (404, "not_found")
    renewed = (await salon.call("session/renew", {}, access=guest["accessToken"]))[1]
    assert (await salon.call(path, access=renewed["accessToken"]))[1]["balance"] == "1000.00"
    _, of_namesake = await salon.launch(namesake["accessToken"], demo=True)
    for stranger in (guest, other):
        path = f"session?sessionId={of_namesake['sessionId']}"
        assert (await salon.call(path, access=stranger["accessToken"]))[0] == 404


async def test_a_name_that_no_database_can_store_is_nobodys_game(salon: Salon) -> None:
    guest = await salon.guest()
    for name in ("%00", "%C3%28", "x" * 200, "0" * 32):
        assert (await salon.call(f"session?sessionId={name}", access=guest["accessToken"]))[0] in (400, 404)


async def test_a_guests_token_of_an_older_hub_is_asked_for_anew(salon: Salon) -> None:
    """It does not say which guest it is."""
    keys = salon.hub.store.keys
    await keys.ready(ALGORITHM)
    now_s = salon.hub.clock.now_ms() // 1000
    claims = {"iss": "x", "aud": AUDIENCE, "nbf": now_s, "exp": now_s + 60, "casino": salon.casino_id, "player": 0}
    good = json.loads(base64.urlsafe_b64decode((await salon.guest())["accessToken"].split(".")[1] + "=="))
    for more, status in (({}, 401), ({"visitor": "v"}, 200)):
        token = jwt.sign(keys.token_key(), {**claims, "iss": good["iss"], "since": now_s, **more})
        assert (await salon.call("session", access=token))[0] == status


async def test_a_draw_names_the_game_that_people_bet_in(salon: Salon) -> None:
    """As long as the game is of the provider that has the game type."""
    store, provider = salon.hub.store, (await salon.hub.store.providers.all())[0]
    await store.providers.change(provider.provider_id, {"game_types": (23,)})
    keno = await salon.game("Pebble Keno")
    assert not await store.game_types.show_in(24, keno), "nobody has it"
    assert await store.game_types.show_in(23, keno)
    assert (await store.game_types.games()) == {23: keno}
    now_ms = salon.hub.clock.now_ms()
    draw = Draw(DrawKey(23, 1), 1, DrawState.ACTIVE, PlayState.BETTING, 1, now_ms, now_ms + 60_000)
    async with store.draws.publication() as tx:
        await store.draws.put(tx, [draw])
    (told,) = json.loads((await salon.get(f"/frame/live?clientId={salon.casino_id}")).body)["draws"]
    assert (told["type"], told["gameId"]) == (23, keno)
    await store.providers.change(provider.provider_id, {"game_types": ()})
    await store.providers.add("Other", STUDIO, game_types=(23,))
    assert (await store.game_types.games()) == {}
    assert not await store.game_types.show_in(23, keno)


async def test_a_guest_plays_demo_games_alone(salon: Salon) -> None:
    guest = await salon.guest()
    status, told = await salon.launch(guest["accessToken"])
    assert (status, told["field"]) == (403, "mode")


async def test_no_other_page_can_act_for_a_player(salon: Salon) -> None:
    """No cookie is set or read; a form of another page cannot send JSON, nor a bearer."""
    body = {"clientId": salon.casino_id}
    assert (await salon.call("session", body, Origin="https://evil.example"))[0] == 403
    assert (await salon.call("session", body, **{"Content-Type": "text/plain"}))[0] == 415
    answer = await salon.get("/casino-api/v1/frame/session", Origin=ORIGIN, Cookie="access=x")
    assert answer.status == 401
    assert "set-cookie" not in {name.lower() for name in answer.headers}
    assert "cookie" not in json.dumps(await salon.login()).lower()


async def test_live_names_the_draws_and_jackpots_and_who_asks_too_often_waits(salon: Salon) -> None:
    provider = (await salon.hub.store.providers.all())[0]
    async with salon.hub.store.draws.publication() as tx:
        meter = JackpotMeter("heron-pot", "Heron pot", 123456, "EUR")
        await salon.hub.store.draws.put_meter(tx, provider.provider_id, meter)
    answer = await salon.get(f"/frame/live?clientId={salon.casino_id}")
    shown = {"id": "heron-pot", "name": "Heron pot", "amount": "1234.56", "currency": "EUR"}
    assert json.loads(answer.body)["jackpots"] == [shown]
    assert json.loads(answer.body).keys() == {"nowMs", "draws", "jackpots"}
    assert answer.headers["cache-control"] == "no-store"
    for _ in range(int(routes.AT_ONCE)):
        answer = await salon.get("/frame/live")
    while answer.status == 200:
        answer = await salon.get("/frame/live")
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1
