"""A snapshot ready to be sent: encoded once per encoding and number of draws, in one WebSocket frame, the same bytes for
every client that asked for as many.

Owns: the frame of a message from server to client, which carries no mask. Contract: feed.md 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

from croupier.feed.push import limited
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
    _limited: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def frame_for(self, codec: ModuleType, count: int = 0) -> bytes:
        """Its bytes in an encoding, with at most `count` draws; 0 for all. Made once for each encoding and number of draws.

        No client can ask for more different ones than a snapshot has draws.
        """
        if count and count < len(self.snapshot.argument.get("wgi", ())):
            return self._limited_frame(codec, count)
        made = self._frames.get(codec.NAME)
        if made is None:
            made = self._frames[codec.NAME] = _framed(codec, self.snapshot.argument)
        return made

    def _limited_frame(self, codec: ModuleType, count: int) -> bytes:
        made = self._limited.get((codec.NAME, count))
        if made is None:
            made = self._limited[codec.NAME, count] = _framed(codec, limited(self.snapshot.argument, count))
        return made


def _framed(codec: ModuleType, argument: Mapping[str, Any]) -> bytes:
    return frame(codec.write(Invocation(TOPIC, (argument,))), binary=codec.BINARY)
