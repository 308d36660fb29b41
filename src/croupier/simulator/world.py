"""A world: what a seed, a size and, for a failing one, what is left out of it make of it.

Owns: the record, the size that a seed has by itself, the command that plays a world again. Never: plays it.
Spec: operate.md (`croupier simulate`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from croupier.simulator.dials import CROWD, OFF

SMALL = 50
MIDDLE = 300
LARGE = 12_000
EVERY = 4
"""Every fourth seed is a crowd: there the hub's trains are long, and most payments are made."""
HARSH = 2
"""Two after a crowd comes a harsh world, unless it is a crowd itself: all faults at once, and no honest casino."""
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
    def harsh(self) -> bool:
        """Whether everything goes wrong in it at once."""
        return self.seed % EVERY == HARSH and self.payments < CROWD

    def has(self, number: int) -> bool:
        """Whether this bet or cashback is played."""
        return self.only is None or number in self.only


def world_of(seed: int) -> World:
    """The world of a seed: most are small, every fourth is a crowd, and every fourth is harsh."""
    return World(seed, {0: LARGE, HARSH: MIDDLE}.get(seed % EVERY, SMALL))
