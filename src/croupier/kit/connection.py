"""One HTTP/1.1 connection to a peer: one request at a time, and only its answer.

Unsolicited bytes are bytes without a pending request, bytes past the end of an answer, and an answer that begins
before its request was written whole. A connection that receives any is closed, and they are never read as an answer.

Owns: the bytes of one connection. Never: connects, chooses a connection, interprets an answer.
"""

from __future__ import annotations

import asyncio
import socket
from typing import cast

import httptools

from croupier.kit.wire import PeerError, WireAnswer

MOST_HEAD = 32768
"""Largest size in bytes of all heads of one answer together, interim ones (1xx) included."""
_BODILESS = frozenset({204, 304})
_SWITCHES = 101
_LONG_HEAD = f"a head of more than {MOST_HEAD} bytes"


class UnsolicitedBytes(Exception):
    """The peer sent bytes without a request. Nothing was sent."""


class Connection(asyncio.Protocol):
    """One open connection. `sock` is its socket."""

    def __init__(self, sock: socket.socket, *, secured: bool) -> None:
        self._sock = sock
        self._secured = secured
        self._transport: asyncio.Transport | None = None
        self._answer: _Answer | None = None
        self._used = False
        self.unsolicited = False
        """True once unsolicited bytes came."""
        self.idle_since_s = 0.0

    # --- callbacks of the event loop -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass bytes to the pending answer; drop the connection if there is none."""
        answer = self._answer
        if answer is None or answer.whole:
            self.unsolicited = True
            self.drop()
        elif self._transport is not None and not answer.begun and self._transport.get_write_buffer_size():
            self.unsolicited = True
            answer.fail("it answered before the request was sent whole")
        else:
            answer.feed(data)
            self.unsolicited = self.unsolicited or answer.too_much

    def eof_received(self) -> bool:
        """End the pending answer."""
        if self._answer is not None:
            self._answer.end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the pending answer."""
        self._transport = None
        if self._answer is not None:
            self._answer.fail(f"the connection was lost: {exc}" if exc else "the peer closed the connection")

    # --- for the pool ------------------------------------------------------------------------------------------

    def silent(self) -> bool:
        """Return whether it is open and no byte has come, bytes not yet read by the loop included."""
        if self._transport is None or self._transport.is_closing() or self.unsolicited:
            return False
        if self._secured and not self._used:
            return True  # bytes in the socket belong to the TLS handshake
        try:
            there = self._sock.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        self.unsolicited = bool(there) and not self._secured
        return False

    async def exchange(self, request: bytes, *, max_bytes: int, bodiless: bool) -> WireAnswer:
        """Send a request and return its answer; raises PeerError, and UnsolicitedBytes if it was not silent before.

        `silent` tells afterwards whether the connection can be reused.
        """
        if not self.silent():
            self.drop()
            raise UnsolicitedBytes
        assert self._transport is not None
        answer = self._answer = _Answer(max_bytes, bodiless=bodiless)
        self._used = True
        self._transport.write(request)
        try:
            return await answer.done
        finally:
            self._answer = None
            if answer.done.done() and not answer.done.cancelled():
                answer.done.exception()  # retrieved, so that asyncio does not report it as never retrieved
            if not answer.keeps_connection:
                self.drop()

    def drop(self) -> None:
        """Close the connection now."""
        if self._transport is not None:
            self._transport.abort()


class _Answer:
    """One answer under construction, by the callbacks of the parser."""

    def __init__(self, max_bytes: int, *, bodiless: bool) -> None:
        self.done: asyncio.Future[WireAnswer] = asyncio.get_running_loop().create_future()
        self.begun = self.whole = self.too_much = self.keeps_connection = False
        self._max_bytes = max_bytes
        self._bodiless = bodiless
        self._status = self._raw_bytes = self._head_bytes = 0
        self._headers: dict[str, str] = {}
        self._in_body = False
        self._body = bytearray()
        self._parser = httptools.HttpResponseParser(self)
        # As lenient as browsers where it is harmless: a line that ends in LF alone, unusual header values.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    def feed(self, data: bytes) -> None:
        """Parse more bytes."""
        self.begun = True
        self._raw_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail("it wants to speak another protocol")
        except httptools.HttpParserError:
            self.too_much = self.whole
            self.fail("the answer is no HTTP; check that the address is the peer's server and not another")
        if not self._in_body and self._raw_bytes > MOST_HEAD:
            self.fail(_LONG_HEAD)
        self._settle()

    def end(self) -> None:
        """End the stream: it completes an answer without a length, and fails any other."""
        if self._in_body and self._ends_with_connection:
            self.whole = True
            self._settle()
        self.fail("the answer broke off")

    def fail(self, why: str) -> None:
        """Fail the answer, unless it is already complete."""
        if not self.done.done() and not self.whole:
            self.done.set_exception(PeerError(why))

    def _settle(self) -> None:
        if not self.whole:
            return
        self.keeps_connection = self.keeps_connection and not self.too_much
        if not self.done.done():
            self.done.set_result(WireAnswer(self._status, self._headers, bytes(self._body)))

    # --- callbacks of the parser -------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Note a second answer behind a complete one."""
        if self.whole:
            self.too_much = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add one header."""
        self._head_bytes += len(name) + len(value)
        if self.whole or self._head_bytes > MOST_HEAD:
            self.fail(_LONG_HEAD)
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """Take the status and the length of the body."""
        if self.whole:
            return
        self._status = self._parser.get_status_code()
        if self._interim:
            self._headers = {}
            return
        self._in_body = True
        length = self._headers.get("content-length", "")
        chunked = "chunked" in self._headers.get("transfer-encoding", "").lower()
        self._ends_with_connection = not (length or chunked or self._status in _BODILESS)
        if self._bodiless:
            self.whole = True
        elif length.isdecimal() and int(length) > self._max_bytes and self._status not in _BODILESS:
            self.fail(f"an answer of more than {self._max_bytes} bytes")

    def on_body(self, data: bytes) -> None:
        """Add bytes of the body."""
        if self.whole or self.done.done():
            return
        self._body += data
        if len(self._body) > self._max_bytes:
            self.fail(f"an answer of more than {self._max_bytes} bytes")

    def on_message_complete(self) -> None:
        """Complete the answer."""
        if self.whole or self._interim:
            return
        self.whole = True
        self.keeps_connection = self._parser.should_keep_alive() and self._status != _SWITCHES

    @property
    def _interim(self) -> bool:
        return 100 <= self._status < 200 and self._status != _SWITCHES
