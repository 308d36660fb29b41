"""The rows of recovery mode: its beginning, the window of bets to compare, its progress, its end.

Owns: the rows of `recoveries`, `recovery_bets` and `recovery_probes`; that ids and beat jump in the commit that begins a
recovery, and that there is one at a time. Never: decides to begin one, queries a casino. Spec: money.md 4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from croupier.core.recovery import BEATS_AHEAD
from croupier.kit.clock import Clock
from croupier.store.db import Db, Row
from croupier.store.money.calls import DOUBT_ALL
from croupier.store.money.standing import STANDING_BETS

_COLUMNS = """
recovery_id, why, begun_by, begun_ms, since_ms, ids_from, ids_to, ids_next, ended_ms, ended_by, end_reason,
array(select e.casino_id from recovery_ends e where e.recovery_id = recoveries.recovery_id order by 1) as done_casinos"""
_ACTIVE = f"select {_COLUMNS} from recoveries where ended_ms is null"
_LAST = f"select {_COLUMNS} from recoveries order by recovery_id desc limit 1"
# The birth of one of the last bets is close enough, and never too late.
_LAST_COMMIT = "select max(created_ms) from (select created_ms from bets order by bet_id desc limit 1000) newest"
_BEGIN = f"""
insert into recoveries (why, begun_by, begun_ms, since_ms, ids_from, ids_to, ids_next)
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning {_COLUMNS}"""
_JUMP = "select setval('money_ids', greatest($1::bigint, (select last_value from money_ids)), false)"
_REBORN = "update installation set birthplace = $1, beat = greatest(beat, $2::bigint) + $3::bigint"
# Every part is found by an index: standing bets, calls under way, payments held for review, recent changes.
_WINDOW = f"""
insert into recovery_bets (recovery_id, subject_id, casino_id)
select $1, b.bet_id, b.casino_id from bets b join (
    select bet_id from bets where state in {STANDING_BETS}
    union select bet_id from bets where created_ms >= $2
    union select subject_id from calls
    union select subject_id from incidents where closed_ms is null
    union select subject_id from ledger where at_ms >= $2) w using (bet_id)
on conflict do nothing"""
_LEFT = """
select subject_id from recovery_bets where recovery_id = $1 and casino_id = $2 and done_ms is null
order by subject_id limit $3"""
_DONE = "update recovery_bets set done_ms = $3 where recovery_id = $1 and subject_id = $2 and done_ms is null"
_PROBE = """
insert into recovery_probes as p (recovery_id, casino_id, next_id) values ($1, $2, $3)
on conflict (recovery_id, casino_id) do update set next_id = greatest(p.next_id, excluded.next_id)"""
_NEXT = """
select coalesce((select next_id from recovery_probes where recovery_id = $1 and casino_id = $2), $3::bigint)"""
_LOST = """
select id from generate_series($1::bigint, $2::bigint) id
where not exists (select from bets where bet_id = id) and not exists (select from cashbacks where cashback_id = id)
order by id limit $3"""
_FURTHER = """
insert into recovery_probes as p (recovery_id, casino_id, next_id, ids_to) values ($1, $2, $3, $4)
on conflict (recovery_id, casino_id) do update set ids_to = greatest(p.ids_to, excluded.ids_to)"""
_ENDS_AT = "select greatest($3::bigint, (select ids_to from recovery_probes where recovery_id = $1 and casino_id = $2))"
# If a casino was queried for every lost id, a provider's word alone about one of its bets proves nothing: it is shown,
# and delays no casino.
_BY_CASINO = """
select a.casino_id, a.name as casino, a.info, count(r.subject_id) as bets, count(r.done_ms) as compared,
    coalesce(min(p.next_id), $2::bigint) as next_id, greatest(min(p.ids_to), $3::bigint) as ids_to,
    count(b.bet_id) as standing,
    (select count(*) from findings f where f.casino_id = a.casino_id and f.closed_ms is null and f.name = 'unknown_bet'
        and f.last_ms >= $4 and (f.subject_id > 0 or not a.info)) as lost_bets,
    exists (select from recovery_ends e where e.recovery_id = $1 and e.casino_id = a.casino_id) as done
