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

_DUE = """
due_{table} as materialized (
    select c.subject_id, c.slot, c.lease_owner is not null and c.step = 'make' as unheard
    from calls c join {table} s on s.{key} = c.subject_id
    where c.ready_ms <= $1 and c.casino_id <> all($5::bigint[]) order by c.ready_ms, c.subject_id, c.slot limit $4
    for update of s, c skip locked),
bumped_{table} as (
    update {table} s set version = s.version + 1
    where s.{key} in (select subject_id from due_{table}))"""

# A make that somebody else had leased may have left: its payment remembers for good that it went unanswered.
# The last row is no call: it says when the next one is ready that is not taken here.
_TAKE = f"""
with {_DUE.format(table="bets", key="bet_id")}, {_DUE.format(table="cashbacks", key="cashback_id")},
due as materialized (
    select subject_id, slot, unheard, false as cashback from due_bets
    union all select subject_id, slot, unheard, true from due_cashbacks),
doubted as (
    update payments p set unanswered = true
    from due where due.unheard and p.subject_id = due.subject_id and p.kind = due.slot and not p.unanswered),
taken as (
    update calls c set lease_owner = $2, lease_until_ms = $3, fence = c.fence + 1,
        crashes = c.crashes + case when c.lease_owner is null then 0 else 1 end
    from due where c.subject_id = due.subject_id and c.slot = due.slot
    returning c.subject_id, c.slot, c.fence, c.casino_id, due.cashback)
(select subject_id, slot, fence, casino_id, cashback, null::bigint as ready_ms from taken
    order by cashback, subject_id, slot)
union all
(select null, null, null, null, null, c.ready_ms from calls c
    where not exists (select from due d where d.subject_id = c.subject_id and d.slot = c.slot)
    order by c.ready_ms limit 1)"""

_LET_GO = """
update calls set lease_owner = null, lease_until_ms = $5
where subject_id = $1 and slot = $2 and fence = $3 and lease_owner = $4 returning step"""
_DOUBT = "update payments set unanswered = true where subject_id = $1 and kind = $2 and not unanswered"

DOUBT_ALL = """
with doubted as materialized (
    select p.subject_id, p.kind from calls c join payments p on p.subject_id = c.subject_id and p.kind = c.slot
    where p.state in ('created', 'sent') and not p.unanswered),
b as (update bets set version = version + 1 where bet_id in (select subject_id from doubted)),
k as (update cashbacks set version = version + 1 where cashback_id in (select subject_id from doubted))
update payments p set unanswered = true from doubted d where p.subject_id = d.subject_id and p.kind = d.kind"""
"""Tries that left after a backup are forgotten: nothing without an outcome may be ended by a refusal alone."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that is ours until its lease runs out."""

    subject_id: int
    slot: str
    fence: int
    casino_id: int
    cashback: bool


def _taken(row: Row) -> Taken:
    return Taken(row["subject_id"], row["slot"], row["fence"], row["casino_id"], row["cashback"])


class Calls:
    """Takes up due calls."""

    def __init__(self, db: Db, process: str) -> None:
        self._db = db
        self._process = process

    async def take(
        self, now_ms: int, lease_until_ms: int, most: int, busy: Sequence[int]
    ) -> tuple[list[Taken], int | None]:
        """Lease up to `most` due calls of bets, and as many of cashbacks, leaving out `busy` casinos.

        With them comes when the earliest of all other calls is due or loses its lease; None if there is none.
        """
        rows = await self._db.train_fetch(_TAKE, now_ms, self._process, lease_until_ms, most, list(busy))
        ready = [row["ready_ms"] for row in rows if row["subject_id"] is None]
        return [_taken(row) for row in rows if row["subject_id"] is not None], min(ready, default=None)

    async def free(self, processes: Sequence[str], now_ms: int) -> int:
        """Give back what dead processes held, so that it is taken up at once; returns how many calls."""
        rows = await self._db.fetch(
            "update calls set lease_until_ms = $2 where lease_owner = any($1::text[]) and lease_until_ms > $2"
            " returning subject_id",
            list(processes),
            now_ms,
        )
        return len(rows)

    async def let_go(self, subject_id: int, slot: str, fence: int, *, until_ms: int, left: bool) -> bool:
        """Give a call of ours back: anybody may take it from `until_ms` on. It counts as no crash.

        `left`: it may have been sent, and what came of it is not written: then its payment remembers that a try went
        unanswered. False if it is no longer ours under this fence.
        """
        async with self._db.transaction() as tx:
            if left:
                # First the subject, as a train does. A decision from before this loses its race and reads again.
                await tx.execute("update bets set version = version + 1 where bet_id = $1", subject_id)
                await tx.execute("update cashbacks set version = version + 1 where cashback_id = $1", subject_id)
            rows = await tx.fetch(_LET_GO, subject_id, slot, fence, self._process, until_ms)
            if left and any(row["step"] == "make" for row in rows):
                await tx.execute(_DOUBT, subject_id, slot)
        return bool(rows)

    async def waiting(self, casino_id: int | None = None) -> int:
        """How many calls the queue holds."""
        row = await self._db.fetchrow(
            "select count(*) as n from calls where $1::bigint is null or casino_id = $1", casino_id
        )
        assert row is not None
        return int(row["n"])
