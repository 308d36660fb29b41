"""Reading a request's body up to a limit.

Owns: that. Never: what is in it.
"""

from __future__ import annotations

from starlette.requests import Request


class BodyTooLong(Exception):
    """More bytes came than are read here."""


async def bounded_body(request: Request, limit: int) -> bytes:
    """The whole body, or BodyTooLong."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLong
    return bytes(body)
