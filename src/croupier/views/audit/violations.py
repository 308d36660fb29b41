"""A violation of an invariant, and the scope of a query: all subjects, or some.

Owns: the record, the fetch, and the scope. Never: an invariant (ledger, life_cycles).

A query is one SQL text that names whole tables. To restrict it to some subjects, each table is shadowed by a `with` of the
same name that holds only their rows. The query stays the same, and its cost is bounded. Subjects whose entries and events were
deleted (decision 0104) are left out the same way of a query that needs all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from croupier.store.db import Tx

_KEYS: Final[Mapping[str, str]] = {
    "bets": "bet_id",
    "cashbacks": "cashback_id",
    "payments": "subject_id",
    "calls": "subject_id",
    "ledger": "subject_id",
    "events": "subject_id",
    "incidents": "subject_id",
    "archived": "subject_id",
}
"""The tables whose rows belong to a subject, and the column that names it."""
_ANY_ARCHIVED: Final = "select exists(select from archived)"


@dataclass(frozen=True, slots=True)
class Violation:
    """A violation of an invariant."""

    subject_id: int | None
    """BetId or CashbackId; None if the tables themselves are at fault."""
    what: str


@dataclass(frozen=True, slots=True)
class SubjectRange:
    """Every subject from `low` to `high`, both included, and rows with a number in between that belong to no subject."""

    low: int
    high: int

    def __contains__(self, subject_id: int) -> bool:
        """Return whether the subject is in scope."""
        return self.low <= subject_id <= self.high


@dataclass(frozen=True, slots=True)
class SubjectSet:
    """A set of subjects."""

    subject_ids: frozenset[int]

    def __contains__(self, subject_id: int) -> bool:
        """Return whether the subject is in scope."""
        return subject_id in self.subject_ids


@dataclass(frozen=True, slots=True)
class QueryScope:
    """The scope of a query: the most violations, and the subjects; None means all."""

    most: int
    of: SubjectRange | SubjectSet | None = None


async def violations(tx: Tx, sql: str, ask: QueryScope, *, whole_story: bool = False) -> list[Violation]:
    """Run a query that returns rows (subject_id, what). Its one parameter is the limit.

    `whole_story`: the query needs all entries and events of a subject, so those whose were deleted are left out.
    """
    text, which = _scope(sql, ask.of, archived=whole_story and await tx.fetchval(_ANY_ARCHIVED))
    return [Violation(row["subject_id"], row["what"]) for row in await tx.fetch(text, ask.most, *which)]


def _bound(of: SubjectRange | SubjectSet | None) -> tuple[str, tuple[object, ...]]:
    """Return the condition on the number of a subject, and its parameters."""
    match of:
        case None:
            return "is not null", ()
        case SubjectRange(low, high):
            return "between $2::bigint and $3::bigint", (low, high)
        case SubjectSet(subject_ids):
            return "= any($2::bigint[])", (sorted(subject_ids),)


def _scope(sql: str, of: SubjectRange | SubjectSet | None, *, archived: bool) -> tuple[str, tuple[object, ...]]:
    """Return the query's text for this scope, and its parameters. `archived`: subjects without their story are left out."""
    if (of is None and not archived) or not _tables(sql):
        return sql, ()
    bound, which = _bound(of)
    # The bound stands in both places, so that a part never reads all that was ever archived.
    rest = f" and not exists (select from archived g where g.subject_id = t.{{key}} and g.subject_id {bound})"
    return _shadowed(sql, bound + (rest if archived else "")), which


@cache
def _tables(sql: str) -> tuple[str, ...]:
    return tuple(table for table in _KEYS if re.search(rf"\b{table}\b", sql))


@cache
def _shadowed(sql: str, which: str) -> str:
    """Return the query restricted to subjects whose number satisfies `which`."""
    shadows = ",\n".join(
        f"{table} as not materialized (select * from {table} t where t.{_KEYS[table]} {which.format(key=_KEYS[table])})"  # noqa: S608 - our own text
        for table in _tables(sql)
    )
    question = sql.lstrip()
    return f"with {shadows},\n{question[5:]}" if question.startswith("with ") else f"with {shadows}\n{question}"
