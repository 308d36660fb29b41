"""One violation of an invariant, and how the auditor's questions are asked: of all subjects, or of some.

Owns: the record, the fetch, and the scope of a question. Never: an invariant (ledger, life_cycles).

A question is one text of SQL that names whole tables. To ask it of some subjects, each table is shadowed by a `with` of
the same name that holds their rows alone: the question is the same, and its cost is bounded.
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
}
"""Every table whose rows belong to a subject, and the column that names it."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be."""

    subject_id: int | None
    """BetId or CashbackId; None where it is about the tables themselves."""
    what: str


@dataclass(frozen=True, slots=True)
class SubjectRange:
    """Every subject from `low` to `high`, both included, and what hangs on a number that is no subject's."""

    low: int
    high: int

    def __contains__(self, subject_id: int) -> bool:
        """Whether it is one of them."""
        return self.low <= subject_id <= self.high


@dataclass(frozen=True, slots=True)
class SubjectSet:
    """These subjects."""

    subject_ids: frozenset[int]

    def __contains__(self, subject_id: int) -> bool:
        """Whether it is one of them."""
        return subject_id in self.subject_ids


@dataclass(frozen=True, slots=True)
class QueryScope:
    """For at most how many violations a question is asked, and of which subjects; None: of all."""

    most: int
    of: SubjectRange | SubjectSet | None = None


async def violations(tx: Tx, sql: str, ask: QueryScope) -> list[Violation]:
    """At most so many of what the question finds: rows of (subject_id, what), the limit being its one parameter."""
    text, which = _scope(sql, ask.of)
    return [Violation(row["subject_id"], row["what"]) for row in await tx.fetch(text, ask.most, *which)]


def _scope(sql: str, of: SubjectRange | SubjectSet | None) -> tuple[str, tuple[object, ...]]:
    """The question's text, and what says of which subjects it is."""
    if of is None or not _tables(sql):
        return sql, ()
    match of:
        case SubjectRange(low, high):
            return _shadowed(sql, "between $2::bigint and $3::bigint"), (low, high)
        case SubjectSet(subject_ids):
            return _shadowed(sql, "= any($2::bigint[])"), (sorted(subject_ids),)


@cache
def _tables(sql: str) -> tuple[str, ...]:
    return tuple(table for table in _KEYS if re.search(rf"\b{table}\b", sql))


@cache
def _shadowed(sql: str, which: str) -> str:
    """The same question, of those subjects alone whose number is as `which` says."""
    shadows = ",\n".join(
        f"{table} as not materialized (select * from {table} where {_KEYS[table]} {which})"  # noqa: S608 - our own text
        for table in _tables(sql)
    )
    question = sql.lstrip()
    return f"with {shadows},\n{question[5:]}" if question.startswith("with ") else f"with {shadows}\n{question}"
