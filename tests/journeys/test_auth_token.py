"""`POST /mis-api/api/v2/auth/token`: a secret becomes an hour of access."""

import jwt
import pytest

from tests.journeys.by_hand import HandCasino
from tests.journeys.stage import Stage


async def test_the_value_is_an_hour_of_bearer_signed_with_a_listed_rs256_key(stage: Stage) -> None:
    casino = await stage.new_casino("EdDSA")
    told = await casino.line.new_token()
    assert told.status == 200
    assert set(told.said) == {"ErrorCode", "Message", "Value"}
    assert (told.said["ErrorCode"], told.said["Message"]) == (200, "Success")
    value = told.said["Value"]
    assert set(value) == {"AccessToken", "TokenType", "ExpiresIn", "Scope"}
    assert (value["TokenType"], value["ExpiresIn"]) == ("Bearer", 3600)
    assert told.headers["cache-control"] == "no-store"
    header = jwt.get_unverified_header(value["AccessToken"])
    assert header["alg"] == "RS256", "whatever the casino's own algorithm is"
    keys = {key["kid"]: key for key in (await casino.line.jwks()).said["keys"]}
    claims = jwt.decode(
        value["AccessToken"], jwt.PyJWK(keys[header["kid"]]), algorithms=["RS256"], options={"verify_aud": False}
    )
    assert claims["client_id"] == f"PartnerClient-{casino.line.client_id}"
    assert claims["exp"] - claims["nbf"] == 3600
    assert claims["scope"] == value["Scope"]
    assert {"iss", "aud", "exp", "nbf", "client_id", "scope"} <= set(claims)
    assert "data" not in claims, "it must not pass for a call of the hub"


async def test_a_wrong_secret_and_an_unknown_casino_are_answered_alike(stage: Stage) -> None:
    casino = await stage.new_casino()
    wrong = HandCasino(stage.http, stage.facts.hub_url, casino.line.client_id, "not the secret")
    nobody = HandCasino(stage.http, stage.facts.hub_url, 2_000_000_000, casino.line.secret)
    told = [await line.new_token() for line in (wrong, nobody)]
    assert {t.outcome for t in told} == {(401, 103752)}
    assert told[0].raw == told[1].raw
    assert set(told[0].said) == {"ErrorCode", "Message"}


async def test_a_disabled_casino_still_gets_tokens_because_its_accepts_go_on(stage: Stage) -> None:
    casino = await stage.new_casino()
    await stage.desk.store.casinos.disable(casino.line.client_id)
    assert (await casino.line.new_token()).outcome == (200, 200)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"PartnerClientId": 1}, {"Secret": "s"}, {"PartnerClientId": "1", "Secret": "s"},
        {"PartnerClientId": 1.5, "Secret": "s"}, {"PartnerClientId": -1, "Secret": "s"},
        {"PartnerClientId": 10**12, "Secret": "s"}, {"PartnerClientId": True, "Secret": "s"},
        {"PartnerClientId": 1, "Secret": 5}, {"PartnerClientId": 1, "Secret": "s" * 257},
        {"PartnerClientId": 1, "Secret": ""}, [], "text", None,
    ],
)  # fmt: skip
async def test_a_body_that_is_no_token_request_cannot_be_read(stage: Stage, body: object) -> None:
    line = HandCasino(stage.http, stage.facts.hub_url, 1, "s")
    assert (await line.call("auth/token", body, bearer=None)).outcome == (400, 103752)
