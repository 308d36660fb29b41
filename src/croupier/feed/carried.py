"""A snapshot as bytes between processes, and as short texts where a message has a bound.

Owns: both forms and their reading. Never: who carries them, nor what is inside a snapshot's argument.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any, Final

import msgspec

from croupier.feed.snapshot import Snapshot

MOST_BYTES: Final = 4 * 1024 * 1024
"""The largest snapshot, as JSON."""
HEAD: Final = 80
"""Bytes of a text that are kept free for its head."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[int, int, int, dict[str, Any]]).decode


class NotCarried(ValueError):
    """Bytes or a text that are no snapshot, or a snapshot that is too large."""


def to_bytes(snapshot: Snapshot) -> bytes:
    """The snapshot in one piece."""
    return _encode((snapshot.game_type, snapshot.sequence, snapshot.made_ms, snapshot.argument))


def from_bytes(data: bytes) -> Snapshot:
    """The snapshot again. Raises NotCarried."""
    try:
        return Snapshot(*_decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NotCarried(str(problem)) from None


def to_texts(snapshot: Snapshot, most: int) -> list[str]:
    """The snapshot in texts of at most `most` bytes, all ASCII: usually one. Raises NotCarried."""
    plain = to_bytes(snapshot)
    if len(plain) > MOST_BYTES:
        raise NotCarried(f"a snapshot has at most {MOST_BYTES} bytes")
    packed = base64.b64encode(zlib.compress(plain, 1)).decode("ascii")
    size = most - HEAD
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    name = f"{snapshot.game_type}.{snapshot.sequence}"
    return [f"{name} {n} {len(pieces)} {piece}" for n, piece in enumerate(pieces)]


class Assembly:
    """Puts texts together again. What is not whole when the next snapshot of its game type begins is forgotten."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[str, list[str]]] = {}

    def take(self, text: str) -> Snapshot | None:
        """The snapshot that this text completes, or None. Raises NotCarried."""
        words = text.split(" ")
        if len(words) != 4 or not words[1].isdecimal() or not words[2].isdecimal():
            raise NotCarried("four words are needed")
        name, number, count, piece = words[0], int(words[1]), int(words[2]), words[3]
        game_type = name.partition(".")[0]
        known, pieces = self._begun.get(game_type, ("", []))
        if number == 0:
            known, pieces = name, []
        if known != name or number != len(pieces):
            self._begun.pop(game_type, None)
            return None
        pieces.append(piece)
        if len(pieces) < count:
            self._begun[game_type] = (known, pieces)
            return None
        self._begun.pop(game_type, None)
        return from_bytes(_unpacked("".join(pieces)))


def _unpacked(packed: str) -> bytes:
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(base64.b64decode(packed, validate=True), MOST_BYTES)
    except (binascii.Error, ValueError, zlib.error) as problem:
        raise NotCarried(str(problem)) from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise NotCarried("cut off, or too large")
    return plain
