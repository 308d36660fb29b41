"""A JSON response with as little work for each request as its two headers need.

Owns: the response, and the hook by which a server writes it in one piece. Never: what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

ANSWER: Final = "croupier.answer"
"""The key of an ASGI scope: the server's function that writes a whole response at once."""

JSON: Final = (b"content-type", b"application/json")

Answer = Callable[[int, bytes, bytes], bool]
"""`answer(status, head, body)`: `head` is header lines, each ended. False: it was not written, send it the usual way."""


class JsonReply(Response):
    """A response whose body is JSON already."""

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        own = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in (headers or {}).items()]
        self._own = [header for header in own if header != JSON]
        self.raw_headers = [(b"content-length", b"%d" % len(body)), JSON, *self._own]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Send it: in one piece if it has no headers of its own and the server can."""
        answer: Answer | None = None if self._own else scope.get(ANSWER)
        body = bytes(self.body)
        head = b"content-length: %d\r\ncontent-type: application/json\r\n" % len(body)
        if answer is None or not answer(self.status_code, head, body):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": body})
