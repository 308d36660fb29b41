"""`POST /mis-api/api/v2/auth/verify`: for casinos without a library for signatures."""

import base64
import json
import time

import jwt
import pytest

from croupier.kit.jwt import SigningKey
from croupier.kit.jwt import sign as sign_jwt
from tests.journeys.peers import Casino
from tests.journeys.stage import Stage, Table

NOT_OURS = (200, 103753)


async def sent_to(table: Table) -> str:
    """A JWT that the hub has just sent to this casino."""
    await table.line.balance(table.session)
    return str(json.loads(table.casino.heard[-1].raw))


async def test_what_the_hub_sent_to_the_caller_is_opened(table: Table) -> None:
    token = await sent_to(table)
    told = await table.casino.line.call("auth/verify", token)
    assert told.outcome == (200, 200)
    assert told.said["Value"] == {
        "Data": table.casino.heard[-1].text,
        "ClientId": f"PartnerClient-{table.casino.line.client_id}",
    }


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
async def test_tokens_of_every_algorithm_are_opened(stage: Stage, alg: str) -> None:
    table = await stage.table(await stage.new_casino(alg))
    told = await table.casino.line.call("auth/verify", await sent_to(table))
    assert json.loads(told.said["Value"]["Data"]) == {"PartnerUserId": table.player}


async def test_what_was_sent_to_another_casino_is_not_ours(stage: Stage, table: Table) -> None:
    other = await stage.new_casino()
    told = await other.line.call("auth/verify", await sent_to(table))
    assert told.outcome == NOT_OURS
    assert set(told.said) == {"ErrorCode", "Message"}
    (incident,) = [one for one in await stage.desk.store.incidents.open_ones() if one.name == "mixed_up"]
    assert incident.note.startswith(
        f"token for client {table.casino.line.client_id} verified as {other.line.client_id}: "
    )


async def test_an_access_token_is_no_call_of_the_hub(table: Table) -> None:
    assert (await table.casino.line.call("auth/verify", await table.casino.line.bearer())).outcome == NOT_OURS


async def test_what_is_expired_forged_or_no_token_at_all_is_not_ours(stage: Stage, table: Table) -> None:
    token = await sent_to(table)
    head, body, made = token.split(".")
    key = await _key(stage, table.casino)
    fresh = _claims(table.casino, int(time.time()))
    assert (await table.casino.line.call("auth/verify", sign_jwt(key, fresh))).outcome == (200, 200), (
        "the recipe is right"
    )
    wrong = {
        "expired": sign_jwt(key, _claims(table.casino, int(time.time()) - 11)),
        "not yet": sign_jwt(key, _claims(table.casino, int(time.time()) + 60)),
        "other issuer": sign_jwt(key, {**fresh, "iss": "somebody"}),
        "without an end": sign_jwt(key, {k: v for k, v in fresh.items() if k != "exp"}),
        "for the hub": sign_jwt(key, {**fresh, "aud": "hub"}),
        "other contents": f"{head}.{_b64({**fresh, 'data': '{}'})}.{made}",
        "other signature": f"{head}.{body}.{made[:-4]}AAAA",
        "unsigned": f"{_b64({'alg': 'none', 'typ': 'JWT'})}.{_b64(fresh)}.",
        "with a password": jwt.encode(fresh, "x" * 32, "HS256", headers={"kid": key.kid}),
        "text": "not a token",
        "dots": "..",
    }
    told = {name: (await table.casino.line.call("auth/verify", odd)).outcome for name, odd in wrong.items()}
    assert told == dict.fromkeys(wrong, NOT_OURS)


async def test_only_a_casino_may_ask(table: Table) -> None:
    token = await sent_to(table)
    for bearer in (None, "", "x", token, "Basic x"):
        told = await table.casino.line.call("auth/verify", token, bearer=bearer)
        assert told.outcome == (401, 103752)
        assert told.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("body", [{}, [], 5, None, True, "", b"eyJh.e.y"])
async def test_the_body_is_one_json_string(table: Table, body: object) -> None:
    assert (await table.casino.line.call("auth/verify", body)).outcome == (400, 103752)


async def test_the_sandbox_casino_can_do_without_a_library(stage: Stage) -> None:
    await stage.casino("settings", {"askHub": True})
    try:
        seat = await stage.seat()
        assert (await seat.call("balance")).outcome == (200, 1)
    finally:
        await stage.casino("settings", {"askHub": False})


def _claims(casino: Casino, now_s: int) -> dict[str, object]:
    client = f"PartnerClient-{casino.line.client_id}"
    return {"nbf": now_s, "exp": now_s + 10, "iss": "croupier", "data": '{"a":1}', "client_id": client}


async def _key(stage: Stage, casino: Casino) -> SigningKey:
    """The key that really signs for this casino, as only the hub has it."""
    known = await stage.desk.store.casinos.get(casino.line.client_id)
    assert known is not None
    return stage.desk.store.keys.signing_key(known)


def _b64(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
