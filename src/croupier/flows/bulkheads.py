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
PLAYER_QUERIES_AT_ONCE = 50
LAUNCHES_AT_ONCE = 50
CATALOGUES_AT_ONCE = 2
QUEUE_LIMIT = 500
"""So many wait for a place at most, where the work may be turned away."""
WAIT_S = 2.0
"""So long they wait, where nobody says otherwise."""


class SideCall(Enum):
    """Work that is no next action of a bet: it may be turned away."""

    PLAYER_QUERY = "tell"
    """Balances, and who somebody is."""
    LAUNCH = "launch"
    CATALOGUE = "catalogue"


CallKind = Work | SideCall

_AT_ONCE: dict[CallKind, int] = {
    Work.OWED: OWED_AT_ONCE,
    Work.ASK: QUESTIONS_AT_ONCE,
    SideCall.PLAYER_QUERY: PLAYER_QUERIES_AT_ONCE,
    SideCall.LAUNCH: LAUNCHES_AT_ONCE,
    SideCall.CATALOGUE: CATALOGUES_AT_ONCE,
}


class BulkheadFull(Exception):
    """Nothing was begun: our own places for this counterparty were taken for too long."""


@dataclass(slots=True)
class _Bulkhead:
    taken: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Bulkheads:
    """One per process."""

    def __init__(self) -> None:
        self._bulkheads: dict[tuple[str, CallKind], _Bulkhead] = {}

    @asynccontextmanager
    async def place(
        self, peer: str, kind: CallKind, *, at_once: int | None = None, within_s: float = WAIT_S
    ) -> AsyncIterator[None]:
        """Hold one of the places for this kind of work; raises NoPlace. `at_once`: how many there are, if not as usual."""
        bulkhead = self._bulkheads.setdefault((peer, kind), _Bulkhead())
        most = max(at_once or _AT_ONCE[kind], 1)
        if bulkhead.taken < most and not bulkhead.waiting:
            bulkhead.taken += 1
        elif isinstance(kind, SideCall) and len(bulkhead.waiting) >= QUEUE_LIMIT:
            raise BulkheadFull
        else:
            await _wait(bulkhead, within_s)
        try:
            yield
        finally:
            _leave(bulkhead, most)

    def waiting(self, peer: str, kind: CallKind) -> int:
        """How many wait for a place."""
        bulkhead = self._bulkheads.get((peer, kind))
        return len(bulkhead.waiting) if bulkhead else 0


async def _wait(bulkhead: _Bulkhead, within_s: float) -> None:
    """Stand in the line until somebody who leaves hands on a place; raises NoPlace when the time is over."""
    turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    bulkhead.waiting.append(turn)
    try:
        await asyncio.wait({turn}, timeout=max(within_s, 0))
    except asyncio.CancelledError:
        _stop_waiting(bulkhead, turn)
        raise
    if not turn.done():
        _stop_waiting(bulkhead, turn)
        raise BulkheadFull


def _stop_waiting(bulkhead: _Bulkhead, turn: asyncio.Future[None]) -> None:
    """Leave the line; a place that was handed on in this moment goes to the next."""
    if turn.done():
        _leave(bulkhead, bulkhead.taken)
    else:
        bulkhead.waiting.remove(turn)


def _leave(bulkhead: _Bulkhead, most: int) -> None:
    bulkhead.taken -= 1
    while bulkhead.waiting and bulkhead.taken < most:
        turn = bulkhead.waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            bulkhead.taken += 1
