"""The port of randomness: secrets, ids and jitter come from it, so that a seed can replay them.

Owns: the port, the real source and a seeded one. Never: generates signing keys (kit.keys).
"""

from __future__ import annotations

import random
import secrets
import uuid
from typing import Protocol


class Chance(Protocol):
    """Randomness as the hub uses it."""

    def fraction(self) -> float:
        """Return a number in [0, 1), for jitter and samples. It need not be secret."""
        ...

    def hex(self, size: int) -> str:
        """Return `size` random bytes as lower-case hex."""
        ...

    def guid(self) -> str:
        """Return a random GUID in its usual text form."""
        ...


class SystemChance:
    """Cryptographically strong ids and secrets from the operating system. A fraction is for jitter, and anybody may guess it."""

    fraction = staticmethod(random.random)
    """A number in [0, 1). Each process seeds its own source, a fork included; no system call is made."""

    def hex(self, size: int) -> str:
        """`size` random bytes as lower-case hex."""
        return secrets.token_hex(size)

    def guid(self) -> str:
        """Return a random version 4 GUID."""
        return str(uuid.uuid4())


class SeededChance:
    """Deterministic source: the same seed gives the same values. For the simulator and tests only; not secret."""

    def __init__(self, seed: int | str) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - replayable on purpose, never used for secrets

    def branch(self, name: str) -> SeededChance:
        """Return an independent source of this name; draws from other sources do not change it."""
        return SeededChance(f"{self._seed}/{name}")

    def fraction(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()

    def hex(self, size: int) -> str:
        """Return `size` bytes as lower-case hex."""
        return self._random.randbytes(size).hex()

    def guid(self) -> str:
        """Return a GUID."""
        return str(uuid.UUID(bytes=self._random.randbytes(16), version=4))
