"""The queue of next actions: leasing the due calls.

A call is taken under a lease. Leasing raises its fence and the version of its bet or cashback, so that a
decision computed under an older lease loses its conditional update. Rows that a group commit has locked are skipped,
never waited for: the two cannot deadlock.

Owns: taking leases, and releasing those of dead processes. Never: performs a call (flows.dispatcher).
Spec: money.md 4.4 ("killed between any two steps").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from croupier.store.db import Db, Row
from croupier.store.money.standing import UNDECIDED_PAYMENTS

_DUE = """
due_{table} as materialized (
    select c.subject_id, c.slot, c.lease_owner is not null and c.step = 'make' as unheard
    from heads h join calls c using (subject_id, slot) join {table} s on s.{key} = c.subject_id
    where c.ready_ms <= $1 for update of s, c skip locked),
bumped_{table} as (
    update {table} s set version = s.version + 1
    where s.{key} in (select subject_id from due_{table}))"""

# First which lines there are, each found behind the one before by the index; then the head of each that has room. A make
# that somebody else had leased may have left: its payment remembers for good that it went unanswered. The last row is no
# call: it says when the next one is ready that could be taken, whatever waits behind a full line.
_TAKE = f"""
with recursive lines as (
    (select casino_id, work from calls order by casino_id, work limit 1)
    union all
    select n.casino_id, n.work from lines l cross join lateral (
        select c.casino_id, c.work from calls c where (c.casino_id, c.work) > (l.casino_id, l.work)
        order by c.casino_id, c.work limit 1) n),
rooms as materialized (
    select l.casino_id, l.work, case l.work when 'none' then $4::int else $5::int - coalesce(b.n, 0) end as room
    from lines l left join unnest($6::bigint[], $7::text[], $8::int[]) b(casino_id, work, n) using (casino_id, work)),
heads as materialized (
    select h.subject_id, h.slot, h.ready_ms from rooms r cross join lateral (
        select c.subject_id, c.slot, c.ready_ms from calls c
        where c.casino_id = r.casino_id and c.work = r.work and c.ready_ms <= $1
        order by c.ready_ms, c.subject_id, c.slot limit greatest(r.room, 0)) h
    order by h.ready_ms, h.subject_id, h.slot limit $4::int),
{_DUE.format(table="bets", key="bet_id")}, {_DUE.format(table="cashbacks", key="cashback_id")},
due as materialized (
    select subject_id, slot, unheard, false as cashback from due_bets
    union all select subject_id, slot, unheard, true from due_cashbacks),
doubted as (
    update payments p set unanswered = true
    from due where due.unheard and p.subject_id = due.subject_id and p.kind = due.slot and not p.unanswered),
taken as (
    update calls c set lease_owner = $2, lease_until_ms = $3, fence = c.fence + 1
    from due where c.subject_id = due.subject_id and c.slot = due.slot
    returning c.subject_id, c.slot, c.fence, c.casino_id, c.work, due.cashback)
(select subject_id, slot, fence, casino_id, work, cashback, null::bigint as ready_ms from taken
    order by cashback, subject_id, slot)
union all
(select null, null, null, null, null, null, min(x.ready_ms) from (
    select (select c.ready_ms from calls c where c.casino_id = r.casino_id and c.work = r.work and c.ready_ms > $1
        order by c.ready_ms limit 1) as ready_ms from rooms r where r.room > 0
    union all
    select h.ready_ms from heads h
    where not exists (select from due d where d.subject_id = h.subject_id and d.slot = h.slot)) x)"""

_LET_GO = """
update calls set lease_owner = null, lease_until_ms = $5
where subject_id = $1 and slot = $2 and fence = $3 and lease_owner = $4 returning step"""
_DOUBT = "update payments set unanswered = true where subject_id = $1 and kind = $2 and not unanswered"

DOUBT_ALL = f"""
with doubted as materialized (
    select p.subject_id, p.kind from calls c join payments p on p.subject_id = c.subject_id and p.kind = c.slot
    where p.state in {UNDECIDED_PAYMENTS} and not p.unanswered),
