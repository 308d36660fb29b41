"""A world: the seed, the size and, for a failing one, the bets and dials that are left out.

Owns: the record, the size that a seed implies, the command that repeats a world. Never: plays it.
Spec: operate.md 2 (`croupier simulate`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Self

from croupier.simulator.dials import OFF, WorldKind

SMALL = 40
LARGE = 12_000
LEAST = 100
"""Smallest number of payments of a crowd. A crowd has an eighth of a run's payments, at most LARGE."""
EVERY = 8
"""Every eighth seed is a crowd, with large group commits. A long run makes most of its payments in crowds."""
HARSH = (2, 4, 6)
"""Three of eight seeds are harsh worlds, unless they are as large as a crowd: all faults at once, no honest casino."""
LATE = 5
"""One seed of eight is a world of late casinos."""
THIN = (3, 7)
"""Two of eight are worlds of small wallets and unanswered tries."""
CROWD = 400
"""From this number of payments on a world of any seed is a crowd: more events at once, not a longer run."""
STRIDE = 10_000
"""The worlds of a run have the seeds from this multiple of its own seed on, so that two runs share none."""
_SHAPE = re.compile(r"([1-9]\d{0,6})(?::(\d+(?:,\d+)*)?(?::([a-z,-]*))?)?")


@dataclass(frozen=True, slots=True)
class World:
    """One world. The same record gives the same log, byte for byte."""

    seed: int
    payments: int
    """The number of payments that it aims at; the actual number depends on the run."""
    only: frozenset[int] | None = None
    """The numbers of the bets and cashbacks that are played; None: all."""
    without: frozenset[str] = frozenset()
    """Dials that are turned off (dials.OFF)."""

    @property
    def shape(self) -> str:
        """Return size, bets and dials turned off, in the form that `parse` reads: `50`, `50:3,17`, `50::loss,skew`."""
        parts = [str(self.payments), ",".join(map(str, sorted(self.only or ()))), ",".join(sorted(self.without))]
        return ":".join(parts).rstrip(":")

    @property
    def command(self) -> str:
        """Return the command that plays this world again."""
        return f"croupier simulate --seed {self.seed} --world {self.shape}"

    @classmethod
    def parse(cls, seed: int, shape: str) -> Self:
        """Return the world of this shape. Raises ValueError for any other text."""
        match = _SHAPE.fullmatch(shape)
        if match is None:
            raise ValueError("a world is SIZE[:BETS[:OFF]], for example 50:3,17:loss,skew")
        only = frozenset(map(int, match[2].split(","))) if match[2] else None
        without = frozenset((match[3] or "").split(",")) - {""}
        if without - set(OFF):
            raise ValueError(
                f"{', '.join(sorted(without - set(OFF)))} cannot be turned off; what can: {', '.join(OFF)}"
            )
        return cls(seed, int(match[1]), only, without)

    @property
    def kind(self) -> WorldKind:
        """Return the class of the world."""
        place = self.seed % EVERY
        if self.payments >= (CROWD if place else LEAST):
            return WorldKind.CROWD
        if place == LATE:
            return WorldKind.LATE
        if place in THIN:
            return WorldKind.THIN
        return WorldKind.HARSH if place in HARSH else WorldKind.MILD

    def has(self, number: int) -> bool:
        """Return whether this bet or cashback is played."""
        return self.only is None or number in self.only


def world_of(seed: int, crowd: int = LARGE) -> World:
    """Return the world of a seed: every eighth is a crowd of this size, the others are small."""
    return World(seed, SMALL if seed % EVERY else crowd)


def worlds_of(seed: int, payments: int, after: int = 0) -> Iterator[World]:
    """Return the worlds of a run of so many payments, in order, without the first `after`. The iterator is infinite.

    A crowd is small beside the run, so that a run of any size is mixed and stops near its number.
    """
    crowd = min(max(payments // EVERY, LEAST), LARGE)
    return (world_of(seed * STRIDE + n, crowd) for n in count(1 + after))
