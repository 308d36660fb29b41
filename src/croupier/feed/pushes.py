"""A snapshot ready to be sent: encoded once per encoding, in one WebSocket frame, the same bytes for every client.

Owns: the frame of a message from server to client, which carries no mask. Contract: feed.md 3.6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Final

from croupier.feed.signalr.messages import Invocation
from croupier.feed.snapshot import Snapshot
from croupier.feed.subscriptions import TOPIC

_TEXT: Final = 0x81
_BINARY: Final = 0x82


def frame(data: bytes, *, binary: bool) -> bytes:
    """One whole WebSocket message (RFC 6455 5.2)."""
    size = len(data)
    opcode = _BINARY if binary else _TEXT
    if size < 126:
        return bytes((opcode, size)) + data
    if size < 65_536:
        return bytes((opcode, 126)) + size.to_bytes(2, "big") + data
    return bytes((opcode, 127)) + size.to_bytes(8, "big") + data


@dataclass(slots=True)
class Push:
    """One snapshot on its way to the clients of this process."""

    snapshot: Snapshot
    _frames: dict[str, bytes] = field(default_factory=dict)

    def frame_for(self, codec: ModuleType) -> bytes:
        """Its bytes in an encoding."""
        made = self._frames.get(codec.NAME)
        if made is None:
            message = Invocation(TOPIC, (self.snapshot.argument,))
            made = self._frames[codec.NAME] = frame(codec.write(message), binary=codec.BINARY)
        return made
