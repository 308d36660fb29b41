"""The group commit: the only code that writes money.

Flows submit decisions. The group commit sorts the waiting ones by key and commits them with one statement. A decision
that lost its race is reported as such and has written nothing. No delay is added: an idle database gets a group commit of
one at once, and under load a group commit holds the decisions that arrived during the last one.

If a statement fails, its decisions run singly, so that one bad decision cannot make others fail. If the connection is
lost, each decision's mark is queried first: a statement is never repeated blindly. A late group commit delays no other:
the next one runs beside it. A decision whose row another session holds is retried separately, for `ASIDE_S` at most.

Owns: the queue, the batches, that recovery. Never: decides. Spec: money.md 3.10 and 4.5 ("connection
lost in COMMIT"), decision 0004.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.draft import Decision
from croupier.core.records import evolve
from croupier.kit.clock import Clock
from croupier.kit.metrics import Metrics
from croupier.kit.point import point
from croupier.store.db import Db, DbConflict, DbDown, DbError, DbLocked, DbUnfit, DbViolation
from croupier.store.money.group_commit_sql import BETS, CASHBACKS, GroupCommitSql
from croupier.store.money.partner_transactions import KEY, PartnerTransactions, numbers_of
from croupier.store.money.rows import BET, CALL, CASHBACK, PAYMENT, row_writer

_BET_ROW, _CASHBACK_ROW = row_writer(BET), row_writer(CASHBACK)
_PAYMENT_ROW, _CALL_ROW = row_writer(PAYMENT), row_writer(CALL)
S = TypeVar("S", Bet, Cashback)
_DETAIL = json.JSONEncoder(separators=(",", ":")).encode
LONGEST = 200
RETRIES = 5
LATE_S = 0.05
"""A group commit that takes longer is late; the next one does not wait for it."""
MOST_AT_ONCE = 3
ASIDE_S = 2.0
"""Time after its submission at which a decision whose row is held is given up; nothing was written."""
LOOK_S = 0.1


class Broken(Exception):
    """The database refused a single decision: an invariant would not have held. A bug; nothing was written."""


@dataclass(slots=True)
class _Item:
    decision: Decision[Any]
    mark: str
    done: asyncio.Future[Decision[Any] | None]
    since_s: float


Committed = Callable[[Decision[Any]], None]
_Won = Mapping[int, tuple[Decimal | None, int | None]]
"""The decisions that were written, by their number, each with the balance stored with its answer and when its base was asked."""


class GroupCommit:
    """Commits decisions of this process, in order of arrival, many at a time."""

    def __init__(self, db: Db, clock: Clock, process: str, *, metrics: Metrics) -> None:
        self._db = db
        self._transactions = PartnerTransactions(db)
        self._clock = clock
        self._process = process
        self._metrics = metrics
        self._waiting: list[_Item] = []
        self.tasks: dict[asyncio.Task[None], None] = {}
        """Group commits under way, and decisions that are retried separately."""
        self._running = self._late = 0
        self._retry_turn = asyncio.Semaphore(1)
        self._count = 0
        self._listeners: list[Committed] = []

    async def idle(self, within_s: float) -> None:
        """Wait until nothing is being written, at most `within_s` seconds."""
        until_s = self._clock.monotonic_s() + within_s
        while (self._waiting or self._running) and self._clock.monotonic_s() < until_s:
            await self._clock.sleep(LOOK_S)

    def on_commit(self, listener: Committed) -> None:
        """Have `listener` called with every decision that was committed, before its flow goes on."""
        self._listeners.append(listener)

    def die(self) -> None:
        """Simulate the end of the process: waiting decisions are never written. For the simulator."""
        self._waiting.clear()
        for task in list(self.tasks):
            task.cancel()

    def stuck_s(self) -> float:
        """Return for how many seconds the oldest decision has waited without being part of a group commit."""
        return self._clock.monotonic_s() - self._waiting[0].since_s if self._waiting else 0.0

    async def commit(self, decision: Decision[S]) -> Decision[S] | None:
        """Return the decision as it was written. None: the subject had changed, nothing was written, read it again.

        A decision that `tells` comes back with the balance that was stored with its answer, if one was known.

        Raises Broken (an invariant), DbLocked (another session holds a row), DbUnfit (the database accepts no writes),
        DbDown (the database is unreachable and the outcome unknown).
        """
        self._count += 1
        done: asyncio.Future[Decision[Any] | None] = asyncio.get_running_loop().create_future()
        now_s = self._clock.monotonic_s()
        self._waiting.append(_Item(decision, f"{self._process}-{self._count}", done, now_s))
        self._start_next()
        return await done

    def _start_next(self) -> None:
        """Start a group commit unless one runs that is not late: waiting decisions gather for the next."""
        if self._waiting and self._running == self._late and self._running < MOST_AT_ONCE:
            self._running += 1
            self._start(self._run())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks[task] = None
        task.add_done_callback(lambda ended: self.tasks.pop(ended, None))

    async def _run(self) -> None:
        try:
            # One turn of the event loop, so that every runnable task can submit its decision.
            await asyncio.sleep(0)  # noqa: TID251 - yields, waits for nothing
            while self._waiting:
                items = self._waiting[:LONGEST]
                del self._waiting[:LONGEST]
                with self._watched():
                    await self._commit_items(items)
        finally:
            self._running -= 1

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Count this group commit as late from `LATE_S` on."""
        late = False

        def is_late() -> None:
            nonlocal late
            late = True
            self._late += 1
            self._start_next()

        timer = asyncio.get_running_loop().call_later(LATE_S, is_late)
        try:
            yield
        finally:
            timer.cancel()
            self._late -= late

    async def _commit_items(self, items: list[_Item]) -> None:
        bets = [s for s in items if isinstance(s.decision.after, Bet)]
        cashbacks = [s for s in items if not isinstance(s.decision.after, Bet)]
        self._metrics.observe("croupier_group_commit_size", len(items))
        for part, sql in ((bets, BETS), (cashbacks, CASHBACKS)):
            if part:
                started = self._clock.monotonic_s()
                await self._commit_kind(sorted(part, key=sql_order(sql)), sql)
                self._metrics.observe("croupier_group_commit_seconds", self._clock.monotonic_s() - started)

    async def _commit_kind(self, items: list[_Item], sql: GroupCommitSql) -> None:
        try:
            await point("group_commit.before_commit")
            won = await self._write(items, sql)
        except DbDown as error:
            await self._look_again(items, error)
        except DbLocked as error:
            await self._retry_held(items, sql, error)
        except (DbViolation, AssertionError) as error:
            if isinstance(error, DbViolation) and error.constraint == KEY:
                await self._without_held(items, sql)
                return
            if len(items) == 1:
                _fail(items[0], Broken(str(error)))
                return
            for item in items:
                await self._commit_kind([item], sql)
        except Exception as error:  # noqa: BLE001 - every decision must get an answer
            for item in items:
                _fail(item, error)
        else:
            await point("group_commit.after_commit")
            self._report(items, won)

    async def _without_held(self, items: list[_Item], sql: GroupCommitSql) -> None:
        """Commit again without those whose casino id another payment has. These are reported as lost, to be read again."""
        numbers = [numbers_of(item.decision) for item in items]
        try:
            taken = set(await self._transactions.holders([number for part in numbers for number in part]))
        except DbError as error:
            for item in items:
                _fail(item, error)
            return
        first: list[_Item] = []
        for item, wanted in zip(items, numbers, strict=True):
            if taken.isdisjoint(wanted):
                first.append(item)
                taken.update(wanted)
        if 0 < len(first) < len(items):
            await self._commit_kind(first, sql)
        for item in items:
            if not item.done.done() and (len(first) == len(items) or item not in first):
                item.done.set_result(None)

    async def _write(self, items: Sequence[_Item], sql: GroupCommitSql) -> _Won:
        text, arrays = _statement(items, sql, (self._clock.now_ms(), self._process))
        for attempt in range(RETRIES):
            try:
                rows = await self._db.commit_group(text, *arrays)
            except DbLocked:
                raise
            except DbConflict:
                if attempt == RETRIES - 1:
                    raise
            else:
                return {row["n"]: (row["told"], row["base_ms"]) for row in rows}
        raise AssertionError("unreachable")

    # --- rows that another session holds -----------------------------------------------------------------------------

    async def _retry_held(self, items: Sequence[_Item], sql: GroupCommitSql, error: DbLocked) -> None:
        """Retry decisions whose row is held separately, and commit the others now."""
        held = list(items) if len(items) == 1 else await self._held(items, sql)
        for item in held:
            self._start(self._retry_one(item, sql, error))
        left = [item for item in items if item not in held]
        if held and left:
            await self._commit_kind(left, sql)
        elif left:
            # No existing row is held: another session has not committed a birth. Halve the group to find the decision.
            half = len(left) // 2
            await self._commit_kind(left[:half], sql)
            await self._commit_kind(left[half:], sql)

    async def _held(self, items: Sequence[_Item], sql: GroupCommitSql) -> list[_Item]:
        """Return the decisions whose rows another session holds now; all of them if a whole table is locked."""
        try:
            rows = await self._db.batch_fetch(sql.held, [s.decision.after.subject_id for s in items])
        except DbLocked:
            return list(items)
        held = {row["key"] for row in rows}
        return [s for s in items if s.decision.before is not None and s.decision.after.subject_id in held]

    async def _retry_one(self, item: _Item, sql: GroupCommitSql, error: DbLocked) -> None:
        """Retry one held decision until it is written or too late; one such retry runs at a time."""
        while True:
            await self._clock.sleep(LOOK_S)
            async with self._retry_turn:
                if self._clock.monotonic_s() - item.since_s >= ASIDE_S:
                    _fail(item, error)
                    return
                try:
                    held = await self._held([item], sql)
                except DbError as trouble:
                    _fail(item, trouble)
                    return
                if not held:
                    await self._commit_kind([item], sql)
                    return

    def _report(self, items: Sequence[_Item], won: _Won) -> None:
        for n, item in enumerate(items):
            written = _written(item.decision, *won[n]) if n in won else None
            if written is not None:
                self._metrics.count("croupier_decisions_total", written.event)
                for incident in written.incidents:
                    self._metrics.count("croupier_incidents_total", incident.name)
                for listener in self._listeners:
                    listener(written)
            if not item.done.done():
                item.done.set_result(written)

    async def _look_again(self, items: Sequence[_Item], error: DbDown) -> None:
        """Query the marks in the events after a lost connection: they show whether the commit happened."""
        if isinstance(error, DbUnfit):
            for item in items:
                _fail(item, error)
            return
        keys = [(s.decision.after.subject_id, s.decision.after.version) for s in items]
        try:
            rows = await self._db.fetch(
                "select subject_id, version, mark from events"
                " join unnest($1::bigint[], $2::bigint[]) k(subject_id, version) using (subject_id, version)",
                [k[0] for k in keys],
                [k[1] for k in keys],
            )
        except DbDown:
            for item in items:
                _fail(item, error)
            return
        marks = {row["mark"] for row in rows}
        self._report(items, {n: (None, None) for n, s in enumerate(items) if s.mark in marks})


