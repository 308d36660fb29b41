"""The provably fair part of a draw: a commitment before betting, a seed afterwards, and one stream of numbers between them.

Owns: the commitment and the stream. Never: the rules of a game, or a random number of its own: everything follows from the seed.

The server seed is 32 bytes. Its commitment is SHA-256 over those bytes. Block `i` of the stream is HMAC-SHA256 with the
seed as key over the ASCII text `hmac-sha256-v1:<game type>:<edition>:<i>`, counted from 0. Each block gives four 64-bit
big-endian numbers. A number below `n` is a 64-bit number modulo `n`; numbers of the incomplete last interval are
rejected, so that no result is more likely than another.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

ALGORITHM = "hmac-sha256-v1"
SEED_BYTES = 32
_WORD_BYTES = 8
_WORDS = 1 << (8 * _WORD_BYTES)
"""How many different numbers one word of the stream can be."""


def commitment(seed: bytes) -> str:
    """Return the lower-case hex SHA-256 of the seed."""
    return hashlib.sha256(seed).hexdigest()


def block(seed: bytes, label: str, number: int) -> bytes:
    """Return block `number` of the stream: 32 bytes."""
    return hmac.digest(seed, f"{ALGORITHM}:{label}:{number}".encode("ascii"), "sha256")


class Stream:
    """Unbiased numbers of one draw. The same seed, game type and edition give the same numbers."""

    def __init__(self, seed: bytes, game_type: int, edition: int) -> None:
        self._words = _words(seed, f"{game_type}:{edition}")

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1, each with the same chance. `limit` is from 1 to 2**64."""
        if not 1 <= limit <= _WORDS:
            raise ValueError("a limit is from 1 to 2**64")
        return below(limit, self._words)

    def sample(self, population: int, size: int) -> tuple[int, ...]:
        """Return `size` different numbers from 0 to `population` - 1 in the order in which they are drawn."""
        if not 0 <= size <= population:
            raise ValueError("a sample is no larger than its population")
        pool = list(range(population))
        for place in range(size):
            taken = place + self.below(population - place)
            pool[place], pool[taken] = pool[taken], pool[place]
        return tuple(pool[:size])


def below(limit: int, words: Iterator[int], size: int = _WORDS) -> int:
    """Return the first word that is not rejected, modulo `limit`. A word is a number from 0 to `size` - 1."""
    whole = size - size % limit
    return next(word for word in words if word < whole) % limit


def _words(seed: bytes, label: str) -> Iterator[int]:
    number = 0
    while True:
        made = block(seed, label, number)
        for start in range(0, len(made), _WORD_BYTES):
            yield int.from_bytes(made[start : start + _WORD_BYTES], "big")
        number += 1
