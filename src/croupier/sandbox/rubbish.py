"""HTTP answers that no honest peer gives: hanging, cut off, huge, slow, HTML, a redirect.

Owns: their bytes. Never: the choice of one (behaviour). Spec: money.md 4.2.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from croupier.kit.clock import Clock
from croupier.sandbox.behaviour import AnswerForm
from croupier.sandbox.casino_reply import CasinoReply

HANG_S = 60.0
HUGE_BYTES = 10 * 2**20
_CHUNK = 64 * 1024
TRAP = "/_sandbox/trap"
"""Target of the redirect. A request to it proves that the client followed the redirect."""


class CutOff(Response):
    """A response shorter than its Content-Length; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        """Send the head and the first byte."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"64")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


class Hanging(CutOff):
    """A response that sends nothing for longer than any timeout, and is then cut off."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then send the cut-off response."""
        await self._clock.sleep(HANG_S)
        await super().__call__(scope, receive, send)


def response(reply: CasinoReply, clock: Clock) -> Response:
    """Return the reply as an HTTP response."""
    made = _MADE.get(reply.answer)
    if made is not None:
        return made(reply, clock)
    if reply.told is None:
        return Response(status_code=reply.status)
    return Response(_body(reply), reply.status, media_type="application/json")


def _body(reply: CasinoReply) -> bytes:
    return json.dumps(reply.told).encode()


async def _drip(body: bytes, clock: Clock) -> AsyncIterator[bytes]:
    for position in range(len(body)):
        await clock.sleep(1.0)
        yield body[position : position + 1]


async def _huge(body: bytes) -> AsyncIterator[bytes]:
    """Yield 10 MiB of white space before the honest answer: valid JSON, but far too long."""
    for _ in range(HUGE_BYTES // _CHUNK):
        yield b" " * _CHUNK
    yield body


_MADE: dict[AnswerForm, Callable[[CasinoReply, Clock], Response]] = {
    AnswerForm.HANG: lambda _reply, clock: Hanging(clock),
    AnswerForm.CUT: lambda _reply, _clock: CutOff(),
    AnswerForm.HTML: lambda _reply, _clock: HTMLResponse("<!doctype html><title>Maintenance</title><p>Back soon.</p>"),
    AnswerForm.HUGE: lambda reply, _clock: StreamingResponse(_huge(_body(reply)), media_type="application/json"),
    AnswerForm.DRIP: lambda reply, clock: StreamingResponse(_drip(_body(reply), clock), media_type="application/json"),
    AnswerForm.REDIRECT: lambda _reply, _clock: RedirectResponse(TRAP, 307),
    AnswerForm.EMPTY: lambda _reply, _clock: Response(b"", 200, media_type="application/json"),
}
