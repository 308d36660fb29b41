"""Signed tokens (JWS compact form): RS256, ES256 and EdDSA. Also exports the key objects of kit.keys.

Owns: signing and strict verification. Never: the meaning of a claim beyond exp, nbf, iss and aud, or the clock: the
caller passes the time. From casino.md 1.3 and 2.

The algorithm belongs to the key. A token's header only names the key and must agree with it. Headers that bring a key,
an address to fetch one from, or extensions are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from croupier.kit import strictjson
from croupier.kit.keys import (
    ALGORITHMS,
    COORDINATE_BYTES,
    KID,
    BadKey,
    Private,
    Public,
    PublicKey,
    SigningKey,
    from_base64url,
    from_pem,
    jwks,
    new_key,
    public_jwk,
    public_keys_from_jwks,
    to_base64url,
    to_pem,
)
from croupier.kit.strictjson import Json

__all__ = [
    "ALGORITHMS",
    "BadKey",
    "BadToken",
    "PublicKey",
    "SigningKey",
    "expires_s",
    "from_pem",
    "issued_s",
    "jwks",
    "kid_of",
    "new_key",
    "public_jwk",
    "public_keys_from_jwks",
    "sign",
    "starts_s",
    "to_pem",
    "verify",
]

MAX_TOKEN = 65536
MAX_TIME_S = 2**53

_ECDSA = ec.ECDSA(hashes.SHA256())
# Headers that would let a token choose its key, or change what its bytes mean.
_FORBIDDEN_HEADERS = frozenset({"crit", "jwk", "jku", "x5u", "x5c", "b64", "enc", "zip"})


class BadToken(Exception):
    """The token is not valid. `why` never quotes it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def sign(key: SigningKey, claims: Mapping[str, object]) -> str:
    """Return the compact token with these claims, as compact JSON in the order given."""
    header = {"alg": key.alg, "kid": key.kid, "typ": "JWT"}
    signed = f"{to_base64url(_json(header))}.{to_base64url(_json(claims))}"
    return f"{signed}.{to_base64url(_signature(key.private, signed.encode('ascii')))}"


def verify(
    token: str,
    keys: Mapping[str, PublicKey],
    *,
    now_s: int,
    audience: str | None = None,
    issuer: str | None = None,
    leeway_s: int = 10,
) -> dict[str, Json]:
    """Return the claims of a token that one of these keys signed and that is valid at `now_s`; raises BadToken.

    Numbers are returned as `strictjson.NumberText`. Without `audience`, a token with an audience is refused, so that an
    access token never passes for another kind. Without `issuer`, the issuer is not checked.
    """
    head, payload, signature = _parts(token)
    key = _named_key(_json_object(head, "header"), keys)
    if not _signature_holds(key.public, _decode(signature, "signature"), token[: len(head) + 1 + len(payload)]):
        raise BadToken("the signature does not hold")
    claims = _json_object(payload, "payload")
    _check_times(claims, now_s, leeway_s)
    _check_parties(claims, audience, issuer)
    return claims


def expires_s(claims: Mapping[str, Json]) -> int:
    """Return the expiry of verified claims, in seconds since the epoch, without leeway."""
    return _seconds(claims, "exp")


def starts_s(claims: Mapping[str, Json]) -> int:
    """Return the start of validity of verified claims, without leeway; raises BadToken if it is missing."""
    return _seconds(claims, "nbf")


def issued_s(claims: Mapping[str, Json]) -> int | None:
    """Return the issue time of verified claims, or None; raises BadToken if it is not a time."""
    return _seconds(claims, "iat") if "iat" in claims else None


def kid_of(token: str) -> str:
    """Return the id of the key that signed a verified token."""
    return _word(_json_object(_parts(token)[0], "header"), "kid") or ""


def unverified_claims(token: str) -> dict[str, Json]:
    """Return the claims without verification; they must not be trusted. Raises BadToken if they cannot be read."""
    return _json_object(_parts(token)[1], "payload")


def _parts(token: str) -> tuple[str, str, str]:
    if len(token) > MAX_TOKEN:
        raise BadToken(f"longer than {MAX_TOKEN} characters")
    if not token.isascii():  # the signature is over bytes, and only ASCII has one spelling in them
        raise BadToken("not ASCII")
    parts = token.split(".", 5)
    if len(parts) != 3:  # header, payload, signature; an encrypted token has five
        raise BadToken("not three parts")
    return parts[0], parts[1], parts[2]


def _named_key(header: Mapping[str, Json], keys: Mapping[str, PublicKey]) -> PublicKey:
    if not _FORBIDDEN_HEADERS.isdisjoint(header):
        raise BadToken("a header that is not allowed")
    if "typ" in header and (_word(header, "typ") or "").upper() != "JWT":
        raise BadToken("not of type JWT")
    kid = _word(header, "kid")
    if kid is None or not KID.fullmatch(kid):
        raise BadToken("no usable kid")
    key = keys.get(kid)
    if key is None:
        raise BadToken("unknown kid")
    if _word(header, "alg") != key.alg:
        raise BadToken("not the algorithm of this key")
    return key


def _check_times(claims: Mapping[str, Json], now_s: int, leeway_s: int) -> None:
    if now_s >= _seconds(claims, "exp") + leeway_s:
        raise BadToken("expired")
    if "nbf" in claims and now_s < _seconds(claims, "nbf") - leeway_s:
        raise BadToken("not valid yet")


def _check_parties(claims: Mapping[str, Json], audience: str | None, issuer: str | None) -> None:
    if issuer is not None and _word(claims, "iss") != issuer:
        raise BadToken("another issuer")
    meant_for = claims.get("aud")
    audiences = meant_for if isinstance(meant_for, list) else [meant_for]
    named = [name for name in audiences if not isinstance(name, strictjson.NumberText)]
    if "aud" in claims if audience is None else audience not in named:
        raise BadToken("another audience")


def _word(record: Mapping[str, Json], name: str) -> str | None:
    try:
        return strictjson.optional_text(record, name, MAX_TOKEN, min_len=0)
    except strictjson.BadField:  # a number must not pass for the text of the same characters
        return None


def _seconds(claims: Mapping[str, Json], name: str) -> int:
    try:
        return strictjson.integer(claims, name, low=0, high=MAX_TIME_S)
    except strictjson.BadField as problem:
        raise BadToken(str(problem)) from None


def _signature(private: Private, message: bytes) -> bytes:
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(message)
    r, s = decode_dss_signature(private.sign(message, _ECDSA))
    return r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")


def _signature_holds(public: Public, signature: bytes, signed: str) -> bool:
    message = signed.encode("ascii")
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, message)
        else:
            public.verify(_der_signature(signature), message, _ECDSA)
    except InvalidSignature:
        return False
    return True


def _der_signature(signature: bytes) -> bytes:
    if len(signature) != 2 * COORDINATE_BYTES:
        raise InvalidSignature
    r, s = (int.from_bytes(half, "big") for half in (signature[:COORDINATE_BYTES], signature[COORDINATE_BYTES:]))
    return encode_dss_signature(r, s)


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _json_object(part: str, name: str) -> dict[str, Json]:
    try:
        return strictjson.record(strictjson.loads(_decode(part, name)))
    except (strictjson.BadJson, strictjson.BadField):
        raise BadToken(f"the {name} is not a JSON object") from None


def _decode(part: str, name: str) -> bytes:
    try:
        return from_base64url(part)
    except ValueError as problem:
        raise BadToken(f"the {name} is {problem}") from None
