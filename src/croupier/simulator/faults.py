"""Faults of the network and of the database connection.

Owns: `FaultyWire` (loss before and after, duplicates, delay, cuts) and `FaultyDb` (a connection lost in a commit, a
process that dies while its statement runs on). Never: decides when there are faults (dials). Every fault is
counted, so that a run can show which faults occurred.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from croupier.kit import point
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.wire import PeerError, Wire, WireAnswer, WireRequest
from croupier.simulator.dials import Dials
from croupier.simulator.matrix import Matrix
from croupier.simulator.stage import HUB_ORIGIN
from croupier.store.array_literal import Scalar
from croupier.store.db import Db, DbDown, Row

T = TypeVar("T")

Landed = Callable[[str, Sequence[object], set[int]], None]
"""Called for every group commit that took effect, even if its process died: text, arrays, the decisions written."""
Executed = Callable[[str, Sequence[Row]], None]
"""Called after a set-based statement: its text and its rows."""
SLOW = 0.1
"""Share of slow statements in a world with a slow database."""
BRIEF_S = 1.0
"""A database that is slower than this may use up a lease before its call has left."""
INFO = "/payments/info"
"""In the address of every query about a bet."""
BETS = "/payments/make"
"""In the address of every make of a bet, and of no cashback."""
POISON = "make.poisoned"
"""The point at which a process dies of one particular call."""
LOST_S = 7.0
"""Longest time that the sender of a lost message waits; its own timeout may be shorter."""


@dataclass(slots=True)
class Weather:
    """The switch for all faults, and a count of those that occurred."""

    rough: bool = True
    seen: Counter[str] = field(default_factory=Counter)
    cut_until_s: float = 0.0
    matrix: Matrix = field(default_factory=Matrix)
    calls: dict[int | str, list[int]] = field(default_factory=dict)
    """The instants at which a hub process called a casino about a bet or cashback."""
    refusals: Counter[int] = field(default_factory=Counter)
    """The number of refusals that casinos reported by themselves, per bet or cashback."""
    poisoned: set[tuple[int, object]] = field(default_factory=set)
    """The one payment whose make ends each process that sends it."""
    deaths_ms: list[int] = field(default_factory=list)
    """The instants at which a process died or fell asleep."""
    under_way: set[tuple[int, object]] = field(default_factory=set)
    """The makes that a hub process has sent and waits for: bet or cashback, and TransactionType."""
    twice_under_way: list[tuple[int, object]] = field(default_factory=list)
    """Makes that were sent while another try of the same payment was under way, which the casino had not reported on."""
    lists: dict[int | str, list[tuple[int, int]]] = field(default_factory=dict)
    """The instants of each query about a bet, and of the answer as the hub process received it."""
    reported: set[tuple[int, object]] = field(default_factory=set)
    """Payments of which a casino has sent an accept: the hub may then send the next try before the last was answered."""

    def strike(self, fault: str, subjects: Iterable[int | str] | None = None) -> None:
        """Record a fault that concerns these bets and cashbacks, or all of them."""
        self.seen[fault] += 1
        self.matrix.strike(fault, subjects)

    def kills(self, makes: Sequence[tuple[int, object]], kind: int) -> bool:
        """Return whether one of these makes ends its process. The first of this TransactionType in a world is chosen."""
        if not self.poisoned:
            self.poisoned.update([make for make in makes if make[1] == kind][:1])
        return not self.poisoned.isdisjoint(makes)

    def send(self, makes: Sequence[tuple[int, object]]) -> None:
        """Record that a hub process sends these makes."""
        twice = [make for make in makes if make in self.under_way and make not in self.reported]
        self.twice_under_way += twice
        self.under_way.update(makes)


@dataclass(frozen=True, slots=True)
class Around:
    """The surroundings of one participant: time, randomness, dials and faults."""

    clock: Clock
    chance: Chance
    dials: Dials
    weather: Weather


def subjects_in(body: bytes) -> list[int | str]:
    """Return the subjects of a message of the contract: BetIds and CashbackIds, or the provider's betId."""
    return [subject for one in records_in(body) for subject in _named(one)]


