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
_USUAL: Final = {"Content-Type": "application/json"}

Answer = Callable[[int, bytes, bytes], bool]
"""`answer(status, head, body)`: `head` is header lines, each ended. False: it was not written, send it the usual way."""


class JsonReply(Response):
    """A response whose body is JSON already."""

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status
        self.body: bytes = body
        self.background = None
        self._own = _own_of(headers) if headers and headers != _USUAL else []

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:  # type: ignore[override] # made only for who asks
        """Return all headers."""
        return [(b"content-length", b"%d" % len(self.body)), JSON, *self._own]

    @property
    def whole_head(self) -> bytes | None:
        """Return the lines of its headers, or None if it has some of its own: then it is sent the usual way."""
        return None if self._own else b"content-length: %d\r\ncontent-type: application/json\r\n" % len(self.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Send it: in one piece if it has no headers of its own and the server can."""
        answer: Answer | None = scope.get(ANSWER)
        head = self.whole_head
        if answer is None or head is None or not answer(self.status_code, head, self.body):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.body})


def _own_of(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    own = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
    return [header for header in own if header != JSON]