def sql_order(sql: GroupCommitSql) -> Callable[[_Item], tuple[Any, ...]]:
    """Return the sort key by which every group commit of every process locks its rows, so that no two can deadlock.

    Births come first, as in the statement, by their contended fields: another process gives the same betId another id.
    """

    def key(item: _Item) -> tuple[Any, ...]:
        after = item.decision.after
        if item.decision.before is None:
            return 0, *(getattr(after, name) for name in sql.contended)
        return 1, after.subject_id

    return key


def _written(decision: Decision[S], told: Decimal | None, base_ms: int | None) -> Decision[S]:
    """Return the decision with the balance that was stored with its answer."""
    if told is None:
        return decision
    after = evolve(decision.after, **{f"{decision.tells}_balance": int(told)})
    return evolve(decision, after=after, based_ms=base_ms)


def _fail(item: _Item, error: Exception) -> None:
    if not item.done.done():
        item.done.set_exception(error)


def _statement(items: Sequence[_Item], sql: GroupCommitSql, stamp: tuple[int, str]) -> tuple[str, list[list[Any]]]:
    """Return the statement for these decisions, and one array per parameter in its order."""
    rows: dict[str, list[tuple[Any, ...]]] = {g.name: [] for g in sql.groups}
    head = _BET_ROW if sql is BETS else _CASHBACK_ROW
    telling: set[int] = set()
    for n, item in enumerate(items):
        after = item.decision.after
        if item.decision.before is None:
            rows["born"].append((n, *head(after)))
        else:
            told = _told_with(item.decision, telling) if sql.tells else ()
            rows["moved"].append((n, *head(after), *told))
        _parts_of(n, item.decision, rows)
        _story_of(n, item, rows, stamp=stamp)
    names = tuple(group.name for group in sql.groups if rows[group.name])
    return sql.text(names), [list(column) for name in names for column in zip(*rows[name], strict=True)]


