"""Comparisons of bets with their casino's list: those made, and those due.

Owns: the rows of `comparisons`, the drawing of the sample, the queries for the next comparisons. Never: queries a
casino, judges. All instants are milliseconds. Spec: money.md 8.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.store.db import Db
from croupier.store.money.standing import STANDING_BETS, UNDECIDED_PAYMENTS

FIRST_MS = 30_000
"""Age at which a payment without an outcome is compared."""
SLICE_MS = 600_000
SETTLED_MS = 60_000
"""Time between a bet's end and its comparison: by then the casino's list is complete."""
_AGAIN = """
(k.at_ms is null or $2::bigint >= least({since} + 2 * greatest(k.at_ms - {since}, 30000), k.at_ms + 3600000))"""

# A bet's stake is queried by its own schedule from 30 s on, and so is every payment that waits for payments/info.
_UNKNOWN = f"""
select distinct c.subject_id from calls c join payments p on p.subject_id = c.subject_id and p.kind = c.slot
left join comparisons k on k.subject_id = c.subject_id
where c.casino_id = $1 and c.step <> 'info' and p.state in {UNDECIDED_PAYMENTS}
and p.kind not in ('stake', 'cashback', 'cashback_cancel') and p.created_ms <= $2::bigint - {FIRST_MS}
and {_AGAIN.format(since="p.created_ms")} order by 1 limit $3"""
_PARKED = f"""
select b.bet_id as subject_id from incidents i join bets b on b.bet_id = i.subject_id
left join comparisons k on k.subject_id = b.bet_id
where i.closed_ms is null and i.name = 'parked' and b.casino_id = $1
and {_AGAIN.format(since="i.first_ms")} order by 1 limit $3"""
_OPEN_LONG = f"""
select b.bet_id as subject_id from bets b left join games g using (game_id)
left join comparisons k on k.subject_id = b.bet_id
where b.state in {STANDING_BETS} and b.created_ms <= $2::bigint - 1000 * coalesce(g.open_s, $4::int)
and b.casino_id = $1 and {_AGAIN.format(since="b.created_ms")} order by b.created_ms limit $3"""
# A bet is over when it is in one of these states and each of its payments has an outcome.
_END_MS = f"""
(select case when bool_or(p.state in {UNDECIDED_PAYMENTS}) then null
    else greatest(max(p.decided_ms), b.ended_ms, b.created_ms) end from payments p where p.subject_id = b.bet_id)"""
_OVER = "('settled', 'returned', 'disputed', 'refused', 'expired', 'cancelled')"
_WANTED = f"""
select subject_id from (
    select k.subject_id, k.at_ms, {_END_MS} as end_ms from comparisons k join bets b on b.bet_id = k.subject_id
    where k.wanted and k.casino_id = $1 and b.state in {_OVER}) k
where k.end_ms <= $2::bigint - {SETTLED_MS} and {_AGAIN.format(since="k.end_ms")} order by 1 limit $3"""
_DAY = """
select bet_id as subject_id from bets
where casino_id = $1 and created_ms >= $2 and created_ms < $3 order by bet_id"""
_OPEN_WINDOW = f"""
select bet_id as subject_id, casino_id from bets where state in {STANDING_BETS}
and ($1::bigint is null or casino_id = $1)
union select c.subject_id, c.casino_id from calls c join bets b on b.bet_id = c.subject_id
where c.slot <> 'close' and ($1::bigint is null or c.casino_id = $1) order by 1"""
_CASHBACKS = """
select count(*) from cashbacks where ($1::bigint is null or casino_id = $1)
and created_ms >= $2 and created_ms < $3"""
# A wish is fulfilled by a comparison with a usable list, requested after the bet was over.
_NOTE = f"""
insert into comparisons as k (subject_id, casino_id, at_ms, result, why, times) values ($1, $2, $3, $4, $5, 1)
on conflict (subject_id) do update
set at_ms = excluded.at_ms, result = excluded.result, why = excluded.why, times = k.times + 1,
    wanted = k.wanted and not (excluded.result <> 'unusable' and exists (
        select from bets b where b.bet_id = k.subject_id and b.state in {_OVER}
        and {_END_MS} <= excluded.at_ms - {SETTLED_MS}))"""
# The draw is unpredictable: its seed is new for each slice of time, and no casino sees it.
_DRAW = """
insert into comparisons (subject_id, casino_id, result, times, wanted)
select bet_id, casino_id, 'drawn', 0, true from bets where created_ms >= $1 and created_ms < $2 and state <> 'tombstone'
and (hashint8extended(bet_id, $3) & 1048575) * 10000 < $4::bigint * 1048576 order by bet_id
on conflict (subject_id) do update set wanted = true"""
_STAND = "select mark_ms from turns where name = 'sample'"
_ADVANCE = """
insert into turns (name, owner, until_ms, mark_ms) values ('sample', '', 0, $1)
on conflict (name) do update set mark_ms = excluded.mark_ms"""


@dataclass(frozen=True, slots=True)
class Want:
    """Limits of one round of comparisons with one casino: the most bets of each sort."""

    casino_id: int
    now_ms: int
    most: int
    open_s: int
    """Time that a bet may be open if its game sets none; seconds."""


class Comparisons:
    """The comparisons made and due."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def due(self, want: Want) -> list[int]:
        """Return the BetIds to compare now: payments without an outcome, parked ones, bets open for too long, the sample, and bets
        of which a try went unanswered (their payments' trigger wants them compared once they are over).
        """
        args = (want.casino_id, want.now_ms, want.most)
        rows = [*await self._db.fetch(_UNKNOWN, *args), *await self._db.fetch(_PARKED, *args)]
        rows += await self._db.fetch(_OPEN_LONG, *args, want.open_s)
        rows += await self._db.fetch(_WANTED, *args)
        return list(dict.fromkeys(row["subject_id"] for row in rows))[: want.most]

    async def of_day(self, casino_id: int, start_ms: int, end_ms: int) -> list[int]:
        """Return every bet of the casino that was made in [start, end)."""
        return [row["subject_id"] for row in await self._db.fetch(_DAY, casino_id, start_ms, end_ms)]

    async def open_window(self, casino_id: int | None) -> list[tuple[int, int]]:
        """Return every bet that is not over, with its casino: standing, or with a payment that has no outcome."""
        return [(row["subject_id"], row["casino_id"]) for row in await self._db.fetch(_OPEN_WINDOW, casino_id)]

    async def cashbacks(self, casino_id: int | None, start_ms: int, end_ms: int) -> int:
        """Return how many cashbacks were made in [start, end): no call can query them."""
        return int(await self._db.fetchval(_CASHBACKS, casino_id, start_ms, end_ms))

    async def note(self, subject_id: int, casino_id: int, at_ms: int, *, result: str, why: str | None) -> None:
        """Store the result of a comparison."""
        await self._db.execute(_NOTE, subject_id, casino_id, at_ms, result, why)

    async def draw(self, before_ms: int, seed: int, share_bp: int) -> int:
        """Draw the sample among bets made up to `before_ms`, a slice of time at most; returns how many were drawn.

        A first draw begins a slice before it. `share_bp` is in hundredths of a percent.
        """
        since_ms = await self._db.fetchval(_STAND) or before_ms - SLICE_MS
        until_ms = min(before_ms, since_ms + SLICE_MS)
        if until_ms <= since_ms:
            return 0
        drawn = await self._db.execute(_DRAW, since_ms, until_ms, seed, share_bp)
        await self._db.execute(_ADVANCE, until_ms)
        return drawn
