"""What was believed a moment ago and is not any more: a key that was revoked, a casino or provider that was closed.

Each worker holds bearers that it has verified, keys and counterparties; all of it ends within a second.
"""

from __future__ import annotations

import json

import pytest

from croupier.apps.hub_app import hub_app
from croupier.apps.wiring import Seams, build
from croupier.casinos.betcore_v2 import signing as casino_signing
from croupier.core.counterparty import Casino
from croupier.core.session import judge_new_bet
from croupier.kit import jwt
from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.kit.wire import WireAnswer
from croupier.providers.betcore_v1 import signing
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.stage import settings_for
from croupier.store.parties.counterparties import Undecided
from croupier.store.ttl_cache import KEPT_S
from tests.apps.test_tenant_work import accept
from tests.flows.desk import HUB, Desk
from tests.store.cast import SEALER

API = "/mis-api/api/v2"
MOMENT_MS = round(KEPT_S * 1000)


def another_worker(desk: Desk) -> Desk:
    """A second worker on the same database: it learns only what it reads."""
    line = InProcessWire(SystemClock())
    clock = desk.clock
    hub = build(settings_for(), Seams(clock, SeededChance(2), InProcessWire(SystemClock()), SEALER, desk.db), "")
    line.mount(HUB, hub_app(hub, settings_for()))
    return Desk(hub, desk.cast, clock, desk.db, line)


async def token_of(desk: Desk, casino: Casino, secret: str) -> WireAnswer:
    body = json.dumps({"PartnerClientId": casino.casino_id, "Secret": secret}).encode()
    return await desk.call("POST", f"{API}/auth/token", body)


async def new_token(desk: Desk, casino: Casino, secret: str) -> str:
    return str(json.loads((await token_of(desk, casino, secret)).body)["Value"]["AccessToken"])


async def accepts(desk: Desk, token: str) -> int:
    body = json.dumps(accept(1001)).encode()
    return (await desk.call("POST", f"{API}/payments/accept", body, Authorization=f"Bearer {token}")).status


async def test_a_revoked_key_is_believed_by_no_worker_after_half_a_second(desk: Desk) -> None:
    keys = desk.hub.store.keys
    await keys.load()
    other = another_worker(desk)
    casino, secret = await desk.hub.store.casinos.add("Lido", "https://lido.example", ["EUR"])
    token = await new_token(desk, casino, secret)
    sent = casino_signing.envelope(
        keys.signing_key(casino), "{}", casino_id=casino.casino_id, issuer="croupier", now_s=desk.clock.ms // 1000
    )
    for worker in (desk, other):
        assert await accepts(worker, token) == 200
        told = await worker.call("POST", f"{API}/auth/verify", sent, Authorization=f"Bearer {token}")
        assert json.loads(told.body)["ErrorCode"] == 200
    kid = jwt.kid_of(token)
    await keys.revoke(kid, author="ann", reason="it leaked")
    desk.clock.ms += MOMENT_MS
    fresh = await new_token(other, casino, secret)
    assert jwt.kid_of(fresh) != kid
    for worker in (desk, other):
        assert await accepts(worker, token) == 401, "a bearer that was verified before ends with its key"
        assert await accepts(worker, fresh) == 200
        told = await worker.call("POST", f"{API}/auth/verify", sent, Authorization=f"Bearer {fresh}")
        assert json.loads(told.body)["ErrorCode"] == 103753
        listed = await worker.call("GET", f"{API}/auth/jwks")
        assert kid not in {key["kid"] for key in json.loads(listed.body)["keys"]}
        assert "max-age=0" in listed.headers["cache-control"], "no cache on the way goes on telling of it"


