"""What proves who speaks: the JWT around every call to a casino, and the bearer of every call from one.

Owns: the claims of both kinds of JWT, and what tells them apart: a bearer has an audience and no data, a sent
JWT has data and no audience; neither ever passes for the other. Never: time, key storage, I/O.
Spec: casino.md section 1 and the opening of section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from croupier.kit import jwt, strictjson
from croupier.kit.jwt import BadToken, PublicKey, SigningKey
from croupier.kit.strictjson import Json

SENT_S: Final = 10
"""A JWT sent to a casino is valid for so many seconds."""
TOKEN_S: Final = 3600
"""An access token is valid for so many seconds."""
AUDIENCE: Final = "hub"
SCOPE: Final = "casino"
"""The scope of a token of the casino half."""

_CLIENT = "PartnerClient-"
_AHEAD_S = 10  # so far may the clock of the machine that signed be ahead of the one that verifies


def envelope(key: SigningKey, data: str, *, casino_id: int, issuer: str, now_s: int) -> bytes:
    """The body of a call to a casino: a JSON string literal, quotes included, holding one JWT around `data`."""
    claims = {"nbf": now_s, "exp": now_s + SENT_S, "iss": issuer, "data": data, "client_id": client_id(casino_id)}
    return f'"{jwt.sign(key, claims)}"'.encode("ascii")


def client_id(casino_id: int) -> str:
    """The casino's name in every JWT."""
    return f"{_CLIENT}{casino_id}"


def issue_token(key: SigningKey, casino_id: int, scope: str, issuer: str, now_s: int) -> str:
    """An access token for the casino. `key` must be an RS256 key: casinos are promised that, whatever their own alg."""
    if key.alg != "RS256":
        raise ValueError(f"access tokens are signed with RS256, not {key.alg}")
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "exp": now_s + TOKEN_S,
        "nbf": now_s,
        "client_id": client_id(casino_id),
        "scope": scope,
    }
    return jwt.sign(key, claims)


class Bearer(NamedTuple):
    """A good access token: whose it is, and until when (seconds since the epoch)."""

    casino_id: int
    expires_s: int


def read_token(token: str, keys: Mapping[str, PublicKey], *, scope: str, issuer: str, now_s: int) -> Bearer:
    """Whose access token this is; raises BadToken if it is none of ours, expired, or of another scope."""
    claims = _verified(token, keys, audience=AUDIENCE, issuer=issuer, now_s=now_s)
    if claims.get("scope") != scope:
        raise BadToken("another scope")
    return Bearer(_casino_id(claims), jwt.expires_s(claims))


def _casino_id(claims: Mapping[str, Json]) -> int:
    name = claims.get("client_id")
    number = name.removeprefix(_CLIENT) if isinstance(name, str) else ""
    if not (number.isascii() and number.isdigit()) or name != client_id(int(number)):
        raise BadToken("no usable client_id")
    return int(number)


class Sent(NamedTuple):
    """What a JWT of ours carried: the Value of a good `POST /auth/verify`."""

    data: str
    client_id: str


def verify_sent(token: str, keys: Mapping[str, PublicKey], *, casino_id: int, issuer: str, now_s: int) -> Sent:
    """Read back a JWT the hub sent to this casino; raises BadToken for anything else, access tokens included."""
    claims = _verified(token, keys, audience=None, issuer=issuer, now_s=now_s)
    client = client_id(casino_id)
    if claims.get("client_id") != client:
        raise BadToken("sent to another casino")
    try:
        return Sent(strictjson.text(claims, "data", strictjson.MAX_BYTES), client)
    except strictjson.BadField as bad:
        raise BadToken(str(bad)) from None


def _verified(
    token: str, keys: Mapping[str, PublicKey], *, audience: str | None, issuer: str, now_s: int
) -> dict[str, Json]:
    """The claims; expiry is exact, only a start a moment ahead is forgiven."""
    claims = jwt.verify(token, keys, now_s=now_s, audience=audience, issuer=issuer, leeway_s=_AHEAD_S)
    if now_s >= jwt.expires_s(claims):
        raise BadToken("expired")
    return claims
