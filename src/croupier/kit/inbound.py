"""Reads a request's body whole, bounded, and as what it says it is. The bytes that are verified are the bytes parsed.

Owns: size and content type of what peers send us. Never: the answer to a refusal, which is each protocol's own.
"""

from __future__ import annotations

import re

from starlette.requests import Request

from croupier.kit.clock import Clock

MAX_BODY = 65536
OWS = " \t"
"""White space around a field's value, which is no part of it (RFC 9110 5.5)."""
_BEARER = re.compile(r"bearer[ \t]+([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE | re.ASCII)
ARRIVED = "croupier.arrived_s"
"""The key of an ASGI scope: the monotonic second at which the request's first byte came."""


def arrived_s(request: Request, clock: Clock) -> float:
    """When it arrived, by the monotonic clock; where no server noted it, now."""
    noted = request.scope.get(ARRIVED)
    return clock.monotonic_s() if noted is None else float(noted)


class TooLarge(Exception):
    """More bytes than the limit; reading stopped there."""


class WrongType(Exception):
    """A body that is not declared as JSON."""


async def read_body(request: Request, most: int = MAX_BODY) -> bytes:
    """The whole body; raises TooLarge as soon as it is certain."""
    declared = request.headers.get("content-length", "0")
    if len(declared) > 12 or (declared.isdecimal() and int(declared) > most):
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def require_json(request: Request) -> None:
    """Raise WrongType unless the body is declared, once, as JSON (any charset parameter is fine: JSON is UTF-8)."""
    declared = request.headers.getlist("content-type")
    if len(declared) != 1 or declared[0].partition(";")[0].strip(OWS).lower() != "application/json":
        raise WrongType


def bearer_of(request: Request) -> str | None:
    """The token of the one Authorization header, if that is a bearer's; the scheme has no case (RFC 9110, 6750)."""
    told = request.headers.getlist("authorization")
    found = _BEARER.fullmatch(told[0].strip(OWS)) if len(told) == 1 else None
    return None if found is None else found[1]
