"""The network and the database connection with faults in them.

Owns: `FaultyWire` (loss before and after, duplicates, delay, cuts) and `FaultyDb` (a connection lost in a commit, a
process that dies while its statement runs on). Never: decides when a world is rough (dials). What happened is
counted, so that a run can show which faults it has seen.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.wire import PeerError, Wire, WireAnswer, WireRequest
from croupier.simulator.dials import Dials
from croupier.store.db import Db, DbDown, Row, Tx
from croupier.store.train_sql import BETS, CASHBACKS

T = TypeVar("T")

TRAINS = (BETS.text, CASHBACKS.text)
LOST_S = 7.0
"""How long a lost message is believed to be on its way, at most; the caller's own limit may be nearer."""


@dataclass(slots=True)
class Weather:
    """Whether there are faults now, and which were seen."""

    rough: bool = True
    seen: Counter[str] = field(default_factory=Counter)
    cut_until_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Around:
    """What is around everybody on the stage."""

    clock: Clock
    chance: Chance
    dials: Dials
    weather: Weather


class FaultyWire:
    """A wire that loses, repeats, delays and reorders."""

    def __init__(self, inner: Wire, around: Around) -> None:
        self._inner = inner
        self._clock = around.clock
        self._chance = around.chance
        self._dials = around.dials
        self._weather = around.weather
        self._copies: set[asyncio.Task[None]] = set()

    async def send(self, request: WireRequest) -> WireAnswer:
        """As the wire, through the weather."""
        if not self._weather.rough:
            return await self._inner.send(request)
        await self._delay()
        if self._clock.monotonic_s() < self._weather.cut_until_s:
            raise await self._lost(request, "cut")
        if self._happens("loss_of_request", self._dials.loss / 2):
            raise await self._lost(request, "no answer in time")
        if self._happens("duplicate", self._dials.duplicates):
            self._send_again(request)
        answer = await self._inner.send(request)
        if self._happens("loss_of_answer", self._dials.loss / 2):
            raise await self._lost(request, "no answer in time")
        return answer

    async def _delay(self) -> None:
        if self._dials.delay_s:
            delay_s = self._chance.fraction() ** 2 * self._dials.delay_s
            if delay_s > 1:
                self._weather.seen["delay"] += 1
            await self._clock.sleep(delay_s)

    async def _lost(self, request: WireRequest, why: str) -> PeerError:
        self._weather.seen["cut" if why == "cut" else "lost"] += 1
        await self._clock.sleep(min(LOST_S, request.total_s))
        return PeerError(why)

    def _happens(self, name: str, share: float) -> bool:
        happens = self._chance.fraction() < share
        if happens:
            self._weather.seen[name] += 1
        return happens

    def _send_again(self, request: WireRequest) -> None:
        """The network delivers a copy, some time; nobody hears its answer."""
        after_s = self._chance.fraction() * 5

        async def copy() -> None:
            await self._clock.sleep(after_s)
            try:
                await self._inner.send(request)
            except PeerError:
                return

        task = asyncio.get_running_loop().create_task(copy())
        self._copies.add(task)
        task.add_done_callback(self._copies.discard)


class FaultyDb:
    """The database as one process sees it: its connection may break, and its statements outlive it."""

    def __init__(self, db: Db, turn: asyncio.Lock, around: Around) -> None:
        self._db = db
        self._turn = turn
        self._chance = around.chance
        self._dials = around.dials
        self._weather = around.weather
        self.awake = asyncio.Event()
        self.awake.set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the real database's
        return getattr(self._db, name)

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """All rows."""
        return await self._alone(self._db.fetch, sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        """The first row."""
        return await self._alone(self._db.fetchrow, sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column is
        """The first value."""
        return await self._alone(self._db.fetchval, sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        """Run it."""
        return await self._alone(self._db.execute, sql, *args)

    @asynccontextmanager
    async def transaction(self, *, snapshot: bool = False) -> AsyncIterator[Tx]:
        """A transaction, alone with the database."""
        async with self._turn, self._db.transaction(snapshot=snapshot) as tx:
            yield tx

    async def train_fetch(self, sql: str, *args: object) -> list[Row]:
        """A set-based statement; a commit train's may lose its connection."""
        commits = sql in TRAINS
        if commits and self._breaks("commit_never_arrived", 1 / 3):
            raise DbDown("the connection was lost")
        rows = await self._alone(self._db.train_fetch, sql, *args)
        if commits and self._breaks("commit_answer_lost", 2 / 3):
            raise DbDown("the connection was lost")
        return rows

    def _breaks(self, name: str, share: float) -> bool:
        if not self._weather.rough or self._chance.fraction() >= self._dials.lost_commits * share:
            return False
        self._weather.seen[name] += 1
        return True

    async def _alone(self, ask: Callable[..., Awaitable[T]], *args: object) -> T:
        """One question at a time; and whoever asked may die: what the server has begun it finishes."""

        async def in_turn() -> T:
            async with self._turn:
                return await ask(*args)

        result = await asyncio.shield(asyncio.ensure_future(in_turn()))
        await self.awake.wait()
        return result
