"""The server's side of one connection, as a state machine: the caller brings bytes and the time, and sends what comes out.

Owns: the handshake's deadline, keep-alive, the silence after which a client is gone, and the refusal of calls that no
method takes. Never: sockets, clocks, what a method does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from types import ModuleType
from typing import Final

from croupier.feed.signalr import handshake
from croupier.feed.signalr.messages import (
    CancelInvocation,
    Close,
    Invocation,
    Message,
    Ping,
    ProtocolError,
    StreamInvocation,
)

HANDSHAKE_S: Final = 15.0
PING_S: Final = 15.0
SILENCE_S: Final = 30.0
Call = Invocation | StreamInvocation | CancelInvocation


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes for one WebSocket frame."""

    data: bytes
    binary: bool = False


@dataclass(slots=True)
class ServerConnection:
    """One client. Times are seconds of a monotonic clock."""

    opened_s: float
    codec: ModuleType | None = None
    """The encoding that the handshake agreed on; None before it."""
    ended: str | None = None
    """Why the connection must be closed once `outgoing` is sent; empty after an orderly close of the client."""
    outgoing: deque[Frame] = field(default_factory=deque)
    _buffer: bytearray = field(default_factory=bytearray)
    _heard_s: float = 0.0
    _sent_s: float = 0.0

    def __post_init__(self) -> None:
        self._heard_s = self._sent_s = self.opened_s

    def receive(self, data: bytes, now_s: float) -> list[Call]:
        """Take the bytes of a frame; returns the calls in it, in order. Afterwards look at `outgoing` and `ended`."""
        if self.ended is not None:
            return []
        self._heard_s = now_s
        self._buffer += data
        try:
            if self.codec is None and not self._shake(now_s):
                return []
            assert self.codec is not None
            return self._calls(self.codec.read(self._buffer))
        except ProtocolError as problem:
            self._fail(str(problem))
            return []

    def send(self, message: Message, now_s: float) -> None:
        """Put a message into `outgoing`. Only after the handshake."""
        assert self.codec is not None
        self.push(self.codec.write(message), now_s)

    def push(self, encoded: bytes, now_s: float) -> None:
        """Put a message that is encoded already into `outgoing`: one encoding serves many connections."""
        assert self.codec is not None
        self._sent_s = now_s
        self.outgoing.append(Frame(encoded, self.codec.BINARY))

    @property
    def last_sent_s(self) -> float:
        """The time at which something was sent last."""
        return self._sent_s

    def sent(self, now_s: float) -> None:
        """Note that the caller sent a message by itself, past `outgoing`."""
        self._sent_s = now_s

    def tick(self, now_s: float) -> float:
        """Do what is due; returns when to call again at the latest."""
        if self.codec is None:
            if now_s - self.opened_s >= HANDSHAKE_S and self.ended is None:
                self._fail(f"no handshake came within {HANDSHAKE_S:.0f} s")
            return self.opened_s + HANDSHAKE_S
        if now_s - self._heard_s >= SILENCE_S and self.ended is None:
            self._fail(f"nothing was received for {SILENCE_S:.0f} s")
        if self.ended is None and now_s - self._sent_s >= PING_S:
            self.send(Ping(), now_s)
        return min(self._sent_s + PING_S, self._heard_s + SILENCE_S)

    def close(self, now_s: float, error: str | None = None, *, allow_reconnect: bool = False) -> None:
        """End it in order: the client is told, and whether it may connect again by itself."""
        if self.ended is None:
            if self.codec is not None:
                self.send(Close(error, allow_reconnect), now_s)
            self.ended = error or "the server closed the connection"

    def _shake(self, now_s: float) -> bool:
        self.codec = handshake.read(self._buffer)
        if self.codec is None:
            return False
        self.push(handshake.ACCEPTED, now_s)
        # The documented server confirms the connection with a ping (feed.md 3.1).
        self.send(Ping(), now_s)
        return True

    def _calls(self, messages: list[Message]) -> list[Call]:
        calls: list[Call] = []
        for message in messages:
            if isinstance(message, Close):
                self.ended = message.error or ""
                break
            if isinstance(message, Invocation | StreamInvocation | CancelInvocation):
                calls.append(message)
        return calls

    def _fail(self, error: str) -> None:
        if self.codec is None:
            self.outgoing.append(Frame(handshake.refused(error)))
        else:
            self.outgoing.append(Frame(self.codec.write(Close(error)), self.codec.BINARY))
        self.ended = error
