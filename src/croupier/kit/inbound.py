"""Incoming requests: the body, bounded in size, its content type, and the bearer token.

The bytes that are verified are the bytes parsed. Owns: size and content type of requests. Never: the answer to a bad
request, which belongs to each protocol.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, HTTPConnection, Request

from croupier.kit.clock import Clock

MAX_BODY = 65536
OWS = " \t"
"""White space around a header's value that is not part of it (RFC 9110 5.5)."""
_BEARER = re.compile(r"bearer[ \t]+([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE | re.ASCII)
_JSON = b"application/json"
ARRIVED = "croupier.arrived_s"
"""The key of an ASGI scope: the monotonic second at which the request's first byte came."""

RawHeaders = list[tuple[bytes, bytes]]
"""Every header of a request in order, names in lower case."""


class TooLarge(Exception):
    """The body is longer than the limit; reading stopped there."""


class WrongType(Exception):
    """The body is not declared as JSON."""

    def __init__(self) -> None:
        super().__init__("the body is not declared as application/json")


@dataclass(slots=True)
class HotRequest:
    """A request of the payment path as its handlers see it, whether the framework read it or the server (decision 0106)."""

    method: str
    path: str
    headers: RawHeaders
    once: dict[bytes, bytes]
    """The headers that are there exactly once."""
    address: str
    """As `address_of` tells it."""
    arrived_s: float
    path_params: dict[str, str] = field(default_factory=dict)
    whole_body: bytes | None = None
    """The body, where it came with the head. It is no longer than `MAX_BODY`."""
    framed: Request | None = None
    """The framework's request, from which the body is still to be read."""

    @classmethod
    def of(cls, request: Request, clock: Clock) -> HotRequest:
        """Return what the handlers need of the framework's request."""
        scope = request.scope
        headers = list(scope["headers"])
        times = Counter(name for name, _ in headers)
        return cls(
            method=request.method,
            path=scope["path"],
            headers=headers,
            once={name: value for name, value in headers if times[name] == 1},
            address=address_of(request),
            arrived_s=arrived_s(request, clock),
            path_params=request.path_params,
            framed=request,
        )

    async def read_body(self) -> bytes:
        """Return the body of a request that did not come whole; raises like `read_body`."""
        assert self.framed is not None
        return await read_body(self.framed)

    def require_json(self) -> None:
        """Raise WrongType unless the body is declared, once, as JSON."""
        _require_json(self.once.get(b"content-type"))

    def bearer(self) -> str | None:
        """Return the bearer token if there is exactly one Authorization header."""
        return _bearer(self.once.get(b"authorization"))


def arrived_s(request: Request, clock: Clock) -> float:
    """Return the monotonic second at which the request arrived; now if the server did not record it."""
    noted = request.scope.get(ARRIVED)
    return clock.monotonic_s() if noted is None else float(noted)


def address_of(request: HTTPConnection) -> str:
    """Return the caller's address, "" if the server knows none. Behind a trusted proxy it is the one that the proxy names."""
    return request.client.host if request.client else ""


async def read_body(request: Request, most: int = MAX_BODY) -> bytes:
    """Return the whole body; raises TooLarge as early as possible, and ClientDisconnect."""
    if declares_too_much(next(iter(_values(request, b"content-length")), b"0"), most):
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


def declares_too_much(content_length: bytes, most: int = MAX_BODY) -> bool:
    """Return whether this Content-Length promises a body of more than `most` bytes, or is no number that anybody needs."""
    return len(content_length) > 12 or (content_length.isdigit() and int(content_length) > most)


def require_json(request: Request) -> None:
    """Raise WrongType unless the body is declared, once, as JSON (any charset parameter is fine: JSON is UTF-8)."""
    _require_json(_only(request, b"content-type"))


def _require_json(declared: bytes | None) -> None:
    if declared == _JSON:  # as nearly all write it
        return
    if declared is None or declared.partition(b";")[0].strip(OWS.encode()).lower() != _JSON:
        raise WrongType


def bearer_of(request: HTTPConnection) -> str | None:
    """Return the bearer token if there is exactly one Authorization header; the scheme ignores case (RFC 9110, 6750)."""
    return _bearer(_only(request, b"authorization"))


def _bearer(authorization: bytes | None) -> str | None:
    if authorization is None:
        return None
    found = _BEARER.fullmatch(authorization.decode("latin-1").strip(OWS))
    return None if found is None else found[1]


def _only(request: HTTPConnection, name: bytes) -> bytes | None:
    """Return the value of the header of this name if there is exactly one."""
    values = _values(request, name)
    return values[0] if len(values) == 1 else None


def _values(request: HTTPConnection, name: bytes) -> list[bytes]:
    """Return the values of all headers of this name (lower case), without an object for the others."""
    return [value for key, value in request.scope["headers"] if key == name]
