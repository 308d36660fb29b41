"""Incoming requests: the body, bounded in size, its content type, and the bearer token.

The bytes that are verified are the bytes parsed. Owns: size and content type of requests. Never: the answer to a bad
request, which belongs to each protocol.
"""

from __future__ import annotations

import re

from starlette.requests import ClientDisconnect, HTTPConnection, Request

from croupier.kit.clock import Clock

MAX_BODY = 65536
OWS = " \t"
"""White space around a header's value that is not part of it (RFC 9110 5.5)."""
_BEARER = re.compile(r"bearer[ \t]+([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE | re.ASCII)
ARRIVED = "croupier.arrived_s"
"""The key of an ASGI scope: the monotonic second at which the request's first byte came."""


def arrived_s(request: Request, clock: Clock) -> float:
    """Return the monotonic second at which the request arrived; now if the server did not record it."""
    noted = request.scope.get(ARRIVED)
    return clock.monotonic_s() if noted is None else float(noted)


def address_of(request: HTTPConnection) -> str:
    """Return the caller's address, "" if the server knows none. Behind a trusted proxy it is the one that the proxy names."""
    return request.client.host if request.client else ""


class TooLarge(Exception):
    """The body is longer than the limit; reading stopped there."""


class WrongType(Exception):
    """The body is not declared as JSON."""


async def read_body(request: Request, most: int = MAX_BODY) -> bytes:
    """Return the whole body; raises TooLarge as early as possible, and ClientDisconnect."""
    declared = next(iter(_values(request, b"content-length")), "0")
    if len(declared) > 12 or (declared.isdecimal() and int(declared) > most):
        raise TooLarge
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size > most:
            raise TooLarge
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def require_json(request: Request) -> None:
    """Raise WrongType unless the body is declared, once, as JSON (any charset parameter is fine: JSON is UTF-8)."""
    declared = _values(request, b"content-type")
    if len(declared) != 1 or declared[0].partition(";")[0].strip(OWS).lower() != "application/json":
        raise WrongType


def bearer_of(request: HTTPConnection) -> str | None:
    """Return the bearer token if there is exactly one Authorization header; the scheme ignores case (RFC 9110, 6750)."""
    headers = _values(request, b"authorization")
    found = _BEARER.fullmatch(headers[0].strip(OWS)) if len(headers) == 1 else None
    return None if found is None else found[1]


def _values(request: HTTPConnection, name: bytes) -> list[str]:
    """Return the values of all headers of this name (lower case), without an object for the others."""
    return [value.decode("latin-1") for key, value in request.scope["headers"] if key == name]
