"""The commit train: the one door through which money is written.

Flows hand over decisions; the train gathers what waits, sorts it by key, and commits it with one statement.
A decision that lost its race is told so and has written nothing. No delay is added: an idle database takes a
train of one at once, under load a train is what gathered while the last one committed.

If a statement fails, its decisions run singly, so that one bad decision cannot take others with it. If the
connection is lost, each decision's mark is looked for before anything else: never re-run blindly.

Owns: the queue, the batches, that recovery. Never: decides. Spec: money.md 3 and 4 ("connection lost in
COMMIT"), house "commit train".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from croupier.core.bet import Bet
from croupier.core.draft import Decision
from croupier.kit.clock import Clock
from croupier.kit.metrics import Metrics
from croupier.kit.point import point
from croupier.store.db import Db, DbConflict, DbDown, DbViolation
from croupier.store.rows import BET, CALL, CASHBACK, PAYMENT, to_row
from croupier.store.train_sql import BETS, CASHBACKS, TrainSql

LONGEST = 200
RETRIES = 5


class Broken(Exception):
    """The database refused a single decision: an invariant would not have held. A bug; nothing was written."""


@dataclass(slots=True)
class _Seat:
    decision: Decision[Any]
    mark: str
    done: asyncio.Future[bool]


Committed = Callable[[Decision[Any]], None]


class Train:
    """Commits decisions of this process, in order of arrival, many at a time."""

    def __init__(self, db: Db, clock: Clock, process: str, metrics: Metrics) -> None:
        self._db = db
        self._clock = clock
        self._process = process
        self._metrics = metrics
        self._waiting: list[_Seat] = []
        self.running: asyncio.Task[None] | None = None
        self._count = 0
        self._listeners: list[Committed] = []

    def on_commit(self, listener: Committed) -> None:
        """Have `listener` called with every decision that was committed, before its flow goes on."""
        self._listeners.append(listener)

    def die(self) -> None:
        """The process is gone: what waits is never written. For the simulator."""
        self._waiting.clear()
        if self.running is not None:
            self.running.cancel()

    async def commit(self, decision: Decision[Any]) -> bool:
        """Whether the decision was written. False: the subject had changed, nothing was written, read again.

        Raises Broken (an invariant), DbDown (the database is away and it is not known what it holds).
        """
        self._count += 1
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Seat(decision, f"{self._process}-{self._count}", done))
        if self.running is None:
            self.running = asyncio.get_running_loop().create_task(self._run())
        return await done

    async def _run(self) -> None:
        try:
            # One turn of the loop, so that everything that is runnable now can board.
            await asyncio.sleep(0)  # noqa: TID251 - yields, waits for nothing
            while self._waiting:
                seats = self._waiting[:LONGEST]
                del self._waiting[:LONGEST]
                await self._leave(seats)
        finally:
            self.running = None

    async def _leave(self, seats: list[_Seat]) -> None:
        bets = [s for s in seats if isinstance(s.decision.after, Bet)]
        cashbacks = [s for s in seats if not isinstance(s.decision.after, Bet)]
        bets.sort(key=lambda s: s.decision.after.bet_id)
        cashbacks.sort(key=lambda s: s.decision.after.cashback_id)
        self._metrics.observe("croupier_train_size", len(seats))
        for part, sql in ((bets, BETS), (cashbacks, CASHBACKS)):
            if part:
                started = self._clock.monotonic_s()
                await self._carry(part, sql)
                self._metrics.observe("croupier_train_seconds", self._clock.monotonic_s() - started)

    async def _carry(self, seats: list[_Seat], sql: TrainSql) -> None:
        try:
            await point("train.before_commit")
            won = await self._write(seats, sql)
        except DbDown as error:
            await self._look_again(seats, error)
        except (DbViolation, AssertionError) as error:
            if len(seats) == 1:
                _fail(seats[0], Broken(str(error)))
                return
            for seat in seats:
                await self._carry([seat], sql)
        except Exception as error:  # noqa: BLE001 - a seat must never be left without an answer
            for seat in seats:
                _fail(seat, error)
        else:
            await point("train.after_commit")
            self._tell(seats, won)

    async def _write(self, seats: Sequence[_Seat], sql: TrainSql) -> set[int]:
        text, arrays = _statement(seats, sql, (self._clock.now_ms(), self._process))
        for attempt in range(RETRIES):
            try:
                rows = await self._db.commit_train(text, *arrays)
            except DbConflict:
                if attempt == RETRIES - 1:
                    raise
            else:
                return {row["n"] for row in rows}
        raise AssertionError("unreachable")

    def _tell(self, seats: Sequence[_Seat], won: set[int]) -> None:
        for n, seat in enumerate(seats):
            if n in won:
                self._metrics.count("croupier_decisions_total", seat.decision.event)
                for incident in seat.decision.incidents:
                    self._metrics.count("croupier_incidents_total", incident.name)
                for listener in self._listeners:
                    listener(seat.decision)
            if not seat.done.done():
                seat.done.set_result(n in won)

    async def _look_again(self, seats: Sequence[_Seat], error: DbDown) -> None:
        """The connection was lost: our mark in the events tells whether the commit happened."""
        keys = [(s.decision.after.subject_id, s.decision.after.version) for s in seats]
        try:
            rows = await self._db.fetch(
                "select subject_id, version, mark from events"
                " join unnest($1::bigint[], $2::bigint[]) k(subject_id, version) using (subject_id, version)",
                [k[0] for k in keys],
                [k[1] for k in keys],
            )
        except DbDown:
            for seat in seats:
                _fail(seat, error)
            return
        marks = {row["mark"] for row in rows}
        self._tell(seats, {n for n, s in enumerate(seats) if s.mark in marks})


def _fail(seat: _Seat, error: Exception) -> None:
    if not seat.done.done():
        seat.done.set_exception(error)


def _statement(seats: Sequence[_Seat], sql: TrainSql, stamp: tuple[int, str]) -> tuple[str, list[list[Any]]]:
    """The statement for what travels, and one array per parameter in its order."""
    rows: dict[str, list[list[Any]]] = {g.name: [] for g in sql.groups}
    head = BET if sql is BETS else CASHBACK
    for n, seat in enumerate(seats):
        after = seat.decision.after
        rows["born" if seat.decision.before is None else "moved"].append([n, *to_row(after, head)])
        _parts_of(n, seat.decision, rows)
        _story_of(n, seat, rows, stamp)
    names = tuple(group.name for group in sql.groups if rows[group.name])
    return sql.text(names), [list(column) for name in names for column in zip(*rows[name], strict=True)]


def _parts_of(n: int, decision: Decision[Any], rows: dict[str, list[list[Any]]]) -> None:
    """Payments and calls that the decision changed: the difference between before and after."""
    before, after = decision.before, decision.after
    old_payments = before.payments if before else {}
    old_calls = before.calls if before else {}
    for kind, payment in after.payments.items():
        if old_payments.get(kind) != payment:
            rows["pay"].append([n, after.player_id, *to_row(payment, PAYMENT)])
    for slot, call in after.calls.items():
        if old_calls.get(slot) != call:
            rows["call"].append([n, after.subject_id, after.casino_id, *to_row(call, CALL)])
    rows["gone"].extend([n, after.subject_id, slot] for slot in old_calls if slot not in after.calls)


def _story_of(n: int, seat: _Seat, rows: dict[str, list[list[Any]]], stamp: tuple[int, str]) -> None:
    """Entries, the event row and incidents."""
    decision, (now_ms, process) = seat.decision, stamp
    after = decision.after
    key = after.subject_id
    for e in decision.entries:
        rows["entry"].append(
            [n, key, e.source, e.target, e.amount, e.currency, e.why, decision.author, after.version, now_ms]
        )
    detail = json.dumps(decision.detail, separators=(",", ":"))
    rows["event"].append(
        [n, key, after.version, now_ms, decision.event, after.state.value, detail, decision.author, process, seat.mark]
    )
    rows["incident"].extend([n, key, i.name, i.note, now_ms, now_ms] for i in decision.incidents)
