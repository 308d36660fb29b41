"""The continuous auditor's findings and progress, in tables of its own.

Owns: the rows of `audit_progress`, `audit_results`, `audit_violations`, and the incident of a violation that is new. Never:
checks an invariant (views), or repairs. Spec: money.md 5 (the production auditor).

A turn ends with one transaction that advances the progress from the version at its start. If two processes take the same
turn, one writes and the other changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from croupier.store.db import Db, Tx
from croupier.store.oversight.incidents import Incidents

MOST_KNOWN: Final = 1000
"""Largest number of stored violations of one invariant, each with an incident."""
NOTE: Final = 500
"""Longest note of an incident, in characters."""

_PROGRESS = "select version, done_ms, event_id, subject_id, link, whole_ms from audit_progress"
_MOVE_ON = """
update audit_progress set version = version + 1, done_ms = $2, event_id = $3, subject_id = $4, link = $5, whole_ms = $6
where version = $1"""
_ASKED = """
insert into audit_results select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
on conflict (invariant) do update
set at_ms = excluded.at_ms, took_ms = excluded.took_ms, subjects = excluded.subjects"""
_KNOWN = (
    "select invariant, subject_id, about, what from audit_violations order by first_ms, invariant, subject_id, about"
)
_FOUND = """
insert into audit_violations as v (invariant, subject_id, about, what, first_ms, last_ms)
select i, s, a, w, $5, $5 from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) f(i, s, a, w)
on conflict (invariant, subject_id, about) do update set what = excluded.what, last_ms = excluded.last_ms"""
_GONE = """
delete from audit_violations v using unnest($1::text[], $2::bigint[], $3::text[]) g(i, s, a)
where v.invariant = g.i and v.subject_id = g.s and v.about = g.a"""
_RESULTS = """
select r.invariant, r.at_ms, r.took_ms, r.subjects,
    (select count(*) from audit_violations v where v.invariant = r.invariant) as violations
from audit_results r order by r.invariant"""


@dataclass(frozen=True, slots=True)
class Progress:
    """The auditor's progress. `subject_id` and `link` are the positions of its passes over everything."""

    version: int = 0
    done_ms: int = 0
    event_id: int = 0
    subject_id: int = -(2**63)
    link: int = -1
    whole_ms: int | None = None
    """Time at which the pass over all subjects last ended."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One check of an invariant: the number of subjects (or rows of the trail), and its duration in milliseconds."""

    invariant: str
    took_ms: int
    subjects: int


@dataclass(frozen=True, slots=True)
class KnownViolation:
    """A violation. `subject_id` is 0 if it has no subject; then `about` distinguishes it from others."""

    invariant: str
    subject_id: int
    about: str
    what: str

    @property
    def key(self) -> tuple[str, int, str]:
        """Return the identity by which it is recognized when found again, whatever its wording."""
        return self.invariant, self.subject_id, self.about


@dataclass(frozen=True, slots=True)
class Result:
    """The last check of one invariant, and the number of its known violations."""

    invariant: str
    at_ms: int
    took_ms: int
    subjects: int
    violations: int


class Audits:
    """The tables of the auditor."""

    def __init__(self, db: Db, incidents: Incidents) -> None:
        self._db = db
        self._incidents = incidents

    async def progress(self) -> Progress:
        """Return the progress."""
        row = await self._db.fetchrow(_PROGRESS)
        return Progress() if row is None else Progress(**row)

    async def results(self) -> list[Result]:
        """Return the last result of each invariant that was checked."""
        return [Result(**row) for row in await self._db.fetch(_RESULTS)]

    async def known(self) -> list[KnownViolation]:
        """Return every known violation, the oldest first."""
        return [KnownViolation(**row) for row in await self._db.fetch(_KNOWN)]

    async def end(
        self,
        now: Progress,
        asked: Sequence[Asked],
        found: Sequence[KnownViolation],
        *,
        answered: Callable[[KnownViolation], bool],
    ) -> list[KnownViolation] | None:
        """Store a turn, and raise an incident for each subject with a new violation.

        `now` has the version at the start of the turn. A known violation of an `answered` invariant that was not found
        again is deleted. Returns the new violations; None if another process ended the turn, and nothing was written.
        """
        async with self._db.transaction() as tx:
            places = now.done_ms, now.event_id, now.subject_id, now.link, now.whole_ms
            if not await tx.execute(_MOVE_ON, now.version, *places):
                return None
            await _note_asked(tx, asked, now.done_ms)
            known = {k.key: k for k in (KnownViolation(**row) for row in await tx.fetch(_KNOWN))}
            now_found = {f.key: f for f in found}
            new = _room_for([f for key, f in now_found.items() if key not in known], known.values())
            await _strike(tx, [k for key, k in known.items() if key not in now_found and answered(k)])
            await _note_found(tx, [*new, *(f for key, f in now_found.items() if key in known)], now.done_ms)
            for subject_id, note in _notes(new).items():
                await self._incidents.raise_in(tx, subject_id, "audit", note=note)
            return new


def _room_for(new: Sequence[KnownViolation], known: Iterable[KnownViolation]) -> list[KnownViolation]:
    """Return no more violations of each invariant than are stored: where everything is broken, a thousand are enough."""
    counts, kept = Counter(one.invariant for one in known), []
    for one in new:
        counts[one.invariant] += 1
        if counts[one.invariant] <= MOST_KNOWN:
            kept.append(one)
    return kept


def _notes(new: Sequence[KnownViolation]) -> dict[int, str]:
    """Return one note for each subject, with every invariant that it violates."""
    notes: dict[int, list[str]] = {}
    for one in new:
        notes.setdefault(one.subject_id, []).append(f"{one.invariant}: {one.what}")
    return {subject_id: "; ".join(words)[:NOTE] for subject_id, words in notes.items()}


async def _note_asked(tx: Tx, asked: Sequence[Asked], now_ms: int) -> None:
    columns = (
        [a.invariant for a in asked],
        [now_ms] * len(asked),
        [a.took_ms for a in asked],
        [a.subjects for a in asked],
    )
    await tx.execute(_ASKED, *columns)


async def _note_found(tx: Tx, found: Sequence[KnownViolation], now_ms: int) -> None:
    names, subjects = [f.invariant for f in found], [f.subject_id for f in found]
    await tx.execute(_FOUND, names, subjects, [f.about for f in found], [f.what for f in found], now_ms)


async def _strike(tx: Tx, gone: Sequence[KnownViolation]) -> None:
    await tx.execute(_GONE, [g.invariant for g in gone], [g.subject_id for g in gone], [g.about for g in gone])
