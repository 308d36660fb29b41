"""A token of one scope is refused where another is needed, whichever way round. Contract: feed.md 1, casino.md 1.3."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from croupier.casinos.betcore_v2 import signing
from croupier.casinos.betcore_v2.access_tokens import AccessTokens
from croupier.flows.inbound_limits import InboundLimits, InboundRates
from croupier.flows.ports import Unauthorized
from croupier.kit.inbound import HotRequest
from croupier.store.db import Db
from tests.flows.desk import Desk, make_desk


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    """The hub, asked without a network."""
    made = await make_desk(db)
    await made.hub.store.keys.load()
    yield made
    await made.line.close()


def scopes(desk: Desk) -> tuple[AccessTokens, AccessTokens]:
    return AccessTokens(desk.hub, "croupier", signing.SCOPE), AccessTokens(desk.hub, "croupier", "feeds")


async def test_a_token_opens_the_door_of_its_scope_and_no_other(desk: Desk) -> None:
    casino, secret = await desk.hub.store.casinos.add("Owl", "https://owl.example", ["EUR"])
    for mine, other in (scopes(desk), scopes(desk)[::-1]):
        token = await mine.issue(casino.casino_id, secret, "127.0.0.1")
        admitted = await mine.admit(token)
        assert admitted.casino.casino_id == casino.casino_id
        assert admitted.expires_s - mine.now_s() in range(mine.token_s - 1, mine.token_s + 2)
        with pytest.raises(Unauthorized, match="another scope"):
            await other.admit(token)


async def test_a_wrong_secret_gets_no_token_of_any_scope(desk: Desk) -> None:
    casino, _ = await desk.hub.store.casinos.add("Owl", "https://owl.example", ["EUR"])
    for tokens in scopes(desk):
        with pytest.raises(Unauthorized):
            await tokens.issue(casino.casino_id, "not-the-secret", "127.0.0.1")


async def test_a_casino_with_addresses_is_believed_from_these_alone(desk: Desk) -> None:
    """Its secret and its tokens may have leaked. A feed's token is read wherever its players are, and issued to its servers alone."""
    casino, secret = await desk.hub.store.casinos.add("Owl", "https://owl.example", ["EUR"])
    await desk.hub.store.casinos.change(casino.casino_id, {"addresses": ["192.0.2.0/24"]})
    mine, feed = scopes(desk)
    for tokens in (mine, feed):
        with pytest.raises(Unauthorized, match=r"the address 127\.0\.0\.1 is none of the casino's"):
            await tokens.issue(casino.casino_id, secret, "127.0.0.1")
    token = await mine.issue(casino.casino_id, secret, "192.0.2.9")
    for address, may in (("192.0.2.10", True), ("198.51.100.1", False)):
        headers = [(b"authorization", f"Bearer {token}".encode())]
        request = HotRequest("POST", "/", headers, dict(headers), address, 0.0)
        if may:
            assert (await mine.authenticate(request)).name == "Owl"
        else:
            with pytest.raises(Unauthorized, match=r"198\.51\.100\.1"):
                await mine.authenticate(request)
    assert (await feed.admit(await feed.issue(casino.casino_id, secret, "192.0.2.9"))).casino.name == "Owl"


async def test_wrong_secrets_from_one_address_are_limited_and_no_accept_is(desk: Desk) -> None:
    """casino.md 1: a guesser waits, a casino that proved itself from there does not, and a bearer is judged in any case."""
    casino, secret = await desk.hub.store.casinos.add("Owl", "https://owl.example", ["EUR"])
    other, other_secret = await desk.hub.store.casinos.add("Elk", "https://elk.example", ["EUR"])
    body = json.dumps({"PartnerClientId": casino.casino_id, "Secret": secret}).encode()
    good = await desk.call("POST", "/mis-api/api/v2/auth/token", body)
    bearer = json.loads(good.body)["Value"]["AccessToken"]
    guess = json.dumps({"PartnerClientId": other.casino_id, "Secret": "guess"}).encode()
    answers = []
    for _ in range(120):
        answers.append(await desk.call("POST", "/mis-api/api/v2/auth/token", guess))
        desk.clock.ms += 1
    assert {answer.status for answer in answers[:100]} == {401}
    assert answers[-1].status == 429
    assert json.loads(answers[-1].body)["ErrorCode"] == 103752
    assert answers[-1].headers["retry-after"] == "1"
    right = json.dumps({"PartnerClientId": other.casino_id, "Secret": other_secret}).encode()
    assert (await desk.call("POST", "/mis-api/api/v2/auth/token", right)).status == 429
    assert (await desk.call("POST", "/mis-api/api/v2/auth/token", body)).status == 200
    outcome = b'{"ErrorCode":200,"Message":"","Value":{"BetId":1,"TransactionType":-1,"PartnerUserId":"u",'
    outcome += b'"PartnerTransactionId":"t","Amount":"1.00"}}'
    accept = await desk.call("POST", "/mis-api/api/v2/payments/accept", outcome, Authorization=f"Bearer {bearer}")
    assert (accept.status, json.loads(accept.body)["ErrorCode"]) == (200, 102823)


async def test_tokens_are_limited_per_address(desk: Desk) -> None:
    casino, secret = await desk.hub.store.casinos.add("Owl", "https://owl.example", ["EUR"])
    body = json.dumps({"PartnerClientId": casino.casino_id, "Secret": secret}).encode()
    desk.hub.inbound_limits = InboundLimits(
        desk.hub.clock, desk.hub.metrics, InboundRates(None, tokens_per_s=1, feed_per_s=1, failed_auth_per_s=1)
    )
    for root, took in (("/mis-api/api/v2", 3), ("/partnersmediator-service/api/v2", 0)):
        statuses = [(await desk.call("POST", f"{root}/auth/token", body)).status for _ in range(4)]
        assert statuses == [200] * took + [429] * (4 - took)
