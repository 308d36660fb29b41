"""Keys: made, written, read back, published as JWK, and refused when weak or malformed."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from hypothesis import given
from hypothesis import strategies as st

from croupier.kit import jwt, keys
from croupier.kit.keys import BadKey, SigningKey, from_base64url, to_base64url

ALL = {alg: keys.new_key(alg, f"{alg}-1") for alg in keys.ALGORITHMS}


def jwk(kind: str, /, **changed: Any) -> dict[str, Any]:
    return {**keys.public_jwk(ALL[kind]), **changed}


def pem_of(private: Any) -> bytes:
    return bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@pytest.mark.parametrize("alg", keys.ALGORITHMS)
def test_a_key_survives_its_pem(alg: str) -> None:
    again = keys.from_pem(alg, "other-kid", keys.to_pem(ALL[alg]))
    token = jwt.sign(again, {"exp": 10})
    assert again.kid == "other-kid"
    assert jwt.verify(token, {"other-kid": again.verifier()}, now_s=0)
    assert {**keys.public_jwk(again), "kid": f"{alg}-1"} == keys.public_jwk(ALL[alg])


@pytest.mark.parametrize("alg", ["HS256", "none", "RS512", "rs256", ""])
def test_no_other_algorithm_makes_a_key(alg: str) -> None:
    with pytest.raises(BadKey):
        keys.new_key(alg, "k")


@pytest.mark.parametrize("kid", ["", "a b", "../x", "k\n", "ключ", "x" * 129])
def test_a_kid_with_odd_characters_makes_no_key(kid: str) -> None:
    with pytest.raises(BadKey, match="kid"):
        keys.new_key("EdDSA", kid)


@pytest.mark.parametrize(
    ("alg", "pem"),
    [
        ("ES256", keys.to_pem(ALL["RS256"])),
        ("RS256", keys.to_pem(ALL["EdDSA"])),
        ("EdDSA", keys.to_pem(ALL["ES256"])),
        ("ES256", pem_of(ec.generate_private_key(ec.SECP384R1()))),
        ("RS256", pem_of(rsa.generate_private_key(65537, 1024))),
        ("EdDSA", pem_of(x25519.X25519PrivateKey.generate())),
        ("RS256", b"no key at all"),
        ("RS256", b""),
    ],
)
def test_a_pem_of_another_or_weaker_kind_is_refused(alg: str, pem: bytes) -> None:
    with pytest.raises(BadKey):
        keys.from_pem(alg, "k", pem)


def test_a_jwk_has_the_members_of_its_kind() -> None:
    assert set(jwk("RS256")) == {"kty", "use", "alg", "kid", "n", "e"}
    assert set(jwk("ES256")) == {"kty", "use", "alg", "kid", "crv", "x", "y"}
    assert set(jwk("EdDSA")) == {"kty", "use", "alg", "kid", "crv", "x"}
    assert jwk("RS256")["e"] == "AQAB"


def test_a_coordinate_that_begins_with_zero_keeps_its_32_bytes() -> None:
    small_y = next(
        d for d in range(1, 5000) if ec.derive_private_key(d, ec.SECP256R1()).public_key().public_numbers().y < 2**248
    )
    key = SigningKey("k", "ES256", ec.derive_private_key(small_y, ec.SECP256R1()))
    published = keys.public_jwk(key)
    assert len(from_base64url(published["y"])) == 32
    assert keys.public_keys_from_jwks({"keys": [published]})["k"].public == key.private.public_key()


def test_a_set_gives_back_its_keys_by_kid() -> None:
    found = keys.public_keys_from_jwks(keys.jwks(ALL.values()))
    assert found == {key.kid: key.verifier() for key in ALL.values()}


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "k", "alg": "HS256"},
        {"kty": ["RSA"]},
        {},
        jwk("RS256", alg="RS512"),
        jwk("RS256", use="enc"),
        jwk("ES256", crv="P-384"),
        jwk("EdDSA", crv="X25519"),
    ],
)
def test_a_key_of_a_kind_unknown_here_is_passed_over(entry: dict[str, Any]) -> None:
    assert list(keys.public_keys_from_jwks({"keys": [entry, jwk("ES256")]})) == ["ES256-1"]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"keys": {}},
        {"keys": ["x"]},
        {"keys": [jwk("EdDSA"), jwk("EdDSA")]},
        {"keys": [jwk("EdDSA", kid=None)]},
        {"keys": [jwk("EdDSA", kid="a/b")]},
        {"keys": [jwk("EdDSA", x="AAAA")]},
        {"keys": [jwk("EdDSA", x=None)]},
        {"keys": [jwk("ES256", y=jwk("ES256")["x"])]},
        {"keys": [jwk("ES256", y="AAAA")]},
        {"keys": [jwk("RS256", e=None)]},
        {"keys": [jwk("RS256", e="Ag")]},
        {"keys": [jwk("RS256", e=to_base64url(b"\x01" * 5))]},
        {"keys": [jwk("RS256", n=jwk("RS256")["n"] + "=")]},
        {"keys": [jwk("RS256", n=to_base64url(b"\xff" * 128))]},
        {"keys": [jwk("RS256", n=to_base64url(b"\xff" * 1025))]},
    ],
)
def test_a_broken_or_weak_key_refuses_the_set(document: dict[str, Any]) -> None:
    with pytest.raises(BadKey):
        keys.public_keys_from_jwks(document)


@given(st.binary(max_size=80))
def test_base64url_goes_there_and_back(content: bytes) -> None:
    assert from_base64url(to_base64url(content)) == content


@given(st.text("ABab01-_+/= \n.", max_size=12))
def test_one_content_has_one_base64url_spelling(part: str) -> None:
    try:
        content = from_base64url(part)
    except ValueError:
        return
    assert to_base64url(content) == part