def _told_with(decision: Decision[Bet], telling: set[int]) -> tuple[str | None, int | None]:
    """Return the verb that the decision answers, and the bet's total effect on the wallet; nulls if no balance is stored.

    One balance a player and group commit: the sum of a second one would not hold the first. It is told after the commit.
    """
    after = decision.after
    if decision.tells is None or after.player_id in telling:
        return None, None
    telling.add(after.player_id)
    return decision.tells, after.net


def _parts_of(n: int, decision: Decision[Any], rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """Add the payments and calls that the decision changed: the difference between before and after."""
    before, after = decision.before, decision.after
    old_payments = before.payments if before else {}
    old_calls = before.calls if before else {}
    for kind, payment in after.payments.items():
        old_payment = old_payments.get(kind)
        if old_payment is not payment and old_payment != payment:  # most are the same object, which is cheaper to see
            rows["pay"].append((n, after.player_id, *_PAYMENT_ROW(payment)))
    for payment in decision.named:
        rows["number"].append((n, after.casino_id, payment.partner_tx, payment.subject_id, payment.kind.value))
    for slot, call in after.calls.items():
        old_call = old_calls.get(slot)
        if old_call is not call and old_call != call:
            rows["call"].append((n, after.subject_id, after.casino_id, *_CALL_ROW(call)))
    rows["gone"].extend((n, after.subject_id, slot) for slot in old_calls if slot not in after.calls)


def _story_of(n: int, item: _Item, rows: dict[str, list[tuple[Any, ...]]], *, stamp: tuple[int, str]) -> None:
    """Add the ledger entries, the event row and the incidents."""
    decision, (now_ms, process) = item.decision, stamp
    after = decision.after
    key = after.subject_id
    for e in decision.entries:
        rows["entry"].append(
            (n, key, e.source, e.target, e.amount, e.currency, e.why, decision.author, after.version, now_ms)
        )
    detail = _DETAIL(decision.detail) if decision.detail else "{}"
    rows["event"].append(
        (n, key, after.version, now_ms, decision.event, after.state.value, detail, decision.author, process, item.mark)
    )
    rows["incident"].extend((n, key, i.name, i.note, now_ms, now_ms) for i in decision.incidents)
