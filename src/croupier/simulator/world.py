"""A world: what a seed, a size and, for a failing one, what is left out of it make of it.

Owns: the record, the size that a seed has by itself, the command that plays a world again. Never: plays it.
Spec: operate.md 2 (`croupier simulate`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Self

from croupier.simulator.dials import OFF, Kind

SMALL = 40
LARGE = 12_000
LEAST = 100
"""A crowd aims at an eighth of a run's payments, at least at so many and at most at LARGE."""
EVERY = 8
"""Every eighth seed is a crowd: there the hub's group commits are long, and a long run makes most of its payments."""
HARSH = (2, 4, 6, 7)
"""Half of the seeds are harsh worlds, unless they are made as large as a crowd: all faults at once, no honest casino."""
LATE = 5
"""One seed of eight is a world of late casinos."""
CROWD = 400
"""From so many payments on a world of any seed is a crowd: more at the same time instead of for longer."""
STRIDE = 10_000
"""The worlds of a run have the seeds from this many times its own on, so that two runs share none."""
_SHAPE = re.compile(r"([1-9]\d{0,6})(?::(\d+(?:,\d+)*)?(?::([a-z,-]*))?)?")


@dataclass(frozen=True, slots=True)
class World:
    """One world. The same record is the same log, byte for byte."""

    seed: int
    payments: int
    """How many payments it aims at; what happens in it decides how many it makes."""
    only: frozenset[int] | None = None
    """The numbers of the bets and cashbacks that are played; None: all."""
    without: frozenset[str] = frozenset()
    """Dials that are turned off (dials.OFF)."""

    @property
    def shape(self) -> str:
        """Size, bets and what is off, as `parse` reads it: `50`, `50:3,17`, `50::loss,skew`."""
        parts = [str(self.payments), ",".join(map(str, sorted(self.only or ()))), ",".join(sorted(self.without))]
        return ":".join(parts).rstrip(":")

    @property
    def command(self) -> str:
        """What a person types to play it again."""
        return f"croupier simulate --seed {self.seed} --world {self.shape}"

    @classmethod
    def parse(cls, seed: int, shape: str) -> Self:
        """The world of this shape. Raises ValueError for any other text."""
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
    def kind(self) -> Kind:
        """Whether much happens in it at once, or everything goes wrong."""
        place = self.seed % EVERY
        if self.payments >= (CROWD if place else LEAST):
            return Kind.CROWD
        if place == LATE:
            return Kind.LATE
        return Kind.HARSH if place in HARSH else Kind.MILD

    def has(self, number: int) -> bool:
        """Whether this bet or cashback is played."""
        return self.only is None or number in self.only


def world_of(seed: int, crowd: int = LARGE) -> World:
    """The world of a seed: every eighth is a crowd of this size, the others are small, and most of them harsh."""
    return World(seed, SMALL if seed % EVERY else crowd)


def worlds_of(seed: int, payments: int, after: int = 0) -> Iterator[World]:
    """The worlds of a run that aims at so many payments, in their order, without the first `after`; they never end.

    A crowd is small beside the run, so that a run of any size is mixed and stops near its number.
    """
    crowd = min(max(payments // EVERY, LEAST), LARGE)
    return (world_of(seed * STRIDE + n, crowd) for n in count(1 + after))
