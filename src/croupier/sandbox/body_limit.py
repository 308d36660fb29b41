"""Reading of a request body up to a limit.

Owns: the limit. Never: the contents.
"""

from __future__ import annotations

from starlette.requests import Request


class BodyTooLong(Exception):
    """The body has more bytes than the limit."""


async def bounded_body(request: Request, limit: int) -> bytes:
    """Return the whole body. Raises BodyTooLong."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLong
    return bytes(body)