b as (update bets set version = version + 1 where bet_id in (select subject_id from doubted)),
k as (update cashbacks set version = version + 1 where cashback_id in (select subject_id from doubted))
update payments p set unanswered = true from doubted d where p.subject_id = d.subject_id and p.kind = d.kind"""
"""After a restore, later tries are lost: a refusal alone may end no payment without an outcome."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that this process holds until its lease runs out."""

    subject_id: int
    slot: str
    fence: int
    casino_id: int
    cashback: bool
    work: str
    """The kind of work (core.work)."""


def _taken(row: Row) -> Taken:
    return Taken(row["subject_id"], row["slot"], row["fence"], row["casino_id"], row["cashback"], row["work"])


class Calls:
    """Leases of due calls."""

    def __init__(self, db: Db, process: str) -> None:
        self._db = db
        self._process = process

    async def take(
        self, now_ms: int, lease_until_ms: int, most: int, *, busy: Mapping[tuple[int, str], int], each: int
    ) -> tuple[list[Taken], int | None]:
        """Lease up to `most` due calls: of one casino's work of one kind no more than `each`, less its count in `busy`.

        Work without a casino has no such bound. Also returns when the earliest other call that `busy` allows is ready;
        None if there is none. The cost does not grow with the number of waiting calls.
        """
        lines = list(busy)
        rows = await self._db.batch_fetch(
            _TAKE,
            now_ms,
            self._process,
            lease_until_ms,
            most,
            each,
            [casino_id for casino_id, _ in lines],
            [work for _, work in lines],
            [busy[line] for line in lines],
        )
        ready = [row["ready_ms"] for row in rows if row["subject_id"] is None and row["ready_ms"] is not None]
        return [_taken(row) for row in rows if row["subject_id"] is not None], min(ready, default=None)

    async def free(self, gone: Sequence[str], now_ms: int, *, silent: Sequence[str] = ()) -> int:
        """Release the calls of dead processes, so that they are taken at once. Returns how many were still leased.

        A call may have ended its process, so it is counted before the next try: once for a process that is `gone`, and
        for a `silent` one as long as it has the lease.
        """
        rows = await self._db.fetch(
            "with theirs as (select subject_id, slot, lease_until_ms > $3 as held from calls"
            " where lease_owner = any($1::text[]) or (lease_owner = any($2::text[]) and lease_until_ms > $3) for update)"
            " update calls c set lease_until_ms = least(lease_until_ms, $3), crashes = crashes + 1"
            " from theirs t where (c.subject_id, c.slot) = (t.subject_id, t.slot) returning t.held",
            list(gone),
            list(silent),
            now_ms,
        )
        return sum(row["held"] for row in rows)

    async def give_back(self, now_ms: int) -> int:
        """Release the calls of this process at its orderly end, which counts as no crash. Returns how many.

        The owner's name stays, so that the next owner knows that the call may have been sent.
        """
        sql = "update calls set lease_until_ms = $2 where lease_owner = $1 and lease_until_ms > $2"
        return await self._db.execute(sql, self._process, now_ms)

    async def let_go(self, subject_id: int, slot: str, fence: int, *, until_ms: int, left: bool) -> bool:
        """Release one call: any process may take it from `until_ms` on. It counts as no crash.

        `left`: it may have been sent and its outcome is not written, so its payment records an unanswered try.
        Returns False if this process no longer holds it under this fence.
        """
        async with self._db.transaction() as tx:
            if left:
                # The subject is locked first, as in a group commit. An earlier decision loses its race and is computed again.
                await tx.execute("update bets set version = version + 1 where bet_id = $1", subject_id)
                await tx.execute("update cashbacks set version = version + 1 where cashback_id = $1", subject_id)
            rows = await tx.fetch(_LET_GO, subject_id, slot, fence, self._process, until_ms)
            if left and any(row["step"] == "make" for row in rows):
                await tx.execute(_DOUBT, subject_id, slot)
        return bool(rows)

    async def waiting(self, casino_id: int | None = None) -> int:
        """Return the number of calls in the queue."""
        row = await self._db.fetchrow(
            "select count(*) as n from calls where $1::bigint is null or casino_id = $1", casino_id
        )
        assert row is not None
        return int(row["n"])
