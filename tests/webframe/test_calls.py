"""What the frame's page needs of the hub: live draws, the balance of its games, and an entry that no other page can use."""

from __future__ import annotations

import asyncio
import json

import pytest

from croupier.core.draws import JackpotMeter
from croupier.webframe import routes
from tests.webframe.conftest import ORIGIN, Salon


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