async def test_a_disabled_casino_may_still_say_what_it_did_and_a_closed_one_is_nobody(desk: Desk) -> None:
    store = desk.hub.store
    await store.keys.load()
    other = another_worker(desk)
    casino, secret = await store.casinos.add("Lido", "https://lido.example", ["EUR"])
    token = await new_token(desk, casino, secret)
    assert await accepts(other, token) == 200
    await store.casinos.disable(casino.casino_id)
    desk.clock.ms += MOMENT_MS
    for worker in (desk, other):
        assert await accepts(worker, token) == 200
        assert (await token_of(worker, casino, secret)).status == 200
    await store.casinos.close(casino.casino_id)
    desk.clock.ms += MOMENT_MS
    wrong = await token_of(desk, casino, "no secret")
    for worker in (desk, other):
        assert await accepts(worker, token) == 401
        told = await token_of(worker, casino, secret)
        assert (told.status, told.body) == (wrong.status, wrong.body), "as if the secret were wrong"
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await worker.call("GET", f"{API}/auth/jwks", **bearer)).status == 401
        assert (await worker.call("POST", f"{API}/auth/verify", b'"x"', **bearer)).status == 401
    await store.casinos.open(casino.casino_id)
    desk.clock.ms += MOMENT_MS
    for worker in (desk, other):
        assert await accepts(worker, token) == 200
        assert (await token_of(worker, casino, secret)).status == 200


async def test_tokens_that_a_leaked_secret_fetched_end_with_it(desk: Desk) -> None:
    store = desk.hub.store
    await store.keys.load()
    other = another_worker(desk)
    casino, secret = await store.casinos.add("Lido", "https://lido.example", ["EUR"])
    stolen = await new_token(desk, casino, secret)
    assert await accepts(other, stolen) == 200
    second = await store.casinos.rotate_secret(casino.casino_id, 60)
    desk.clock.ms += MOMENT_MS
    assert await accepts(other, stolen) == 200, "a rotation without hurry ends no token"
    third = await store.casinos.rotate_secret(casino.casino_id, 0)
    good = await new_token(other, casino, third)
    desk.clock.ms += MOMENT_MS
    for worker in (desk, other):
        assert await accepts(worker, stolen) == 401
        assert await accepts(worker, good) == 200, "the new secret's token is good at once"
        assert [(await token_of(worker, casino, one)).status for one in (secret, second)] == [401, 401]


async def balance_of(desk: Desk, secret: str, number: int) -> WireAnswer:
    provider = desk.cast.provider
    headers = signing.sign(
        secret, provider.counterparty_id, None, timestamp_ms=desk.clock.ms, request_id=f"{number:032x}"
    )
    return await desk.call("GET", "/v1/sessions/s-9/balance", **headers)


async def test_what_a_closed_provider_signs_is_answered_like_a_wrong_signature(desk: Desk) -> None:
    store, provider = desk.hub.store, desk.cast.provider
    secret = await store.providers.rotate_secret(provider.provider_id, 0)
    other = another_worker(desk)
    for number, worker in enumerate((desk, other)):
        assert (await balance_of(worker, secret, number)).status == 404, "it is known, the session is not"
    await store.providers.close(provider.provider_id)
    desk.clock.ms += MOMENT_MS
    for number, worker in enumerate((desk, other), 10):
        wrong = await balance_of(worker, "wrong", number)
        closed = await balance_of(worker, secret, number + 10)
        assert (closed.status, closed.body) == (wrong.status, wrong.body) == (401, wrong.body)
    await store.providers.open(provider.provider_id)
    desk.clock.ms += MOMENT_MS
    assert (await balance_of(other, secret, 40)).status == 404


async def test_what_is_closed_takes_no_new_bet(desk: Desk) -> None:
    store, cast = desk.hub.store, desk.cast
    await store.casinos.close(cast.casino.casino_id)
    casino = await store.casinos.find(cast.casino.casino_id)
    assert casino is not None
    told = judge_new_bet(
        cast.session, casino, cast.provider, stake=100, now_ms=desk.clock.ms, defaults=("0.01", "10000")
    )
    assert told is not None


async def test_with_money_in_flight_closing_wants_force(desk: Desk) -> None:
    """What would be left undecided is counted."""
    await desk.bet(1001)
    store, cast = desk.hub.store, desk.cast
    with pytest.raises(Undecided, match=r"1 bets, 1 payments.*--force"):
        await store.casinos.close(cast.casino.casino_id)
    with pytest.raises(Undecided, match=r"1 bets.*--force"):
        await store.providers.close(cast.provider.provider_id)
    await store.casinos.close(cast.casino.casino_id, force=True)
    await store.providers.close(cast.provider.provider_id, force=True)
