"""One violation of an invariant, and how the auditor's questions bring them back.

Owns: the record and the fetch. Never: an invariant (audit_ledger, audit_lives).
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.store.db import Tx


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be."""

    subject_id: int | None
    """BetId or CashbackId; None where it is about the tables themselves."""
    what: str


async def violations(tx: Tx, sql: str, most: int) -> list[Violation]:
    """At most `most` of what the question finds: rows of (subject_id, what), `most` being its one parameter."""
    return [Violation(row["subject_id"], row["what"]) for row in await tx.fetch(sql, most)]
