"""Every forged token of the table is refused at every place that verifies one: bearer, auth/verify, the sandbox casino.

The table is written by tools/forge_jwts.py without a line of our own code for tokens; it is forged anew here and must be the
same. The journeys forge with the keys of a running hub.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from croupier.casinos.betcore_v2 import signing
from croupier.kit import jwt
from croupier.kit.jwt import BadToken, PublicKey
from croupier.kit.wire import PeerError
from croupier.sandbox.hub_connection import BadEnvelope, HubConnection, HubUnavailable
from croupier.sandbox.journal import Journal
from tests.store.cast import HandClock
from tools.forge_jwts import (
    ATTACKS,
    CASINO_ID,
    ISSUER,
    NOW_S,
    TABLE,
    VECTORS,
    Good,
    Row,
    attackers,
    attackers_pem,
    hub_of_the_vectors,
    rows,
    table,
)

PLACES = {"bearer RS256", "sent RS256", "sent ES256", "sent EdDSA"}


@cache
def keys() -> dict[str, PublicKey]:
    """The public keys of the vectors' hub."""
    listed = json.loads((VECTORS / "betcore_v2" / "keys.json").read_text("utf-8"))["keys"]
    return {row["kid"]: jwt.from_pem(row["alg"], row["kid"], row["pem"].encode()).verifier() for row in listed}


@cache
def forged() -> list[Row]:
    return rows(hub_of_the_vectors(), attackers_pem())


def goods() -> list[Good]:
    return hub_of_the_vectors().goods(attackers(attackers_pem()))


def as_bearer(token: str) -> bool:
    """Whether it opens the casino half."""
    try:
        signing.read_token(token, keys(), scope=signing.SCOPE, issuer=ISSUER, now_s=NOW_S)
    except BadToken:
        return False
    return True


def as_sent(token: str) -> bool:
    """Whether `auth/verify` would open it."""
    try:
        signing.verify_sent(token, keys(), casino_id=CASINO_ID, issuer=ISSUER, now_s=NOW_S)
    except BadToken:
        return False
    return True


class NoWire:
    """Nobody is there: a sandbox that must ask for keys has none."""

    async def send(self, request: Any) -> Any:
        raise PeerError("nobody is there")


def sandbox_line() -> HubConnection:
    """A sandbox casino that has fetched the hub's keys."""
    clock: Any = HandClock()
    clock.ms = NOW_S * 1000
    line = HubConnection(wire=NoWire(), clock=clock, journal=Journal(clock), hub_url="http://hub.test")
    line.set_credentials(CASINO_ID, "secret")
    line._keys = dict(keys())
    return line


async def by_the_sandbox(line: HubConnection, token: str) -> bool:
    """Whether the sandbox casino takes it for a call of the hub."""
    try:
        await line.open(json.dumps(token).encode())
    except (BadEnvelope, HubUnavailable):
        return False
    return True


async def test_what_every_attack_begins_with_is_good() -> None:
    """Or the table would be refused for another reason than the attack."""
    assert {f"{good.place} {good.key.alg}" for good in goods()} == PLACES
    line = sandbox_line()
    for good in goods():
        token = good.token()
        wanted = (good.place == "bearer", good.place == "sent", good.place == "sent")
        assert (as_bearer(token), as_sent(token), await by_the_sandbox(line, token)) == wanted


def test_the_table_is_what_the_tool_forges() -> None:
    assert json.loads(TABLE.read_text("utf-8")) == table()


@pytest.mark.slow
def test_every_attack_is_made_on_every_good_token() -> None:
    assert all(len(list(attack(good))) >= 10 for attack in ATTACKS for good in goods())
    names = [row.name for row in forged()]
    assert len(names) == len(set(names))
    assert {" ".join(name.split(":")[0].split()) for name in names} == PLACES


def taken_by(place: str) -> set[str]:
    """The forged tokens that this place of the hub takes; what is good for the other place is asked here alone."""
    take = as_bearer if place == "bearer" else as_sent
    return {row.name for row in forged() if (row.place == place or not row.crossed) and take(row.token)}


@pytest.mark.slow
def test_no_forged_token_is_a_bearer() -> None:
    assert taken_by("bearer") == set()


@pytest.mark.slow
def test_no_forged_token_is_one_that_the_hub_sent() -> None:
    assert taken_by("sent") == set()


async def test_no_forged_token_is_a_call_of_the_hub_for_the_sandbox_casino() -> None:
    """It knows the hub by its keys and not by a name: who has the key may call himself as he likes."""
    line = sandbox_line()
    asked = [row for row in forged() if row.place == "sent" or not row.crossed]
    taken = [row.name for row in asked if await by_the_sandbox(line, row.token)]
    assert [name for name in taken if ": iss " not in name] == []
