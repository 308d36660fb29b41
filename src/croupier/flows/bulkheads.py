"""Bulkheads: a limit on concurrent calls per counterparty and kind of call, with a queue for each.

A counterparty that hangs fills only its own bulkhead. Its stakes take no capacity from its owed money, its queries and
its balances. Time in this queue does not count against the peer: a call and its timeouts begin when it has its place.

Owns: places and queues of this process. Never: the fate of a call that got no place (its caller decides), or the circuit
breaker (admission). Spec: money.md 4.3, decision 0038.
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
"""The longest queue for calls that may be turned away."""
WAIT_S = 2.0
"""The default wait for a place."""


class SideCall(Enum):
    """Calls that are not the next action of a bet. They may be turned away."""

    PLAYER_QUERY = "tell"
    """Balance and authentication queries about a player."""
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
    """No place became free in time. The call was not started."""


@dataclass(slots=True)
class _Bulkhead:
    taken: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Bulkheads:
    """The bulkheads of one process."""

    def __init__(self) -> None:
        self._bulkheads: dict[tuple[str, CallKind], _Bulkhead] = {}

    @asynccontextmanager
    async def place(
        self, peer: str, kind: CallKind, *, at_once: int | None = None, within_s: float = WAIT_S
    ) -> AsyncIterator[None]:
        """Hold a place for this kind of call; raises BulkheadFull.

        `at_once`: the number of places, if it is not the default. `within_s`: the longest wait.
        """
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
        """Return the number of calls that wait for a place."""
        bulkhead = self._bulkheads.get((peer, kind))
        return len(bulkhead.waiting) if bulkhead else 0


async def _wait(bulkhead: _Bulkhead, within_s: float) -> None:
    """Wait until a place is handed over; raises BulkheadFull after `within_s`."""
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
    """Leave the queue. A place that was handed over at the same moment goes to the next call."""
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
