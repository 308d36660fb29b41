"""The seam to randomness: secrets, ids and jitter all come from here, so that a seed can replay them.

Owns: the port, the real source and a seeded one. Never: key generation for signatures (kit.jwt).
"""

from __future__ import annotations

import random
import secrets
import uuid
from typing import Protocol


class Chance(Protocol):
    """What the hub may ask of randomness."""

    def fraction(self) -> float:
        """A number in [0, 1)."""
        ...

    def hex(self, size: int) -> str:
        """`size` random bytes as lower-case hex."""
        ...

    def guid(self) -> str:
        """A random GUID in its usual text form."""
        ...


class SystemChance:
    """Cryptographically strong randomness from the operating system."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def fraction(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()

    def hex(self, size: int) -> str:
        """`size` random bytes as lower-case hex."""
        return secrets.token_hex(size)

    def guid(self) -> str:
        """A random version 4 GUID."""
        return str(uuid.uuid4())


class SeededChance:
    """The same numbers for the same seed. For the simulator and tests only: not secret at all."""

    def __init__(self, seed: int | str) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - replayable on purpose, never used for secrets

    def branch(self, name: str) -> SeededChance:
        """A source of its own under this name: what others draw changes nothing here."""
        return SeededChance(f"{self._seed}/{name}")

    def fraction(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()

    def hex(self, size: int) -> str:
        """`size` bytes as lower-case hex."""
        return self._random.randbytes(size).hex()

    def guid(self) -> str:
        """A GUID."""
        return str(uuid.UUID(bytes=self._random.randbytes(16), version=4))
