"""The queue of next actions: who takes up what is due.

A call is taken under a lease. Taking it raises its fence and the version of its bet or cashback, so that a
decision which was computed under an older lease loses its conditional update and learns it. Rows that a
commit train holds are skipped, never waited for: the two cannot deadlock.

Owns: taking up, and giving back what dead processes held. Never: performs a call (flows.courier).
Spec: money.md 4 ("Hub: killed between any two steps").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from croupier.store.db import Db, Row

_TAKE = """
with due as materialized (
    select c.subject_id, c.slot from calls c join {table} s on s.{key} = c.subject_id
    where c.ready_ms <= $1 and c.casino_id <> all($5::bigint[]) order by c.ready_ms limit $4 for update of s, c skip locked),
bumped as (
    update {table} s set version = s.version + 1
    where s.{key} in (select subject_id from due)),
taken as (
    update calls c set lease_owner = $2, lease_until_ms = $3, fence = c.fence + 1,
        crashes = c.crashes + case when c.lease_owner is null then 0 else 1 end
    from due where c.subject_id = due.subject_id and c.slot = due.slot
    returning c.subject_id, c.slot, c.fence, c.casino_id)
select * from taken order by subject_id, slot"""

_TAKE_BETS = _TAKE.format(table="bets", key="bet_id")
_TAKE_CASHBACKS = _TAKE.format(table="cashbacks", key="cashback_id")


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that is ours until its lease runs out."""

    subject_id: int
    slot: str
    fence: int
    casino_id: int
    cashback: bool


def _taken(row: Row, *, cashback: bool) -> Taken:
    return Taken(row["subject_id"], row["slot"], row["fence"], row["casino_id"], cashback)


class Calls:
    """Takes up due calls."""

    def __init__(self, db: Db, process: str) -> None:
        self._db = db
        self._process = process

    async def take(self, now_ms: int, lease_until_ms: int, most: int, busy: Sequence[int]) -> list[Taken]:
        """Lease up to `most` due calls of bets, and as many of cashbacks, leaving out `busy` casinos."""
        args = (now_ms, self._process, lease_until_ms, most, list(busy))
        bets = await self._db.train_fetch(_TAKE_BETS, *args)
        cashbacks = await self._db.train_fetch(_TAKE_CASHBACKS, *args)
        return [_taken(row, cashback=False) for row in bets] + [_taken(row, cashback=True) for row in cashbacks]

    async def next_ready_ms(self) -> int | None:
        """When the earliest call is due or loses its lease; None when the queue is empty."""
        row = await self._db.fetchrow("select min(ready_ms) as ready_ms from calls")
        return None if row is None else row["ready_ms"]

    async def free(self, processes: Sequence[str], now_ms: int) -> int:
        """Give back what dead processes held, so that it is taken up at once; returns how many calls."""
        rows = await self._db.fetch(
            "update calls set lease_until_ms = $2 where lease_owner = any($1::text[]) and lease_until_ms > $2"
            " returning subject_id",
            list(processes),
            now_ms,
        )
        return len(rows)

    async def waiting(self, casino_id: int | None = None) -> int:
        """How many calls the queue holds."""
        row = await self._db.fetchrow(
            "select count(*) as n from calls where $1::bigint is null or casino_id = $1", casino_id
        )
        assert row is not None
        return int(row["n"])
