"""Tokens forged with the keys of the running hub itself: no door of it opens to one, and the answer is always the same."""

from __future__ import annotations

import asyncio
import time

import pytest

from croupier.apps.http_guard import MAX_HEAD
from tests.journeys.by_hand import HandCasino, Told, ask
from tests.journeys.stage import Stage
from tools.forge_jwts import Good, Hub, Key, Row, attackers, attackers_pem, rows

AHEAD_S = 8
AT_ONCE = 8
ALGORITHMS = ("RS256", "ES256", "EdDSA")


async def the_hub(stage: Stage, casino: HandCasino) -> Hub:
    """Its keys, as only the hub has them. Its tokens begin a little ahead: no reader believes one that lives longer."""
    for alg in ALGORITHMS:
        await stage.desk.store.keys.ready(alg)
    keys = {}
    for alg in ALGORITHMS:
        known = await stage.desk.store.casinos.get((await stage.new_casino(alg)).line.client_id)
        assert known is not None
        signing = stage.desk.store.keys.signing_key(known)
        keys[alg] = Key(signing.kid, alg, signing.private)
    return Hub(keys, "croupier", casino.client_id, int(time.time()) + AHEAD_S)


def fits_a_header(token: str) -> bool:
    """Whether a client can send it as a header at all; the others are held by the table."""
    return token.isascii() and token.isprintable() and len(token) < MAX_HEAD // 2


async def as_bearer(stage: Stage, token: str) -> Told:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return await ask(stage.http, "POST", f"{stage.facts.hub_url}/mis-api/api/v2/payments/accept", b"{}", headers)


async def told_of(stage: Stage, casino: HandCasino, forged: list[Row]) -> dict[str, Told]:
    """What the hub says to each, some at once."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(row: Row) -> Told:
        async with turn:
            if row.place == "bearer":
                return await as_bearer(stage, row.token)
            return await casino.call("auth/verify", row.token)

    answers = await asyncio.gather(*map(one, forged))
    return {row.name: told for row, told in zip(forged, answers, strict=True)}


@pytest.mark.slow
async def test_no_forged_token_opens_anything(stage: Stage) -> None:
    casino = (await stage.new_casino()).line
    hub = await the_hub(stage, casino)
    forged = [
        r for r in await asyncio.to_thread(rows, hub, attackers_pem()) if r.place == "sent" or fits_a_header(r.token)
    ]
    assert len(forged) > 1_500
    told = await told_of(stage, casino, forged)
    bearers = {name: t for name, t in told.items() if name.startswith("bearer")}
    padded = [bearers.pop(name).outcome for name in list(bearers) if name.endswith(": a blank before")]
    assert padded, "white space around a field's value is no part of it (RFC 9110): these are good tokens"
    assert set(padded) == {(400, 103752)}, "believed, and then an empty accept"
    assert {t.outcome for t in bearers.values()} == {(401, 103752)}
    assert len({t.raw for t in bearers.values()}) == 1
    sent = {name: t.outcome for name, t in told.items() if name.startswith("sent")}
    # What is no JSON string of 1 to 64 KB characters without NUL is no request at all.
    assert set(sent.values()) == {(200, 103753), (400, 103752), (413, 103752)}
    unread = {name.partition(": ")[2] for name, outcome in sent.items() if outcome[0] != 200}
    assert unread == {"nothing", "over 64 KB", "the header with NUL", "the claims with NUL", "the signature with NUL"}


async def test_the_good_tokens_open_what_they_are_for(stage: Stage) -> None:
    """Or the forged ones would be refused for another reason."""
    casino = (await stage.new_casino()).line
    hub = await the_hub(stage, casino)
    goods: list[Good] = hub.goods(attackers(attackers_pem()))
    told = await told_of(stage, casino, [Row(f"{g.place} {g.key.alg}", g.place, g.token()) for g in goods])
    assert told.pop("bearer RS256").outcome == (400, 103752), "believed, and then an empty accept"
    assert {t.outcome for t in told.values()} == {(200, 200)}
    assert len(told) == 3
