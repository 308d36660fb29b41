"""Incidents: events that need a person. One row per subject and name, counted, closed by a person with a note.

Owns: the rows of `incidents` outside decisions (the group commit writes those that belong to one, in its commit). Never:
decides what is an incident. Spec: operate.md 2 (`croupier incidents`).
"""

from __future__ import annotations

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
_CLOSE = """
update incidents set closed_ms = $2, closed_by = $3, close_note = $4
where incident_id = $1 and closed_ms is null"""

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

    async def close(self, incident_id: int, by: str, note: str) -> bool:
        """Close an incident for a person. Return False if it is not open."""
        if not storable_id(incident_id):
            return False
        return await self._db.execute(_CLOSE, incident_id, self._clock.now_ms(), by, note) > 0

    async def close_taken(self) -> int:
        """Close `win_refused` incidents of wins and refunds that were accepted after all; return how many."""
        return await self._db.execute(_CLOSE_TAKEN, self._clock.now_ms())

    async def close_named(self, subject_id: int, name: str, *, by: str, note: str) -> bool:
        """Close an incident whose cause is resolved. Return False if none is open."""
        return await self._db.execute(_CLOSE_NAMED, subject_id, name, self._clock.now_ms(), by, note) > 0
