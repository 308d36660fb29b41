"""The request signature: HMAC over body, counterparty id, timestamp and request id, in both directions.

Owns: the four headers and their rules. Never: I/O, the source of secrets, or replay protection, which the caller
does across workers. Spec: provider.md 1.1 to 1.4.

The signature covers body, counterparty id, timestamp and request id, joined by dots. The last three can hold no
dot, so no two requests share one signed text. Whether a counterparty exists must not show in time or text: a failed
verification always computes the same number of signatures, with stand-in secrets where there are none. A valid signature
ends it at once, because its sender has the secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from croupier.kit import hmac, strictjson
from croupier.providers.betcore_v1.messages import (
    HEADER_COUNTERPARTY,
    HEADER_REQUEST_ID,
    HEADER_SIGN,
    HEADER_TIMESTAMP,
)

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Every header of the request in order, duplicates included."""

SECRETS_IN_ROTATION = 2
"""Number of secrets that may be valid at once. As many are always tried."""

_SECONDS_END = 10**11
"""Below this a Unix time is of before 1973, or counts seconds."""
_STAND_IN_SECRET = "no counterparty has this secret"  # noqa: S105 - it belongs to nobody

_GRAMMAR: dict[bytes, re.Pattern[bytes]] = {
    HEADER_COUNTERPARTY.lower().encode(): re.compile(rb"[A-Za-z0-9_-]{1,64}"),
    HEADER_TIMESTAMP.lower().encode(): re.compile(rb"[1-9][0-9]{0,14}"),
    HEADER_REQUEST_ID.lower().encode(): re.compile(rb"[0-9A-Fa-f]{32}"),
    HEADER_SIGN.lower().encode(): re.compile(rb"[0-9a-f]{64}"),
}
_ALL_FOUR = re.compile(rb" ".join(b"(%b)" % grammar.pattern for grammar in _GRAMMAR.values()))
"""The values of the four headers with a blank between them, which none of them can hold."""


class Claim(NamedTuple):
    """The well-formed, not yet verified contents of the four headers."""

    counterparty_id: str
    timestamp: str
    """Unix milliseconds, as decimal text: the signature is over the text."""
    request_id: str
    signature: str

    @property
    def timestamp_ms(self) -> int:
        """Unix milliseconds."""
        return int(self.timestamp)


class Verified(NamedTuple):
    """The signature is valid and the timestamp is within the window."""

    counterparty_id: str
    request_id: str
    """Lower-case, so that one id has one spelling."""
    timestamp_ms: int


class Unverified(NamedTuple):
    """The verification failed. `why` is for the log and never for the peer."""

    why: str
    signed: bool = False
    """The signature is valid, and only the timestamp is out of the window."""


def sign(
    secret: str, counterparty_id: str, body: bytes | None = None, *, timestamp_ms: int, request_id: str
) -> dict[str, str]:
    """Return the four headers for exactly these body bytes. None and empty bytes are no body."""
    claim = Claim(counterparty_id, str(timestamp_ms), request_id, "")
    return {
        HEADER_COUNTERPARTY: counterparty_id,
        HEADER_TIMESTAMP: claim.timestamp,
        HEADER_REQUEST_ID: request_id,
        HEADER_SIGN: hmac.sign(secret, _parts(claim, body)),
    }


def read_claim(headers: RawHeaders) -> Claim | Unverified:
    """Parse the four headers. Each must be present once and well-formed."""
    stated = [(name, value) for raw_name, value in headers if (name := raw_name.lower()) in _GRAMMAR]
    values = dict(stated)
    if len(stated) == len(values) == len(_GRAMMAR):
        told = b" ".join([values[name] for name in _GRAMMAR])
        if _ALL_FOUR.fullmatch(told):
            return Claim(*told.decode("ascii").split(" "))
    return _read_singly(stated)


def _read_singly(stated: RawHeaders) -> Claim | Unverified:
    """Parse the four headers one by one, for the reason why they are refused, and for white space around a value."""
    found: dict[bytes, bytes] = {}
    for name, raw_value in stated:
        if name in found:
            return Unverified(f"{name.decode()} is there twice")
        # White space around a field's value is no part of it (RFC 9110 5.5); some proxies add it.
        value = raw_value.strip(b" \t")
        if not _GRAMMAR[name].fullmatch(value):
            return Unverified(f"{name.decode()} is malformed")
        found[name] = value
    if len(found) < len(_GRAMMAR):
        return Unverified("a signature header is missing")
    return Claim(*(found[name].decode("ascii") for name in _GRAMMAR))


def verify(
    secrets: Sequence[str], claim: Claim, body: bytes | None, *, now_ms: int, fresh_s: float
) -> Verified | Unverified:
    """Verify a claim with the counterparty's valid secrets. An unknown counterparty has none.

    The signature may cover the raw bytes or the sorted compact form of the same JSON. Freshness is checked last:
    the window is a setting of the counterparty, so an early check would disclose which counterparties exist.
    """
    raw_holds = _matches(secrets, claim, body)
    if not raw_holds and not _matches(secrets, claim, _sorted_compact(body)):
        return Unverified("the signature does not match")
    stamp_ms = claim.timestamp_ms
    late_ms = now_ms - stamp_ms
    if abs(late_ms) > fresh_s * 1000:
        return Unverified(f"the signature is good, but the timestamp {_age(stamp_ms, late_ms)}", signed=True)
    return Verified(claim.counterparty_id, claim.request_id.lower(), stamp_ms)


def _age(stamp_ms: int, late_ms: int) -> str:
    """Return the offset of a timestamp as text for the log."""
    if stamp_ms < _SECONDS_END:
        return "is in seconds, not milliseconds"
    return f"is {abs(late_ms) / 1000:.1f} s {'old' if late_ms > 0 else 'ahead'}"


def _matches(secrets: Sequence[str], claim: Claim, body: bytes | None) -> bool:
    """Return whether any secret gives this signature. Stand-ins fill missing secrets, so every no has the same cost."""
    parts = _parts(claim, body)
    for secret in secrets:
        if hmac.equal(hmac.sign(secret, parts), claim.signature):
            return True
    for _ in range(SECRETS_IN_ROTATION - len(secrets)):
        hmac.equal(hmac.sign(_STAND_IN_SECRET, parts), claim.signature)
    return False


def _parts(claim: Claim, body: bytes | None) -> list[bytes]:
    """Return the signed parts in order. A missing body leaves no empty part."""
    stated = f"{claim.counterparty_id}.{claim.timestamp}.{claim.request_id}".encode("ascii")
    return [body, stated] if body else [stated]


def _sorted_compact(body: bytes | None) -> bytes | None:
    """Return the sorted compact form of the body, for bodies re-encoded in transit. Unreadable JSON is returned as is."""
    if not body:
        return body
    try:
        return strictjson.sorted_compact(body)
    except strictjson.BadJson:
        return body
