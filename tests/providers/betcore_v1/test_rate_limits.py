"""Rate limits of a provider's calls: 99 with 429 for what is new, and never for what is owed or known.

Contract: provider.md 2.3.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from croupier.core.readings import Contents, PaymentKind, Yes
from croupier.flows.accept_payment import accept_payment
from croupier.kit.wire import WireAnswer
from croupier.store.db import Db
from croupier.store.money.bets import Bets
from tests.flows.desk import Desk, make_desk
from tests.providers.betcore_v1.test_routes import Provider

LIMITED = (429, 99)
FAILURES = 100
"""Wrong signatures that an address may send at once, with the default of the setting."""


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    """A desk with the bet b-1001, which is on, at a provider with one request a second."""
    made = await make_desk(db)
    await made.hub.store.providers.change(made.cast.provider.provider_id, {"requests_per_s": 1, "hold_s": 0.1})
    bet = await made.bet()
    said = Contents(bet.bet_id, bet.player_ref, PaymentKind.STAKE, "10.00", None, "t-1")
    await accept_payment(made.hub, bet.casino_id, bet.bet_id, kind=PaymentKind.STAKE, outcome=Yes(said))
    yield made
    await made.line.close()


async def send(provider: Provider, verb: str, *, secret: str | None = None, **fields: str) -> WireAnswer:
    body = json.dumps(fields).encode()
    headers = await provider.headers(body, secret=secret)
    return await provider.desk.call("POST", f"/v1/sessions/s-2/bets/{verb}", body, **headers)


def told(answer: WireAnswer) -> tuple[int, int]:
    return answer.status, json.loads(answer.body)["_responseCode"]


async def drained(desk: Desk) -> Provider:
    """The provider after its burst of balance queries, which the casino does not answer."""
    provider = Provider(desk)
    for _ in range(3):
        assert told(await provider.balance(await provider.headers())) == (504, 99)
    return provider


async def test_a_flood_of_new_bets_and_balances_is_told_when_to_come_back(desk: Desk) -> None:
    provider = await drained(desk)
    new = {"betId": "b-new", "gameRoundId": "r", "betAmount": "1.00"}
    for answer in (
        await provider.balance(await provider.headers()),
        await send(provider, "pay-in", **new),
        await send(provider, "pay-in-out", **new, winAmount="0"),
    ):
        assert told(answer) == LIMITED
        assert answer.headers["retry-after"] == "1"
    assert await desk.hub.store.bets.by_ref(desk.cast.provider.provider_id, "b-new") is None, "nothing was written"
    metrics = (await desk.call("GET", "/metrics")).body.decode()
    name = f'counterparty="{desk.cast.provider.provider_id}",side="provider"'
    assert f'croupier_rate_limited_total{{call="new_bet",{name}}} 2.0' in metrics
    desk.clock.ms += 1000
    assert told(await provider.balance(await provider.headers())) != LIMITED


async def test_what_is_owed_and_what_is_known_is_never_refused(desk: Desk) -> None:
    provider = await drained(desk)
    known = {"betId": "b-1001", "gameRoundId": "r-1"}
    assert told(await send(provider, "pay-in", **known, betAmount="10.00")) == (200, 1)
    desk.hub.store.bets = Bets(desk.db)  # as a process that has forgotten the bet
    assert told(await send(provider, "pay-in", **known, betAmount="10.00")) == (200, 1)
    assert told(await send(provider, "pay-out", **known, winAmount="25.00")) == (200, 1)
    assert told(await send(provider, "pay-out", **known, winAmount="25.00")) == (200, 1)
    assert told(await send(provider, "refund", **known)) == (200, 1)
    assert told(await send(provider, "refund", betId="b-never-seen")) == (200, 1)


async def test_play_money_has_the_same_limit(desk: Desk) -> None:
    session = replace(desk.cast.session, session_id="s-demo", demo=True)
    await desk.hub.store.sessions.open(session)
    provider = Provider(desk)

    async def pay_in(bet: str) -> WireAnswer:
        body = json.dumps({"betId": bet, "gameRoundId": "r", "betAmount": "1.00"}).encode()
        return await desk.call("POST", "/v1/sessions/s-demo/bets/pay-in", body, **(await provider.headers(body)))

    answers = [await pay_in(f"d-{number}") for number in range(4)]
    assert [told(answer) for answer in answers] == [(200, 1)] * 3 + [LIMITED]
    assert answers[-1].headers["retry-after"] == "1"
    assert told(await pay_in("d-1")) == (200, 1), "a repeat of a known bet"


async def test_wrong_signatures_from_one_address_get_429_and_a_right_win_is_taken(desk: Desk) -> None:
    provider = Provider(desk)
    for _ in range(FAILURES):
        assert told(await send(provider, "pay-in", secret="guess", betId="b", gameRoundId="r", betAmount="1")) == (
            401,
            8,
        )
        desk.clock.ms -= 50  # the delay of the refusal: all of them come at once
    limited = await send(provider, "pay-in", secret="guess", betId="b", gameRoundId="r", betAmount="1")
    assert told(limited) == LIMITED
    assert limited.headers["retry-after"] == "1"
    unproved = await provider.balance(await provider.headers())
    assert told(unproved) == LIMITED, "whose call is it? It is not judged"
    assert told(await send(provider, "pay-out", secret="guess", betId="b-1001", gameRoundId="r-1", winAmount="1")) == (
        401,
        8,
    )
    win = await send(provider, "pay-out", betId="b-1001", gameRoundId="r-1", winAmount="25.00")
    assert told(win) == (200, 1)
    assert told(await provider.balance(await provider.headers())) == (504, 99), "it has proved itself now"
