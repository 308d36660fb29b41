"""The JWTs of this protocol: the one around every call to a casino, and the bearer token of every call from one.

Owns: the claims of both kinds of JWT. A bearer token has an audience and no data, a sent JWT has data and no
audience, so that neither is accepted as the other. Never: time, key storage, I/O.
Spec: casino.md 1.3 to 1.5 and 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from croupier.kit import jwt, strictjson
from croupier.kit.jwt import BadToken, PublicKey, SigningKey
from croupier.kit.strictjson import Json

SENT_JWT_LIFETIME_S: Final = 10
"""Seconds for which a JWT that is sent to a casino is valid."""
TOKEN_LIFETIME_S: Final = 3600
"""Seconds for which an access token is valid."""
AUDIENCE: Final = "hub"
SCOPE: Final = "casino"
"""The scope of an access token for this API."""

ALG_OF_TOKENS: Final = "RS256"
"""The algorithm of every access token, whatever the casino's own algorithm is."""

_CLIENT = "PartnerClient-"
_CLOCK_LEEWAY_S = 10  # how far the clock of the signing machine may be ahead


def envelope(key: SigningKey, data: str, *, casino_id: int, issuer: str, now_s: int) -> bytes:
    """Return the body of a call to a casino: a JSON string literal with a JWT around `data`."""
    claims = {
        "nbf": now_s,
        "exp": now_s + SENT_JWT_LIFETIME_S,
        "iss": issuer,
        "data": data,
        "client_id": client_id(casino_id),
    }
    return f'"{jwt.sign(key, claims)}"'.encode("ascii")


def client_id(casino_id: int) -> str:
    """Return the casino's name in every JWT."""
    return f"{_CLIENT}{casino_id}"


def issue_token(key: SigningKey, casino_id: int, scope: str, *, issuer: str, now_s: int) -> str:
    """Return an access token for the casino. Raises ValueError if `key` is not an RS256 key."""
    if key.alg != ALG_OF_TOKENS:
        raise ValueError(f"access tokens are signed with {ALG_OF_TOKENS}, not {key.alg}")
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "exp": now_s + TOKEN_LIFETIME_S,
        "nbf": now_s,
        "client_id": client_id(casino_id),
        "scope": scope,
    }
    return jwt.sign(key, claims)


class Bearer(NamedTuple):
    """A verified access token: its casino, its start and expiry (seconds since the epoch), and the id of its key."""

    casino_id: int
    expires_s: int
    starts_s: int
    kid: str


def read_token(token: str, keys: Mapping[str, PublicKey], *, scope: str, issuer: str, now_s: int) -> Bearer:
    """Verify an access token. Raises BadToken if it is forged, expired, too long-lived or of another scope."""
    # Only RS256 keys sign access tokens, so a leaked key of another algorithm is useless here.
    fitting = {kid: key for kid, key in keys.items() if key.alg == ALG_OF_TOKENS}
    claims = _verified(token, fitting, _ExpectedClaims(AUDIENCE, issuer, TOKEN_LIFETIME_S), now_s=now_s)
    if claims.get("scope") != scope:
        raise BadToken("another scope")
    return Bearer(_casino_id(claims), jwt.expires_s(claims), jwt.starts_s(claims), jwt.kid_of(token))


def _casino_id(claims: Mapping[str, Json]) -> int:
    name = claims.get("client_id")
    number = name.removeprefix(_CLIENT) if isinstance(name, str) else ""
    if not (number.isascii() and number.isdigit()) or name != client_id(int(number)):
        raise BadToken("no usable client_id")
    return int(number)


def claimed_client(token: str) -> str | None:
    """Return the unverified client id of this token for the log, or None if it is not in the hub's form."""
    try:
        return client_id(_casino_id(jwt.unverified_claims(token)))
    except BadToken:
        return None


class Sent(NamedTuple):
    """The contents of a JWT of the hub: the Value of a successful `POST /auth/verify`."""

    data: str
    client_id: str


class SentToAnother(BadToken):
    """The hub sent the JWT, but to the casino `casino_id`."""

    def __init__(self, casino_id: int) -> None:
        super().__init__("sent to another casino")
        self.casino_id = casino_id


def verify_sent(token: str, keys: Mapping[str, PublicKey], *, casino_id: int, issuer: str, now_s: int) -> Sent:
    """Verify a JWT that the hub sent to this casino. Raises BadToken for any other token, access tokens included."""
    claims = _verified(token, keys, _ExpectedClaims(None, issuer, SENT_JWT_LIFETIME_S), now_s=now_s)
    client = client_id(casino_id)
    if claims.get("client_id") != client:
        raise SentToAnother(_casino_id(claims))
    try:
        return Sent(strictjson.text(claims, "data", strictjson.MAX_BYTES), client)
    except strictjson.BadField as bad:
        raise BadToken(str(bad)) from None


class _ExpectedClaims(NamedTuple):
    """The required claims of one kind of JWT: audience, issuer and maximum lifetime in seconds."""

    audience: str | None
    issuer: str
    longest_s: int


def _verified(token: str, keys: Mapping[str, PublicKey], meant: _ExpectedClaims, *, now_s: int) -> dict[str, Json]:
    """Return the verified claims. Expiry is exact; a start within the clock leeway is accepted.

    The maximum lifetime holds for every key, so that a leaked key cannot sign a token for years.
    """
    claims = jwt.verify(
        token, keys, now_s=now_s, audience=meant.audience, issuer=meant.issuer, leeway_s=_CLOCK_LEEWAY_S
    )
    starts_s, expires_s = jwt.starts_s(claims), jwt.expires_s(claims)
    if now_s >= expires_s:
        raise BadToken("expired")
    if not 0 < expires_s - starts_s <= meant.longest_s or expires_s - now_s > meant.longest_s + _CLOCK_LEEWAY_S:
        raise BadToken("it would live too long")
    issued_s = jwt.issued_s(claims)
    if issued_s is not None and not expires_s - meant.longest_s <= issued_s <= now_s + _CLOCK_LEEWAY_S:
        raise BadToken("issued too early, or in the future")
    return claims
