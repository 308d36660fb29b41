"""Incidents: events that need a person. One row per subject and name, counted, closed by a person with a note.

Owns: the rows of `incidents` outside decisions (the group commit writes those that belong to one, in its commit). Never:
decides what is an incident. Spec: operate.md 2 (`croupier incidents`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from croupier.kit.clock import Clock
from croupier.store.db import Db, Tx
from croupier.store.incident_notes import AGAIN, CAUSES
from croupier.store.storable import storable_id

_COLUMNS = "incident_id, subject_id, name, note, times, first_ms, last_ms"
_OPEN = f"select {_COLUMNS} from incidents where closed_ms is null order by last_ms desc, incident_id desc"
_RAISE = f"""
insert into incidents as t (subject_id, name, note, first_ms, last_ms) values ($1, $2, $3, $4, $4)
{AGAIN}"""
# One that is open with this cause is not counted again.
_RAISE_NEW = _RAISE + f"\nwhere t.closed_ms is not null or excluded.note <> all({CAUSES})"
_CHOSEN = f"""
select {_COLUMNS} from incidents i where i.closed_ms is null
and ($1::bigint[] is null or i.incident_id = any($1)) and ($2::text is null or i.name = $2)
and ($4::bigint is null or i.last_ms < $4)
and ($3::bigint[] is null or exists (select from bets b where b.bet_id = i.subject_id and b.casino_id = any($3))
    or exists (select from cashbacks k where k.cashback_id = i.subject_id and k.casino_id = any($3)))
and ($5::bigint[] is null or exists (select from bets b where b.bet_id = i.subject_id and b.provider_id = any($5)))
order by i.incident_id"""
# One that happened again since it was chosen stays open: nobody has seen that.
_CLOSE = """
update incidents i set closed_ms = $3, closed_by = $4, close_note = $5
from unnest($1::bigint[], $2::integer[]) k(incident_id, times)
where i.incident_id = k.incident_id and i.times = k.times and i.closed_ms is null returning i.incident_id"""

_CLOSE_NAMED = """
update incidents set closed_ms = $3, closed_by = $4, close_note = $5
where subject_id = $1 and name = $2 and closed_ms is null"""

# Only of a bet that ended as the refused request wanted. One that ended otherwise still needs a person.
_CLOSE_TAKEN = """
update incidents i set closed_ms = $1, closed_by = 'croupier', close_note = 'a good request came: the bet is ' || b.state
from bets b
where i.closed_ms is null and i.name = 'win_refused' and b.bet_id = i.subject_id
and ((i.note like 'a pay-out %' and b.state = 'settled')
  or (i.note like 'a refund %' and b.state in ('undoing', 'returned')))"""


@dataclass(frozen=True, slots=True)
class Incident:
    """One open incident. `subject_id` is a BetId or CashbackId, or 0 if it is about neither."""

    incident_id: int
    subject_id: int
    name: str
    note: str
    """Its different causes, the latest first (incident_notes)."""
    times: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which open incidents or findings a person means. None means any."""

    ids: Sequence[int] | None = None
    name: str | None = None
    casino_ids: Sequence[int] | None = None
    before_ms: int | None = None
    """Only what happened last before this instant."""
    provider_ids: Sequence[int] | None = None


class Incidents:
    """The stored incidents."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def open_ones(self) -> list[Incident]:
        """Return every open incident, the one that happened last first."""
        return [Incident(**row) for row in await self._db.fetch(_OPEN)]

    async def raise_for(self, subject_id: int, name: str, note: str) -> None:
        """Raise an incident; the same incident again is counted on the same row."""
        await self._db.execute(_RAISE, subject_id, name, note, self._clock.now_ms())

    async def raise_in(self, tx: Tx, subject_id: int, name: str, *, note: str) -> None:
        """Raise an incident in the caller's transaction, together with its cause."""
        await tx.execute(_RAISE, subject_id, name, note, self._clock.now_ms())

    async def raise_new(self, subject_id: int, name: str, note: str) -> bool:
        """Raise an incident of a repeated check: nothing changes while it is open with this cause."""
        return await self._db.execute(_RAISE_NEW, subject_id, name, note, self._clock.now_ms()) > 0

    async def chosen(self, choice: Choice) -> list[Incident]:
        """Return the open incidents of this choice, by id."""
        ids = None if choice.ids is None else [one for one in choice.ids if storable_id(one)]
        rows = await self._db.fetch(_CHOSEN, ids, choice.name, choice.casino_ids, choice.before_ms, choice.provider_ids)
        return [Incident(**row) for row in rows]

    async def close(self, incidents: Sequence[Incident], by: str, note: str) -> list[int]:
        """Close incidents for a person and return the ids of those closed. One that happened again since stays open."""
        ids, times = [one.incident_id for one in incidents], [one.times for one in incidents]
        rows = await self._db.fetch(_CLOSE, ids, times, self._clock.now_ms(), by, note)
        return sorted(row["incident_id"] for row in rows)

    async def close_taken(self) -> int:
        """Close `win_refused` incidents of wins and refunds that were accepted after all; return how many."""
        return await self._db.execute(_CLOSE_TAKEN, self._clock.now_ms())

    async def close_named(self, subject_id: int, name: str, *, by: str, note: str) -> bool:
        """Close an incident whose cause is resolved. Return False if none is open."""
        return await self._db.execute(_CLOSE_NAMED, subject_id, name, self._clock.now_ms(), by, note) > 0
