"""The reduction of a failing world to the fewest bets and faults in which the same invariant still breaks.

Owns: the search and the trace. Never: plays more worlds than its budget. Spec: operate.md 2 (`croupier simulate`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from croupier.simulator.dials import OFF
from croupier.simulator.run import RunResult
from croupier.simulator.world import World

PLAYS = 60
TRACE_LINES = 80
_NAME = re.compile(r"\b[bc](\d+)(?:-\d+)?\b")

Play = Callable[[World], RunResult]


class Shrinking:
    """One search. `best` is the smallest outcome that still fails."""

    def __init__(self, play: Play, failed: RunResult, plays: int = PLAYS) -> None:
        self.best = failed
        self._play = play
        self._left = plays
        self._laws = laws(failed)

    def search(self) -> RunResult:
        """Leave out bets, then faults, then bets again, and return the smallest failing outcome."""
        self._only_the_named()
        self._fewer_bets()
        for name in OFF:
            self._try(replace(self.best.world, without=self.best.world.without | {name}))
        self._fewer_bets()
        return self.best

    def _only_the_named(self) -> None:
        named = frozenset(int(n) for text in self.best.verdict.violations for n in _NAME.findall(text))
        if named:
            self._try(replace(self.best.world, only=named))

    def _fewer_bets(self) -> None:
        """Leave out halves, then quarters, and so on, as long as the world still fails."""
        size = max(len(self._bets()) // 2, 1)
        while size and len(self._bets()) > 1 and self._left:
            bets = self._bets()
            parts = [bets[n : n + size] for n in range(0, len(bets), size)]
            if not any(self._try(self._without(part)) for part in parts):
                size //= 2
            size = min(size, len(self._bets()) // 2)

    def _bets(self) -> list[int]:
        world, dials = self.best.world, self.best.dials
        return sorted(range(dials.bets + max(dials.bets // 12, 1)) if world.only is None else world.only)

    def _without(self, part: list[int]) -> World:
        return replace(self.best.world, only=frozenset(self._bets()) - frozenset(part))

    def _try(self, world: World) -> bool:
        """Play a smaller world; if it fails too, keep it as the best and return True."""
        if not self._left or world == self.best.world:
            return False
        self._left -= 1
        outcome = self._play(world)
        if not laws(outcome) & self._laws:
            return False
        self.best = outcome
        return True


def laws(outcome: RunResult) -> frozenset[str]:
    """Return the invariants that were violated."""
    return frozenset(text.partition(":")[0] for text in outcome.verdict.violations)


def trace(outcome: RunResult) -> list[str]:
    """Return the log if it is short, otherwise its lines about violating bets and about ended or paused processes."""
    if len(outcome.log) <= TRACE_LINES:
        return outcome.log
    names = {match[0] for text in outcome.verdict.violations for match in _NAME.finditer(text)}
    about = [line for line in outcome.log if names & set(line.split()) or " dies " in line or " pauses " in line]
    return about[-TRACE_LINES:]
