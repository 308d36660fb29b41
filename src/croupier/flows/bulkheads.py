"""Places for calls under way: so many per counterparty and kind of work, and a line before each.

A counterparty that hangs fills its own places and nobody else's; its makes of stakes fill none of what its owed money,
its questions and its balances need. Time in our own line is no time of the peer: its call begins, and its limits count,
when it has its place.

Owns: places and lines of this process. Never: what happens to work that got none (its caller), the breaker (gates).
Spec: money.md 4.3, decision 0038.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

from croupier.core.work import Work

OWED_AT_ONCE = 100
QUESTIONS_AT_ONCE = 40
TELLS_AT_ONCE = 50
LAUNCHES_AT_ONCE = 50
CATALOGUES_AT_ONCE = 2
LINE = 500
"""So many wait for a place at most, where the work may be turned away."""
WAIT_S = 2.0
"""So long they wait, where nobody says otherwise."""


class Chore(Enum):
    """Work that is no next action of a bet: it may be turned away."""

    TELL = "tell"
    """Balances, and who somebody is."""
    LAUNCH = "launch"
    CATALOGUE = "catalogue"


Kind = Work | Chore

_AT_ONCE: dict[Kind, int] = {
    Work.OWED: OWED_AT_ONCE,
    Work.ASK: QUESTIONS_AT_ONCE,
    Chore.TELL: TELLS_AT_ONCE,
    Chore.LAUNCH: LAUNCHES_AT_ONCE,
    Chore.CATALOGUE: CATALOGUES_AT_ONCE,
}


class NoPlace(Exception):
    """Nothing was begun: our own places for this counterparty were taken for too long."""


@dataclass(slots=True)
class _Lane:
    taken: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Bulkheads:
    """One per process."""

    def __init__(self) -> None:
        self._bulkheads: dict[tuple[str, Kind], _Lane] = {}

    @asynccontextmanager
    async def place(
        self, peer: str, kind: Kind, *, at_once: int | None = None, within_s: float = WAIT_S
    ) -> AsyncIterator[None]:
        """Hold one of the places for this kind of work; raises NoPlace. `at_once`: how many there are, if not as usual."""
        lane = self._bulkheads.setdefault((peer, kind), _Lane())
        most = max(at_once or _AT_ONCE[kind], 1)
        if lane.taken < most and not lane.waiting:
            lane.taken += 1
        elif isinstance(kind, Chore) and len(lane.waiting) >= LINE:
            raise NoPlace
        else:
            await _wait(lane, within_s)
        try:
            yield
        finally:
            _leave(lane, most)

    def waiting(self, peer: str, kind: Kind) -> int:
        """How many wait for a place."""
        lane = self._bulkheads.get((peer, kind))
        return len(lane.waiting) if lane else 0


async def _wait(lane: _Lane, within_s: float) -> None:
    """Stand in the line until somebody who leaves hands on a place; raises NoPlace when the time is over."""
    turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    lane.waiting.append(turn)
    try:
        await asyncio.wait({turn}, timeout=max(within_s, 0))
    except asyncio.CancelledError:
        _step_out(lane, turn)
        raise
    if not turn.done():
        _step_out(lane, turn)
        raise NoPlace


def _step_out(lane: _Lane, turn: asyncio.Future[None]) -> None:
    """Leave the line; a place that was handed on in this moment goes to the next."""
    if turn.done():
        _leave(lane, lane.taken)
    else:
        lane.waiting.remove(turn)


def _leave(lane: _Lane, most: int) -> None:
    lane.taken -= 1
    while lane.waiting and lane.taken < most:
        turn = lane.waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            lane.taken += 1