def makes_in(url: str, records: Iterable[Any]) -> list[tuple[int, object]]:
    """Return the payments of a call of the hub, if it is a make: bet or cashback, and TransactionType."""
    if "/make" not in url:
        return []
    return [(subject, one["TransactionType"]) for one in records for subject in _named(one) if isinstance(subject, int)]


def records_in(body: bytes) -> list[Any]:
    """Return the records of a message, signed or not; none if it cannot be read."""
    try:
        message = json.loads(body) if body else None
        if isinstance(message, str):
            claims = message.split(".")[1]
            message = json.loads(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["data"])
    except (ValueError, IndexError, KeyError, TypeError):
        return []
    return message if isinstance(message, list) else [message]


def _named(message: object) -> list[int | str]:
    if not isinstance(message, dict):
        return []
    value = message.get("Value", message)
    fields = value if isinstance(value, dict) else message
    return [fields[name] for name in ("BetId", "CashbackId", "betId") if isinstance(fields.get(name), int | str)]


class FaultyWire:
    """A wire that loses, repeats, delays and reorders messages."""

    def __init__(self, inner: Wire, around: Around) -> None:
        self._inner = inner
        self._clock = around.clock
        self._chance = around.chance
        self._dials = around.dials
        self._weather = around.weather
        self._copies: set[asyncio.Task[None]] = set()

    async def send(self, request: WireRequest) -> WireAnswer:
        """Send the request with faults. The body is produced here, so the network's delays come after it."""
        request, asked_ms = request.leaving(), self._clock.now_ms()
        answer = await self._through_faults(request)
        if INFO in request.url and not request.url.startswith(HUB_ORIGIN):
            for subject in subjects_in(request.body):
                self._weather.lists.setdefault(subject, []).append((asked_ms, self._clock.now_ms()))
        return answer

    async def _through_faults(self, request: WireRequest) -> WireAnswer:
        makes = [] if request.url.startswith(HUB_ORIGIN) else self._recorded(request)
        if not self._weather.rough:
            return await self._inner.send(request)
        if self._dials.poison and BETS in request.url and self._weather.kills(makes, self._dials.poison):
            self._weather.seen[POISON] += 1
            await point.point(POISON)
        if not self._dials.times_compare or self._dials.slow_db_s > BRIEF_S:
            # A lease may then run out while its call is under way.
            return await self._sent(request)
        self._weather.send(makes)
        try:
            return await self._sent(request)
        finally:
            self._weather.under_way.difference_update(makes)

    def _recorded(self, request: WireRequest) -> list[tuple[int, object]]:
        """Record a call of the hub about bets or cashbacks. Return the payments that it makes."""
        records = records_in(request.body)
        for subject in (subject for one in records for subject in _named(one)):
            self._weather.calls.setdefault(subject, []).append(self._clock.now_ms())
        return makes_in(request.url, records)

    async def _sent(self, request: WireRequest) -> WireAnswer:
        delay_s = self._delay_s(request)
        if delay_s >= request.total_s:
            # It arrives all the same, long after its sender has given it up.
            self._send_later(request, delay_s)
            await self._clock.sleep(request.total_s)
            raise PeerError("no whole answer in time")
        if delay_s:
            await self._clock.sleep(delay_s)
        request = replace(request, total_s=request.total_s - delay_s)
        ends_s = self._clock.monotonic_s() + request.total_s
        if self._clock.monotonic_s() < self._weather.cut_until_s:
            self._weather.strike("cut", subjects_in(request.body))
            raise await self._lost("cut", ends_s)
        if self._happens("loss_of_request", self._dials.loss / 2, request):
            raise await self._lost("lost", ends_s)
        if self._happens("duplicate", self._dials.duplicates, request):
            self._send_later(request, self._chance.fraction() * 5)
        answer = await self._inner.send(request)
        if self._dials.answer_delay_s and self._chance.fraction() < self._dials.delayed:
            await self._delay_answer(ends_s)
        if self._happens("loss_of_answer", self._dials.loss / 2, request):
            raise await self._lost("lost", ends_s)
        return answer

    async def _delay_answer(self, ends_s: float) -> None:
        """Delay an answer, which says what was true when it was written. Raises PeerError if it comes too late."""
        delay_s, left_s = self._chance.fraction() * self._dials.answer_delay_s, self._left_s(ends_s)
        await self._clock.sleep(min(delay_s, left_s))
        if delay_s >= left_s:
            raise PeerError("no whole answer in time")

    async def _lost(self, why: str, ends_s: float) -> PeerError:
        """Wait as the sender of a lost message does, within the limit of its call."""
        await self._clock.sleep(min(LOST_S, self._left_s(ends_s)))
        return PeerError(why)

    def _left_s(self, ends_s: float) -> float:
        return max(ends_s - self._clock.monotonic_s(), 0.0)

    def _delay_s(self, request: WireRequest) -> float:
        """Return the delay of this message in seconds."""
        if not self._dials.delay_s or self._chance.fraction() >= self._dials.delayed:
            return 0.0
        delay_s = self._chance.fraction() ** 2 * self._dials.delay_s
        if delay_s > 1:
            self._weather.strike("delay", subjects_in(request.body))
        return delay_s

    def _happens(self, fault: str, share: float, request: WireRequest) -> bool:
        happens = self._chance.fraction() < share
        if happens:
            self._weather.strike(fault, subjects_in(request.body))
        return happens

    def _send_later(self, request: WireRequest, after_s: float) -> None:
        """Deliver a copy later; its answer is dropped."""

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
    """The database as one process sees it: the connection may break, and a running statement outlives the process."""

    def __init__(
        self, db: Db, around: Around, *, landed: Landed | None = None, executed: Executed | None = None
    ) -> None:
        self._db = db
        self._landed = landed
        self._executed = executed
        self._clock = around.clock
        self._chance = around.chance
        self._dials = around.dials
        self._weather = around.weather
        self._deaf = False
        self.awake = asyncio.Event()
        self.awake.set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the real database's
        return getattr(self._db, name)

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """Return all rows. It is the query by which a process looks whether its lost commit was written."""
        if self._deaf:
            self._deaf = False
            raise DbDown("the connection was lost once more")
        return await self._heard(self._db.fetch, sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        """Return the first row."""
        return await self._heard(self._db.fetchrow, sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column is
        """Return the first value."""
        return await self._heard(self._db.fetchval, sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        """Run the statement and return the number of changed rows."""
        return await self._heard(self._db.execute, sql, *args)

    async def batch_fetch(self, sql: str, *args: object) -> list[Row]:
        """Run a set-based statement and return its rows."""
        rows = await self._heard(self._db.batch_fetch, sql, *args)
        if self._executed is not None:
            self._executed(sql, rows)
        return rows

    async def commit_group(self, sql: str, *args: Sequence[Scalar]) -> list[Row]:
        """Run the statement of a group commit. The connection or the process may be lost before and after it."""
        await self._slowly()
        await asyncio.sleep(0)  # noqa: TID251 - yields, waits for nothing
        if self._breaks("commit_never_arrived", 1 / 3):
            self._deaf = self._dials.deaf > 0 and self._chance.fraction() < self._dials.deaf
            raise DbDown("the connection was lost")
        rows = await self._db.commit_group(sql, *args)
        if self._landed is not None:
            self._landed(sql, args, {row["n"] for row in rows})
        await asyncio.sleep(0)  # noqa: TID251 - see above
        if self._breaks("commit_answer_lost", 2 / 3):
            raise DbDown("the connection was lost")
        await self.awake.wait()
        return rows

    async def _slowly(self) -> None:
        """Delay the statement if the database is slow."""
        began = self._clock.monotonic_s() > 0  # until then time stands still
        if self._weather.rough and began and self._dials.slow_db_s and self._chance.fraction() < SLOW:
            self._weather.strike("slow_database")
            await self._clock.sleep(self._chance.fraction() * self._dials.slow_db_s)

    def _breaks(self, name: str, share: float) -> bool:
        if not self._weather.rough or self._chance.fraction() >= self._dials.lost_commits * share:
            return False
        self._weather.strike(name)
        return True

    async def _heard(self, ask: Callable[..., Awaitable[T]], *args: object) -> T:
        """Return the answer once the process is awake to receive it."""
        await self._slowly()
        result = await ask(*args)
        if not self.awake.is_set():
            await self.awake.wait()
        return result
