"""The client's side of one connection, as a state machine: the caller brings bytes and the time, and sends what comes out.

Owns: the handshake, keep-alive, and the silence after which the server is gone. Never: sockets, clocks, what a method does.
"""

from __future__ import annotations

from collections import deque
from types import ModuleType
from typing import Final

from croupier.feed.signalr import handshake, json_codec
from croupier.feed.signalr.connection import HANDSHAKE_S, PING_S, SILENCE_S, Frame
from croupier.feed.signalr.messages import Close, Message, Ping, ProtocolError

MOST_BYTES: Final = 4 * 1024 * 1024
"""The largest message of a server. A client asked for it, so it may be larger than what a server takes."""


class ClientConnection:
    """One connection to a server. Times are seconds of a monotonic clock."""

    def __init__(self, now_s: float, codec: ModuleType = json_codec) -> None:
        self.outgoing: deque[Frame] = deque([Frame(handshake.request(codec))])
        self.ended: str | None = None
        """Why it is over; empty after an orderly close of the server."""
        self.ready = False
        """True once the server has agreed to the handshake."""
        self._codec = codec
        self._buffer = bytearray()
        self._opened_s = self._heard_s = self._sent_s = now_s

    def receive(self, data: bytes, now_s: float) -> list[Message]:
        """Take the bytes of a frame; return the messages in it without pings. Afterwards look at `ended`."""
        self._heard_s = now_s
        self._buffer += data
        try:
            if not self.ready:
                self.ready = handshake.read_answer(self._buffer)
                if not self.ready:
                    return []
            messages: list[Message] = self._codec.read(self._buffer, MOST_BYTES)
        except ProtocolError as problem:
            self.ended = str(problem)
            return []
        for message in messages:
            if isinstance(message, Close):
                self.ended = message.error or ""
        return [message for message in messages if not isinstance(message, Ping)]

    def send(self, message: Message, now_s: float) -> None:
        """Put a message into `outgoing`. The server reads it after the handshake."""
        self._sent_s = now_s
        self.outgoing.append(Frame(self._codec.write(message), self._codec.BINARY))

    def tick(self, now_s: float) -> float:
        """Do what is due; return when to call again at the latest."""
        silent_s = SILENCE_S if self.ready else HANDSHAKE_S
        if now_s - self._heard_s >= silent_s and self.ended is None:
            self.ended = f"the server sent nothing for {silent_s:.0f} s"
        if self.ready and self.ended is None and now_s - self._sent_s >= PING_S:
            self.send(Ping(), now_s)
        return min(self._sent_s + PING_S, self._heard_s + silent_s) if self.ready else self._opened_s + HANDSHAKE_S
