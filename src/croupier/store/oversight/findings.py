"""Findings: differences between hub, casino and provider that no rule resolved, each with its evidence.

Owns: the rows of `findings`. A finding is one row per bet, payment and name; seen again it counts up. It is closed by a
person with a reason, or by a later comparison that agrees; what a person closed stays closed as long as the evidence is
the same. Never: decides what is a finding (core.reconciliation), or deletes one. Spec: money.md 8.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from croupier.kit.clock import Clock
from croupier.store.db import Db, Row
from croupier.store.oversight.incidents import Choice
from croupier.store.storable import storable_id

_COLUMNS = """
f.finding_id, f.casino_id, a.name as casino, f.subject_id, f.about, f.name, f.words, f.evidence, f.times, f.first_ms,
f.last_ms, f.closed_ms, f.closed_by, f.close_note"""
_FROM = "from findings f left join casinos a using (casino_id)"
_OF_PROVIDER = "exists (select from bets b where b.bet_id = f.subject_id and b.provider_id = any(${}))"
_OPEN = f"""
select {_COLUMNS} {_FROM} where f.closed_ms is null and ($1::bigint[] is null or f.casino_id = any($1))
and ($3::bigint is null or f.subject_id = $3) and ($4::bigint[] is null or {_OF_PROVIDER.format(4)})
order by f.last_ms desc, f.finding_id desc limit $2"""
_COUNT = f"""
select count(*) from findings f where closed_ms is null and ($1::bigint[] is null or casino_id = any($1))
and ($2::bigint is null or subject_id = $2) and ($3::bigint[] is null or {_OF_PROVIDER.format(3)})"""
_OF = f"select {_COLUMNS} {_FROM} where f.subject_id = $1 and f.casino_id = $2 order by f.finding_id"
_PUT = """
insert into findings as t (casino_id, subject_id, about, name, words, evidence, first_ms, last_ms)
values ($1, $2, $3, $4, $5, $6, $7, $7)
on conflict (casino_id, subject_id, about, name) do update
set times = t.times + 1, last_ms = excluded.last_ms, words = excluded.words, evidence = excluded.evidence,
    closed_ms = case when t.closed_by is not null and t.words = excluded.words then t.closed_ms end,
    closed_by = case when t.words = excluded.words then t.closed_by end,
    close_note = case when t.words = excluded.words then t.close_note end
returning closed_ms is null as open"""
_AGREED = """
update findings set closed_ms = $4, closed_by = null, close_note = 'a later comparison agrees'
where casino_id = $1 and subject_id = $2 and closed_ms is null and not (about || ' ' || name) = any($3::text[])"""
_CHOSEN = f"""
select {_COLUMNS} {_FROM} where f.closed_ms is null and ($1::bigint[] is null or f.finding_id = any($1))
and ($2::text is null or f.name = $2) and ($3::bigint[] is null or f.casino_id = any($3))
and ($4::bigint is null or f.last_ms < $4) and ($5::bigint[] is null or {_OF_PROVIDER.format(5)}) order by f.finding_id"""
# One that was seen again since it was chosen stays open: nobody has looked at that.
_CLOSE = """
update findings f set closed_ms = $3, closed_by = $4, close_note = $5
from unnest($1::bigint[], $2::integer[]) k(finding_id, times)
where f.finding_id = k.finding_id and f.times = k.times and f.closed_ms is null returning f.finding_id, f.subject_id"""


Ids = Sequence[int] | None
"""Ids of casinos or providers; None: of all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, open while `closed_ms` is None. `subject_id` is the BetId, or 0 where the hub has none."""

    finding_id: int
    casino_id: int
    casino: str | None
    subject_id: int
    about: str
    name: str
    words: str
    """The latest description."""
    evidence: dict[str, Any]
    """The data of each side, as it was then."""
    times: int
    first_ms: int
    last_ms: int
    closed_ms: int | None
    closed_by: str | None
    """The person who closed it; None if a later comparison agreed."""
    close_note: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A difference that a comparison saw, to be stored."""

    about: str
    name: str
    words: str

    @property
    def key(self) -> str:
        """Return the key of its row among those of a bet."""
        return f"{self.about} {self.name}"


class Findings:
    """The stored findings."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def open_ones(
        self, most: int, *, casino_ids: Ids = None, provider_ids: Ids = None, subject_id: int | None = None
    ) -> list[Finding]:
        """Return open findings, of these casinos, providers and bet or of all, the one seen last first."""
        return [_finding(row) for row in await self._db.fetch(_OPEN, casino_ids, most, subject_id, provider_ids)]

    async def count(self, *, casino_ids: Ids = None, provider_ids: Ids = None, subject_id: int | None = None) -> int:
        """Return the number of open findings."""
        return int(await self._db.fetchval(_COUNT, casino_ids, subject_id, provider_ids))

    async def of(self, subject_id: int, casino_id: int) -> list[Finding]:
        """Return every finding of a bet, closed ones too."""
        return [_finding(row) for row in await self._db.fetch(_OF, subject_id, casino_id)]

    async def put(self, casino_id: int, subject_id: int, seen: Seen, *, evidence: dict[str, Any]) -> bool:
        """Store a difference and return whether its finding is open now."""
        row = await self._db.fetchrow(
            _PUT, casino_id, subject_id, seen.about, seen.name, seen.words, json.dumps(evidence), self._clock.now_ms()
        )
        assert row is not None
        return bool(row["open"])

    async def agreed(self, casino_id: int, subject_id: int, still: Sequence[str]) -> int:
        """Close the findings of this bet that a comparison saw no more; `still` are the keys of those it saw."""
        return await self._db.execute(_AGREED, casino_id, subject_id, list(still), self._clock.now_ms())

    async def chosen(self, choice: Choice) -> list[Finding]:
        """Return the open findings of this choice, by id."""
        ids = None if choice.ids is None else [one for one in choice.ids if storable_id(one)]
        rows = await self._db.fetch(_CHOSEN, ids, choice.name, choice.casino_ids, choice.before_ms, choice.provider_ids)
        return [_finding(row) for row in rows]

    async def close(self, findings: Sequence[Finding], by: str, note: str) -> dict[int, int]:
        """Close findings for a person; return the BetId of each one closed, by its id. One seen again since stays open."""
        ids, times = [one.finding_id for one in findings], [one.times for one in findings]
        rows = await self._db.fetch(_CLOSE, ids, times, self._clock.now_ms(), by, note)
        return {row["finding_id"]: row["subject_id"] for row in rows}


def _finding(row: Row) -> Finding:
    return Finding(**{**row, "evidence": json.loads(row["evidence"])})
