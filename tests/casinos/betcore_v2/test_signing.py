"""Sent JWTs and access tokens: exact bytes, exact lives, and neither passes for the other."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from croupier.casinos.betcore_v2 import signing
from croupier.kit import jwt
from croupier.kit.jwt import BadToken, PublicKey, SigningKey

VECTORS = Path(__file__).parents[2] / "vectors" / "betcore_v2"
NOW = 1_790_000_000
ISSUER = "hub.test"


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


KEYS: dict[str, SigningKey] = {
    row["alg"]: jwt.from_pem(row["alg"], row["kid"], row["pem"].encode()) for row in load("keys.json")["keys"]
}
PUBLIC: dict[str, PublicKey] = {key.kid: key.verifier() for key in KEYS.values()}
ENVELOPES = load("envelopes.json")["rows"]


def sent(data: str = "{}", *, casino_id: int = 2201, now_s: int = NOW, alg: str = "RS256", issuer: str = ISSUER) -> str:
    body = signing.envelope(KEYS[alg], data, casino_id=casino_id, issuer=issuer, now_s=now_s)
    text = json.loads(body)
    assert isinstance(text, str)
    return text


def verify(token: str, *, casino_id: int = 2201, now_s: int = NOW) -> signing.Sent:
    return signing.verify_sent(token, PUBLIC, casino_id=casino_id, issuer=ISSUER, now_s=now_s)


def bearer(token: str, *, scope: str = signing.SCOPE, now_s: int = NOW) -> signing.Bearer:
    return signing.read_token(token, PUBLIC, scope=scope, issuer=ISSUER, now_s=now_s)


def issued(*, scope: str = signing.SCOPE, now_s: int = NOW, issuer: str = ISSUER) -> str:
    return signing.issue_token(KEYS["RS256"], 2201, scope, issuer=issuer, now_s=now_s)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    return head, payload


# --- what goes to a casino --------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ENVELOPES, ids=lambda row: row["name"])
def test_an_envelope_is_the_vector_byte_for_byte(row: dict[str, Any]) -> None:
    """RS256 and EdDSA sign the same to the same bytes; of ES256 the signed part is compared."""
    body = signing.envelope(
        KEYS[row["alg"]], row["data"], casino_id=row["casino_id"], issuer=row["issuer"], now_s=row["now_s"]
    )
    if row["alg"] == "ES256":
        assert body.decode().rpartition(".")[0] == row["body"].rpartition(".")[0]
    else:
        assert body.decode() == row["body"]


@pytest.mark.parametrize("row", ENVELOPES, ids=lambda row: row["name"])
def test_a_vector_signed_elsewhere_verifies(row: dict[str, Any]) -> None:
    got = verify(json.loads(row["body"]), now_s=row["now_s"])
    assert got == signing.Sent(row["data"], "PartnerClient-2201")


def test_header_and_claims_are_the_documented_ones() -> None:
    header, claims = parts(sent('{"BetId":5}'))
    assert header == {"alg": "RS256", "kid": "test-rs", "typ": "JWT"}
    assert claims == {
        "nbf": NOW,
        "exp": NOW + 10,
        "iss": ISSUER,
        "data": '{"BetId":5}',
        "client_id": "PartnerClient-2201",
    }


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_any_data_comes_back_as_it_went(alg: str) -> None:
    data = '{"PartnerUserId":"Zo\\u00eb \\"7\\" \\\\ / é ☃"}'
    assert verify(sent(data, alg=alg)).data == data


# --- POST /auth/verify ------------------------------------------------------------------------------------------


def test_a_whole_list_of_makes_can_be_verified() -> None:
    data = json.dumps(
        [{"BetId": 216345600000001 + i, "PartnerUserId": "p" * 40, "Amount": "12.50"} for i in range(100)]
    )
    assert verify(sent(data)).data == data


@pytest.mark.parametrize(("after_s", "good"), [(0, True), (9, True), (10, False), (11, False), (3600, False)])
def test_a_sent_jwt_lives_ten_seconds(after_s: int, good: bool) -> None:
    token = sent("{}")
    if good:
        assert verify(token, now_s=NOW + after_s).data == "{}"
    else:
        with pytest.raises(BadToken):
            verify(token, now_s=NOW + after_s)


def test_a_machine_whose_clock_is_behind_by_the_allowed_skew_verifies_too() -> None:
    assert verify(sent("{}"), now_s=NOW - 10).data == "{}"
    with pytest.raises(BadToken):
        verify(sent("{}"), now_s=NOW - 11)


def test_a_jwt_sent_to_another_casino_is_refused() -> None:
    with pytest.raises(BadToken):
        verify(sent("{}", casino_id=2202))


def test_an_access_token_is_no_sent_jwt() -> None:
    with pytest.raises(BadToken):
        verify(issued())


@pytest.mark.parametrize(
    "claims",
    [
        {"nbf": NOW, "exp": NOW + 10, "iss": ISSUER, "client_id": "PartnerClient-2201"},
        {"nbf": NOW, "exp": NOW + 10, "iss": ISSUER, "client_id": "PartnerClient-2201", "data": {"BetId": 5}},
        {"nbf": NOW, "exp": NOW + 10, "iss": ISSUER, "client_id": "PartnerClient-2201", "data": 5},
        {"nbf": NOW, "iss": ISSUER, "client_id": "PartnerClient-2201", "data": "{}"},
        {"nbf": NOW, "exp": NOW + 10, "iss": ISSUER, "data": "{}"},
        {"nbf": NOW, "exp": NOW + 10, "iss": "other", "client_id": "PartnerClient-2201", "data": "{}"},
        {"nbf": NOW, "exp": NOW + 10, "iss": ISSUER, "client_id": "PartnerClient-2201", "data": "{}", "aud": "hub"},
    ],
)
def test_our_key_alone_does_not_make_it_a_sent_jwt(claims: dict[str, object]) -> None:
    with pytest.raises(BadToken):
        verify(jwt.sign(KEYS["RS256"], claims))


def test_a_jwt_of_a_foreign_key_under_our_kid_is_refused() -> None:
    foreign = jwt.new_key("EdDSA", "test-ed")
    body = signing.envelope(foreign, "{}", casino_id=2201, issuer=ISSUER, now_s=NOW)
    with pytest.raises(BadToken):
        verify(json.loads(body))


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "..", "é.é.é", "a" * 70000])
def test_rubbish_is_a_bad_token(token: str) -> None:
    with pytest.raises(BadToken):
        verify(token)
    with pytest.raises(BadToken):
        bearer(token)


# --- access tokens ----------------------------------------------------------------------------------------------


def test_an_access_token_says_whose_it_is_and_until_when() -> None:
    assert bearer(issued()) == signing.Bearer(2201, NOW + 3600, NOW, "test-rs")


def test_the_claims_of_an_access_token_are_the_documented_ones() -> None:
    header, claims = parts(issued())
    assert header["alg"] == "RS256"
    assert claims == {
        "iss": ISSUER,
        "aud": "hub",
        "exp": NOW + 3600,
        "nbf": NOW,
        "client_id": "PartnerClient-2201",
        "scope": "casino",
    }


@pytest.mark.parametrize(("after_s", "good"), [(-11, False), (-10, True), (0, True), (3599, True), (3600, False)])
def test_an_access_token_lives_an_hour(after_s: int, good: bool) -> None:
    if good:
        assert bearer(issued(), now_s=NOW + after_s).casino_id == 2201
    else:
        with pytest.raises(BadToken):
            bearer(issued(), now_s=NOW + after_s)


def of_ours(alg: str = "RS256", **changes: Any) -> str:
    """An access token that our own key signed, with these claims changed; None leaves one out."""
    claims: dict[str, Any] = {
        "iss": ISSUER, "aud": "hub", "exp": NOW + 3600, "nbf": NOW, "client_id": "PartnerClient-2201", "scope": "casino",
    }  # fmt: skip
    return jwt.sign(KEYS[alg], {name: v for name, v in (claims | changes).items() if v is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 4_070_908_800}, {"exp": 4_070_908_800, "nbf": 4_070_905_200}, {"exp": NOW + 3601}, {"nbf": None},
        {"nbf": NOW + 11}, {"nbf": NOW - 1}, {"nbf": "now"}, {"nbf": NOW, "exp": NOW}, {"exp": NOW + 3611, "nbf": NOW + 11},
        {"iat": NOW + 11}, {"iat": NOW - 1}, {"iat": "x"}, {"iat": 4_070_908_800}, {"exp": 1e10}, {"nbf": 0},
    ],
)  # fmt: skip
def test_a_key_that_leaked_signs_no_token_that_lives_longer_than_an_hour(changes: dict[str, Any]) -> None:
    """The longest life holds on reading: who has the key writes what it likes."""
    with pytest.raises(BadToken):
        bearer(of_ours(**changes))


@pytest.mark.parametrize("changes", [{}, {"iat": NOW}, {"exp": NOW + 1}, {"nbf": NOW + 10, "exp": NOW + 3610}])
def test_tokens_of_a_machine_whose_clock_is_a_little_ahead_are_good(changes: dict[str, Any]) -> None:
    assert bearer(of_ours(**changes)).casino_id == 2201


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_a_key_that_signs_calls_of_another_algorithm_signs_no_access_token(alg: str) -> None:
    with pytest.raises(BadToken):
        bearer(of_ours(alg))


@pytest.mark.parametrize("changes", [{"exp": NOW + 11}, {"exp": NOW + 3600}, {"nbf": None}, {"iat": NOW + 11}])
def test_a_sent_jwt_lives_no_longer_than_ten_seconds_whoever_signed_it(changes: dict[str, Any]) -> None:
    claims: dict[str, Any] = {
        "nbf": NOW, "exp": NOW + 10, "iss": ISSUER, "data": "{}", "client_id": "PartnerClient-2201",
    }  # fmt: skip
    with pytest.raises(BadToken):
        verify(jwt.sign(KEYS["RS256"], {name: v for name, v in (claims | changes).items() if v is not None}))


def test_a_token_of_one_scope_is_refused_for_another() -> None:
    with pytest.raises(BadToken):
        bearer(issued(scope="feeds"))
    assert bearer(issued(scope="feeds"), scope="feeds").casino_id == 2201


def test_a_token_of_another_hub_is_refused() -> None:
    with pytest.raises(BadToken):
        bearer(issued(issuer="elsewhere.test"))


def test_a_sent_jwt_is_no_bearer() -> None:
    with pytest.raises(BadToken):
        bearer(sent("{}"))


@pytest.mark.parametrize(
    "client",
    [
        None,
        2201,
        "",
        "2201",
        "PartnerClient-",
        "PartnerClient--1",
        "PartnerClient-01",
        "PartnerClient-x",
        "PartnerClient-²",
    ],
)
def test_a_token_without_a_usable_client_is_refused(client: object) -> None:
    claims = {"iss": ISSUER, "aud": "hub", "exp": NOW + 60, "nbf": NOW, "client_id": client, "scope": "casino"}
    with pytest.raises(BadToken):
        bearer(jwt.sign(KEYS["RS256"], claims))


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_access_tokens_are_never_signed_otherwise_than_with_rs256(alg: str) -> None:
    with pytest.raises(ValueError, match="RS256"):
        signing.issue_token(KEYS[alg], 2201, signing.SCOPE, issuer=ISSUER, now_s=NOW)


# --- the key set ------------------------------------------------------------------------------------------------


def test_the_key_set_is_bare_and_public() -> None:
    """No envelope, nothing private, every kind in its documented shape, during a rotation both keys."""
    second = jwt.new_key("RS256", "next-rs")
    document = jwt.jwks([*KEYS.values(), second])
    assert list(document) == ["keys"]
    assert [key["kid"] for key in document["keys"]] == ["test-rs", "test-es", "test-ed", "next-rs"]
    shapes = [{"n", "e"}, {"crv", "x", "y"}, {"crv", "x"}, {"n", "e"}]
    for key, shape in zip(document["keys"], shapes, strict=True):
        assert set(key) == {"kty", "use", "alg", "kid"} | shape
        assert key["use"] == "sig"


def test_a_casino_that_knows_only_the_key_set_verifies_what_is_sent() -> None:
    fetched = jwt.public_keys_from_jwks(jwt.jwks(KEYS.values()))
    for alg in KEYS:
        claims = jwt.verify(sent("{}", alg=alg), fetched, now_s=NOW, issuer=ISSUER)
        assert claims["client_id"] == "PartnerClient-2201"