from (select casino_id, name, coalesce((profile->>'info')::boolean, true) as info from casinos) a
left join recovery_bets r on r.casino_id = a.casino_id and r.recovery_id = $1
left join bets b on b.bet_id = r.subject_id and b.state in ('asked', 'unclaimed')
left join recovery_probes p on p.casino_id = a.casino_id and p.recovery_id = $1
group by 1, 2, 3 order by 1"""
_END_CASINO = """
insert into recovery_ends (recovery_id, casino_id, ended_ms, ended_by, end_reason)
select recovery_id, $2, $3, $4, $5 from recoveries where recovery_id = $1 and ended_ms is null
on conflict do nothing"""
_END = """
update recoveries set ended_ms = $2, ended_by = $3, end_reason = $4 where recovery_id = $1 and ended_ms is null"""


@dataclass(frozen=True, slots=True)
class Recovery:
    """One recovery; it is on while `ended_ms` is None."""

    recovery_id: int
    why: str
    begun_by: str
    begun_ms: int
    since_ms: int
    ids_from: int
    ids_to: int
    ids_next: int
    ended_ms: int | None
    ended_by: str | None
    end_reason: str | None
    done_casinos: tuple[int, ...] = ()
    """Casinos whose part is over: they take new bets."""

    def holds(self, casino_id: int) -> bool:
        """Return whether this casino's part is still open."""
        return self.ended_ms is None and casino_id not in self.done_casinos


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of a new recovery."""

    why: str
    by: str
    since_ms: int | None
    """None: the last commit that the database holds."""
    look_back_ms: int
    """Time before it: bets that were made or ended within it are compared too."""
    ids_from: int
    ids_to: int
    ids_next: int
    here: str
    beat: int
    """The highest beat that any process has seen."""


@dataclass(frozen=True, slots=True)
class Share:
    """The progress of one casino's part."""

    casino_id: int
    casino: str
    info: bool
    """True if the casino has a call for such queries."""
    bets: int
    compared: int
    next_id: int
    """The next lost id that it is queried for."""
    ids_to: int
    """The last lost id that it is queried for."""
    standing: int
    """Bets whose answer to the provider is unknown: asked or unclaimed."""
    lost_bets: int
    """Open findings of bets that the casino knows and the hub has lost."""
    done: bool
    """True if its part is over."""

    @property
    def to_compare(self) -> int:
        """Return the number of bets of the window that are not compared yet."""
        return self.bets - self.compared

    @property
    def to_probe(self) -> int:
        """Return the number of lost ids that are not queried yet."""
        return max(self.ids_to + 1 - self.next_id, 0) if self.info else 0

    @property
    def open(self) -> bool:
        """Return whether anything of it is left."""
        return bool(self.to_compare or self.to_probe or self.standing or self.lost_bets)


class Recoveries:
    """The beginning, progress and end of recoveries."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def active(self) -> Recovery | None:
        """Return the current recovery."""
        return _recovery(await self._db.fetchrow(_ACTIVE))

    async def last(self) -> Recovery | None:
        """Return the last recovery, current or ended."""
        return _recovery(await self._db.fetchrow(_LAST))

    async def begin(self, plan: Plan) -> Recovery | None:
        """Begin a recovery in one transaction. Return None if one is on already."""
        now_ms = self._clock.now_ms()
        async with self._db.transaction() as tx:
            since_ms = plan.since_ms or await tx.fetchval(_LAST_COMMIT) or now_ms
            ids = (plan.ids_from, plan.ids_to, plan.ids_next)
            begun = _recovery(await tx.fetchrow(_BEGIN, plan.why, plan.by, now_ms, since_ms, *ids))
            if begun is None:
                return None
            await tx.fetch(_JUMP, plan.ids_next)
            await tx.execute(_REBORN, plan.here, plan.beat, BEATS_AHEAD)
            await tx.execute(_WINDOW, begun.recovery_id, since_ms - plan.look_back_ms)
            await tx.execute(DOUBT_ALL)
        return begun

    async def left(self, recovery: Recovery, casino_id: int, most: int) -> list[int]:
        """Return BetIds of the window that are still to be compared."""
        rows = await self._db.fetch(_LEFT, recovery.recovery_id, casino_id, most)
        return [row["subject_id"] for row in rows]

    async def done(self, recovery: Recovery, bet_id: int) -> None:
        """Store that a bet of the window was compared with a usable answer."""
        await self._db.execute(_DONE, recovery.recovery_id, bet_id, self._clock.now_ms())

    async def lost_ids(self, recovery: Recovery, casino_id: int, most: int) -> list[int]:
        """Return ids that may have been used and lost, and that this casino was not queried for."""
        start = await self._db.fetchval(_NEXT, recovery.recovery_id, casino_id, recovery.ids_from)
        end = await self._db.fetchval(_ENDS_AT, recovery.recovery_id, casino_id, recovery.ids_to)
        return [row["id"] for row in await self._db.fetch(_LOST, start, end, most)]

    async def probed(self, recovery: Recovery, casino_id: int, bet_id: int) -> None:
        """Store that the casino was queried for the ids up to this one."""
        await self._db.execute(_PROBE, recovery.recovery_id, casino_id, bet_id + 1)

    async def further(self, recovery: Recovery, casino_id: int, ids_to: int) -> None:
        """Extend the queries of a casino that knows a lost id: up to this later one."""
        await self._db.execute(_FURTHER, recovery.recovery_id, casino_id, recovery.ids_from, ids_to)

    async def by_casino(self, recovery: Recovery) -> Sequence[Share]:
        """Return the progress, casino by casino."""
        args = (recovery.recovery_id, recovery.ids_from, recovery.ids_to, recovery.begun_ms)
        return [Share(**row) for row in await self._db.fetch(_BY_CASINO, *args)]

    async def end_casino(self, recovery: Recovery, casino_id: int, *, by: str, reason: str) -> bool:
        """End this casino's part, so that it takes new bets again. Return False if it had ended."""
        args = (recovery.recovery_id, casino_id, self._clock.now_ms(), by, reason)
        return await self._db.execute(_END_CASINO, *args) > 0

    async def end(self, recovery: Recovery, by: str, reason: str) -> bool:
        """End the recovery, so that new bets are taken again. Return False if it had ended."""
        return await self._db.execute(_END, recovery.recovery_id, self._clock.now_ms(), by, reason) > 0


def _recovery(row: Row | None) -> Recovery | None:
    return None if row is None else Recovery(**{**row, "done_casinos": tuple(row["done_casinos"])})
