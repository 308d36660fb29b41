"""One turn of the continuous auditor: recent changes, the next part of all subjects, the next part of the trail.

Owns: the scope of a turn, whose cost does not depend on the size of the database. Never: writes, or calls the code that it
audits. A change made outside the hub leaves no event; the pass over all subjects finds it. Spec: money.md 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from croupier.kit.clock import Clock
from croupier.store.db import Db, Tx
from croupier.views.audit.auditor import INVARIANTS, TRAIL, Invariant
from croupier.views.audit.slices import FIRST, LAST, next_part, plan_by_parts, set_plan_for
from croupier.views.audit.violations import QueryScope, SubjectRange, SubjectSet, Violation
from croupier.views.trail.links import walk, walk_from

MOST: Final = 100
"""The most violations of one invariant per query."""
EVENTS: Final = 20_000
"""The subjects of this many latest events are checked. At a higher rate the pass over all subjects covers the rest."""
OVERLAP: Final = 1000
"""The number of events that are checked again: a lower number may be committed after a higher one."""
PART: Final = 5000
"""The number of subjects in one part."""
TRAIL_ROWS: Final = 20_000
"""The rows of the trail per turn, read in small pages: the worker has other work."""
PAGE_ROWS: Final = 2000
_NEWEST = "select last_value from events_event_id_seq"
_CHANGED = "select distinct subject_id from events where event_id > $1 and event_id <= $2"


@dataclass(frozen=True, slots=True)
class Marks:
    """The position at which a turn begins."""

    event_id: int = 0
    subject_id: int = FIRST
    link: int = -1


@dataclass(frozen=True, slots=True)
class InvariantAnswer:
    """The result of one invariant's queries in this turn."""

    took_ms: int
    subjects: int
    """The number of recently changed subjects, or of rows of the trail. The part of all subjects is not counted."""
    violations: tuple[tuple[str, Violation], ...]
    """Each with a key that tells it from others without a subject."""
    all_told: bool
    """True if the queried scope holds no further violations."""


@dataclass(slots=True)
class AuditTurn:
    """One turn, and the position of the next one."""

    began: Marks
    goes_on: Marks
    changed: SubjectSet
    part: SubjectRange
    answers: dict[str, InvariantAnswer] = field(default_factory=dict)

    @property
    def is_last_part(self) -> bool:
        """Return whether this turn completes a pass over all subjects."""
        return self.goes_on.subject_id == FIRST

    def answered(self, invariant: str, subject_id: int, about: str) -> bool:
        """Return whether this turn would have found that violation again, if it still existed."""
        answer = self.answers.get(invariant)
        if answer is None or not answer.all_told:
            return False
        if invariant == TRAIL:
            return self.began.link < int(about) and (self.goes_on.link == -1 or int(about) <= self.goes_on.link)
        return subject_id == 0 or subject_id in self.changed or subject_id in self.part


async def run_turn(db: Db, clock: Clock, began: Marks) -> AuditTurn:
    """Check the share of one turn; all but the trail in one snapshot of the database."""
    async with db.transaction(snapshot=True) as tx:
        await plan_by_parts(tx)
        changed, newest = await _changed(tx, began.event_id)
        part = await next_part(tx, began.subject_id, PART)
        goes_on = Marks(newest, FIRST if part.high == LAST else part.high, began.link)
        found = AuditTurn(began, goes_on, changed, part)
        for invariant in INVARIANTS:
            if invariant.query is not None:
                found.answers[invariant.name] = await _ask(tx, clock, invariant, found=found)
    await _look_at_trail(db, clock, found)
    return found


async def _changed(tx: Tx, event_id: int) -> tuple[SubjectSet, int]:
    newest = await tx.fetchval(_NEWEST)
    rows = await tx.fetch(_CHANGED, max(event_id - OVERLAP, newest - EVENTS), newest)
    return SubjectSet(frozenset(row["subject_id"] for row in rows)), newest


async def _ask(tx: Tx, clock: Clock, invariant: Invariant, *, found: AuditTurn) -> InvariantAnswer:
    assert invariant.query is not None
    began_s = clock.monotonic_s()
    await set_plan_for(tx, invariant.name)
    lately = await invariant.query(tx, QueryScope(MOST, found.changed))
    part = await invariant.query(tx, QueryScope(MOST, found.part))
    told = {(v.subject_id, v.what): v for v in (*lately, *part)}
    violations = tuple(("" if v.subject_id else v.what, v) for v in told.values())
    all_told = max(len(lately), len(part)) < MOST
    return InvariantAnswer(_ms_since(clock, began_s), len(found.changed.subject_ids), violations, all_told)


async def _look_at_trail(db: Db, clock: Clock, found: AuditTurn) -> None:
    began_s = clock.monotonic_s()
    on = await walk_from(db, found.began.link)
    ended = True
    async for at in walk(db, on, most=MOST, page_rows=PAGE_ROWS):
        if at.looked_at >= TRAIL_ROWS:
            ended = False
            break
    by_link: dict[str, list[str]] = {}
    for one in on.breaks:
        by_link.setdefault(str(one.link), []).append(one.what)
    violations = tuple((link, Violation(None, "; ".join(words))) for link, words in by_link.items())
    all_told = len(on.breaks) < MOST
    found.answers[TRAIL] = InvariantAnswer(_ms_since(clock, began_s), on.looked_at, violations, all_told)
    found.goes_on = Marks(found.goes_on.event_id, found.goes_on.subject_id, -1 if ended and all_told else on.link)


def _ms_since(clock: Clock, began_s: float) -> int:
    return round((clock.monotonic_s() - began_s) * 1000)
