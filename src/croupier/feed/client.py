"""One connected client: its protocol state, what it is subscribed to, and the bounds of what waits for it.

Owns: the skipping and the end of a client that does not read, and the rate of its calls. Never: sockets themselves (apps), tokens.
Contract: feed.md 3.3, 3.4, 3.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from croupier.feed.pushes import Push, frame
from croupier.feed.signalr.connection import Call, ServerConnection
from croupier.feed.signalr.messages import CancelInvocation, Completion
from croupier.flows.ports import Admitted
from croupier.kit.log import get

log = get("feed")

MOST_UNSENT: Final = 256 * 1024
"""Bytes that may wait for a client at most; it is dropped where more would."""
STALLED_S: Final = 30.0
"""A client that took nothing for so long while something waited is dropped."""
BURST: Final = 200
PER_S: Final = 20.0
"""Messages that a client may send: so many at once, and so many a second."""
NORMAL: Final = 1000
"""The code of an orderly end of a WebSocket."""


class Socket(Protocol):
    """The part of a WebSocket that ASGI does not offer: direct writes, and the number of bytes that wait."""

    full: bool
    """True while so much waits that a push is better skipped."""

    def write(self, framed: bytes) -> None:
        """Send one whole frame. Does nothing once the socket is closing."""
        ...

    def unsent(self) -> int:
        """Bytes that wait for the peer."""
        ...

    def when_room(self, call: Callable[[], None]) -> None:
        """Call this whenever `full` becomes false."""
        ...

    def close(self, code: int) -> None:
        """Begin the closing handshake, once."""
        ...

    def abort(self) -> None:
        """Cut the connection; what waits is thrown away."""
        ...


class Client:
    """One connection. Times are seconds of the monotonic clock, but `recheck_ms`."""

    __slots__ = (
        "_behind", "_budget", "_budget_s", "_counts", "_full_since_s", "admitted", "closed_s", "connection", "connection_id",
        "dropped", "due_s", "recheck_ms", "sent", "socket", "token",
    )  # fmt: skip

    def __init__(self, socket: Socket, admitted: Admitted, token: str, *, connection_id: str, now_s: float) -> None:
        self.socket = socket
        self.admitted = admitted
        self.token = token
        self.connection_id = connection_id
        self.connection = ServerConnection(now_s)
        self.sent: dict[int, int | None] = {}
        """The game types it is subscribed to, and the sequence number it got last of each."""
        self._counts: dict[int, int] = {}
        """The most draws that it wants in a snapshot of a game type, where it named a number."""
        self.due_s = now_s
        self.recheck_ms = 0
        self.closed_s: float | None = None
        """When its end began."""
        self.dropped: str | None = None
        """Why it was cut off or sent away for what it did."""
        self._behind: dict[int, Push] = {}
        self._budget = float(BURST)
        self._budget_s = now_s
        self._full_since_s: float | None = None
        socket.when_room(self._catch_up)

    @property
    def ready(self) -> bool:
        """Return whether it can be sent messages."""
        return self.connection.codec is not None and self.connection.ended is None

    def receive(self, data: bytes, now_s: float) -> list[Call]:
        """Take one WebSocket message; the calls in it."""
        self._budget = min(BURST, self._budget + (now_s - self._budget_s) * PER_S) - 1
        self._budget_s = now_s
        calls = self.connection.receive(data, now_s)
        self._budget -= len(calls)
        self.due_s = now_s
        if self._budget < 0:
            self.dropped = "flood"
            self.end(now_s, "too many messages")
            return []
        self.flush(now_s)
        return calls

    def answer(self, call: Call, now_s: float, error: str | None = None) -> None:
        """Complete a call, where it has an id."""
        invocation_id = call.invocation_id
        if invocation_id is None:
            if error is not None:
                log.info("feed.refused_call", casino=self.admitted.casino.casino_id, problem=error)
            return
        if self.ready and not isinstance(call, CancelInvocation):
            self.connection.send(Completion(invocation_id, error=error), now_s)
            self.flush(now_s)

    def offer(self, push: Push, now_s: float) -> bool:
        """Send a snapshot, or keep it in the place of an older one while the client does not read. True if it was sent."""
        game_type, sequence = push.snapshot.game_type, push.snapshot.sequence
        connection = self.connection
        if connection.codec is None or connection.ended is not None or self.sent.get(game_type, sequence) == sequence:
            return False
        if self.socket.full:
            self._behind[game_type] = push
            return False
        self.sent[game_type] = sequence
        connection.sent(now_s)
        self.socket.write(push.frame_for(connection.codec, self._counts.get(game_type, 0)))
        return True

    def flush(self, now_s: float) -> None:
        """Send what the protocol wants to say, and begin the end if it is over."""
        outgoing = self.connection.outgoing
        while outgoing:
            one = outgoing.popleft()
            framed = frame(one.data, binary=one.binary)
            if self.socket.full and self.socket.unsent() + len(framed) > MOST_UNSENT:
                outgoing.clear()
                self.drop(now_s, "unread")
                return
            self.socket.write(framed)
        if self.connection.ended is not None and self.closed_s is None:
            self.closed_s = now_s
            self.socket.close(NORMAL)

    def end(self, now_s: float, error: str | None, *, allow_reconnect: bool = False) -> None:
        """End it in order."""
        self.connection.close(now_s, error, allow_reconnect=allow_reconnect)
        self.flush(now_s)

    def drop(self, now_s: float, why: str) -> None:
        """Cut it off."""
        self.dropped = why
        self.connection.ended = self.connection.ended or "dropped"
        self.closed_s = self.closed_s or now_s
        self._behind.clear()
        self.socket.abort()

    def tick(self, now_s: float) -> None:
        """Do what is due: pings, the deadline of the handshake, the client that fell silent."""
        self.due_s = self.connection.tick(now_s)
        self.flush(now_s)

    def stalled(self, now_s: float) -> bool:
        """Return whether it took nothing for too long while something waited. To be asked once a second or so."""
        if not self.socket.full:
            self._full_since_s = None
            return False
        self._full_since_s = self._full_since_s or now_s
        return now_s - self._full_since_s >= STALLED_S

    def subscribe(self, game_type: int, count: int) -> None:
        """Note the subscription. One that names another number of draws begins anew."""
        if self._counts.get(game_type, 0) != count:
            self.forget(game_type)
        if count:
            self._counts[game_type] = count
        self.sent.setdefault(game_type, None)

    def forget(self, game_type: int) -> None:
        """It is not subscribed any more."""
        self._counts.pop(game_type, None)
        self.sent.pop(game_type, None)
        self._behind.pop(game_type, None)

    def _catch_up(self) -> None:
        """The client reads again: the newest of each game type that it missed."""
        behind, self._behind = self._behind, {}
        for push in behind.values():
            if push.snapshot.game_type in self.sent:
                self.offer(push, self.connection.last_sent_s)
