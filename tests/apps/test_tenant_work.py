"""Another tenant's id costs the database the same questions as nobody's: whether it exists does not show in the work either.

The answers themselves are compared on the running hub, tests/journeys/test_tenant_matrix.py.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from croupier.casinos.betcore_v2 import signing as casino_signing
from croupier.core.counterparty import Casino, Provider
from croupier.kit.wire import WireAnswer
from croupier.providers.betcore_v1 import signing
from croupier.store.db import Db
from croupier.store.parties.players import Players
from croupier.store.parties.sessions import Sessions
from tests.flows.desk import Desk
from tests.store.cast import SEALER, HandClock, make_game

ISSUER = "croupier"


@dataclass
class Tenants:
    """The desk's casino and provider with a bet of theirs, and a casino and provider that have no part in it."""

    desk: Desk
    casino: Casino
    casino_secret: str
    provider: Provider
    provider_secret: str
    session: str
    """A session of the other provider's own."""
    numbers: int = 0

    async def signed(self, verb: str, session: str, **fields: str) -> WireAnswer:
        """A call of the other provider."""
        self.numbers += 1
        body = json.dumps({"gameRoundId": "r-1", **fields}).encode() if fields else b""
        headers = signing.sign(
            self.provider_secret,
            self.provider.counterparty_id,
            body,
            timestamp_ms=self.desk.clock.now_ms(),
            request_id=f"{self.numbers:032x}",
        )
        path = f"/v1/sessions/{session}/" + (f"bets/{verb}" if fields else verb)
        return await self.desk.call("POST" if fields else "GET", path, body, **headers)

    async def with_bearer(self, path: str, document: object) -> WireAnswer:
        """A call of the other casino."""
        key = self.desk.hub.store.keys.token_key()
        now_s = self.desk.clock.now_ms() // 1000
        token = casino_signing.issue_token(key, self.casino.casino_id, casino_signing.SCOPE, issuer=ISSUER, now_s=now_s)
        body = json.dumps(document).encode()
        return await self.desk.call("POST", f"/mis-api/api/v2/{path}", body, Authorization=f"Bearer {token}")

    async def token(self, number: int) -> WireAnswer:
        """An access token for this number, with the other casino's secret."""
        body = json.dumps({"PartnerClientId": number, "Secret": self.casino_secret}).encode()
        return await self.desk.call("POST", "/mis-api/api/v2/auth/token", body)


@pytest.fixture
async def tenants(desk: Desk) -> Tenants:
    store, cast = desk.hub.store, desk.cast
    await store.keys.load()
    casino, casino_secret = await store.casinos.add("Other", "https://other.example", ["EUR"])
    provider, provider_secret = await store.providers.add("Another", "https://another.example")
    player = await Players(desk.db, SEALER, HandClock()).register(casino.casino_id, "bob", "EUR")
    game = await make_game(desk.db, provider.provider_id, "other-7")
    session = replace(
        cast.session, session_id="s-other", provider_id=provider.provider_id, casino_id=casino.casino_id,
        player_id=player.player_id, player_ref="bob", game_id=game.game_id,
    )  # fmt: skip
    await Sessions(desk.db).open(session)
    await desk.bet(1001)
    return Tenants(desk, casino, casino_secret, provider, provider_secret, "s-other")


def accept(bet_id: int) -> dict[str, Any]:
    value = {
        "BetId": bet_id, "PartnerUserId": "anna", "PartnerTransactionId": "t-1", "TransactionType": -1, "Amount": "10.00",
    }  # fmt: skip
    return {"ErrorCode": 200, "Message": "Success", "Value": value}


def cashback(cashback_id: int) -> dict[str, Any]:
    stated = accept(cashback_id)
    stated["Value"] = {**stated["Value"], "CashbackId": stated["Value"].pop("BetId"), "TransactionType": 1}
    return stated


Ask = Callable[[Tenants, bool], Awaitable[WireAnswer]]
"""Ask with another's id, or with nobody's."""


def in_session(verb: str, **fields: str) -> Ask:
    return lambda t, another: t.signed(verb, "s-2" if another else "s-9", **fields)


CASES: dict[str, Ask] = {
    "balance, session": in_session("balance"),
    "pay-in, session": in_session("pay-in", betId="b-x", betAmount="1.00"),
    "pay-in-out, session": in_session("pay-in-out", betId="b-x", betAmount="1.00", winAmount="2.00"),
    "pay-out, session": in_session("pay-out", betId="b-x", winAmount="1.00"),
    "refund, session": in_session("refund", betId="b-x"),
    "pay-out, betId": lambda t, another: t.signed(
        "pay-out", t.session, betId="b-1001" if another else "b-nobody", winAmount="1.00"
    ),
    "accept, BetId": lambda t, another: t.with_bearer("payments/accept", accept(1001 if another else 17)),
    "cashback accept, CashbackId": lambda t, another: t.with_bearer(
        "cashback-payments/accept", cashback(1001 if another else 17)
    ),
    "token, PartnerClientId": lambda t, another: t.token(t.desk.cast.casino.casino_id if another else 99_999),
}


QUESTIONS = ("fetch", "fetchrow", "fetchval", "execute", "batch_fetch")


def noted(plain: Any, asked: list[str]) -> Any:
    """The same way to ask, and the statement is kept."""

    async def ask(db: Db, sql: str, *args: object) -> Any:
        asked.append(sql)
        return await plain(db, sql, *args)

    return ask


@pytest.mark.one_in(4)
@pytest.mark.parametrize("case", CASES)
async def test_another_tenants_id_costs_the_same_questions_as_nobodys(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    asked: list[str] = []
    for name in QUESTIONS:
        monkeypatch.setattr(Db, name, noted(getattr(Db, name), asked))
    found: dict[bool, list[object]] = {}
    for another in (True, False, True, False):  # the second pair finds every row kept that may be kept
        tenants.desk.clock.ms += 1000
        asked.clear()
        answer = await CASES[case](tenants, another)
        found.setdefault(another, []).append((answer.status, answer.body, list(asked)))
    assert found[True] == found[False]
    assert asked, "it asks the database at all"
