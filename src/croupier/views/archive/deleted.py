"""The check that archive files hold every entry and event that was deleted, as the audit trail had bound it.

Owns: the comparison of files with the digests that stay in the database. Never: trusts the database about a file: its own signature
comes first. Spec: decision 0104, operate.md 2 (`croupier audit --archives`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from croupier.store.db import Db
from croupier.views.archive.verify import MOST, FileReport, subjects_of, verify_file
from croupier.views.trail.links import COVERS, digest

BATCH: Final = 500
TABLES: Final = ("ledger", "events")
_FILES = """
select file_id, sha256, before_ms, part, at_ms, author, reason,
    (select count(*) from archived a where a.file_id = f.file_id) as subjects,
    (select coalesce(sum(cardinality(d.ids)), 0)::bigint from archived_digests d where d.file_id = f.file_id) as rows
from archive_files f order by file_id"""
_DELETED = "select subject_id from archived where file_id = $1 and subject_id = any($2::bigint[])"
_DIGESTS = """
select u.id, substr(a.digests, (u.n::integer - 1) * 32 + 1, 32) as digest
from archived_digests a cross join lateral unnest(a.ids) with ordinality u(id, n)
where a.strand = $1 and a.file_id = $2 and a.bucket = any($3::bigint[]) and u.id = any($4::bigint[])"""


@dataclass(slots=True)
class DeletedFile:
    """A file whose rows were deleted. Nothing is lost if there is no problem."""

    sha256: str
    before_ms: int
    part: int
    at_ms: int
    """When the deletion began."""
    author: str
    reason: str
    subjects: int
    """Bets and cashbacks whose entries and events were deleted."""
    rows: int
    """Deleted entries and events."""
    path: str | None = None
    problems: list[str] = field(default_factory=list)


async def verify_deleted(db: Db, paths: Sequence[Path], trusts: Callable[[str], bool]) -> list[DeletedFile]:
    """Compare each file from which rows were deleted with what the trail had bound. `trusts` as of `verify_files`. Raises OSError."""
    reports = {r.sha256: r for r in [await asyncio.to_thread(verify_file, path, trusts) for path in paths]}
    found = []
    for row in await db.fetch(_FILES):
        facts = {name: value for name, value in row.items() if name != "file_id"}
        one = DeletedFile(**facts)
        await _compare(db, row["file_id"], one, report=reports.get(one.sha256))
        found.append(one)
    return found


async def _compare(db: Db, file_id: int, one: DeletedFile, *, report: FileReport | None) -> None:
    if report is None:
        one.problems.append("its file is not here, and holds the only copy of what was deleted")
        return
    one.path = str(report.path)
    one.problems += report.problems
    if one.problems:
        return
    lines, seen, rows = subjects_of(report.path), 0, 0
    while batch := await asyncio.to_thread(lambda: list(islice(lines, BATCH))):
        ids = [said["subject"] for said in batch]
        deleted = {row["subject_id"] for row in await db.fetch(_DELETED, file_id, ids)}
        of_deleted = [said for said in batch if said["subject"] in deleted]
        seen += len(of_deleted)
        rows += sum(len(said[table]) for said in of_deleted for table in TABLES)
        for table in TABLES:
            one.problems += await _differing(db, file_id, of_deleted, table=table)
        del one.problems[MOST:]
    if (seen, rows) != (one.subjects, one.rows):
        one.problems.append(
            f"it holds {rows} rows of {seen} bets and cashbacks, and {one.rows} rows of {one.subjects} were deleted"
        )


async def _differing(db: Db, file_id: int, batch: Sequence[Mapping[str, Any]], *, table: str) -> list[str]:
    """Return the rows of this table that are not those that the trail had bound."""
    key = COVERS[table][0]
    rows = {row[key]: row for said in batch for row in said[table]}
    buckets = sorted({row_id // 4096 for row_id in rows})
    bound = {r["id"]: r["digest"] for r in await db.fetch(_DIGESTS, table, file_id, buckets, sorted(rows))}
    return [
        f"{row['subject_id']}: row {row_id} of {table} is not the one that the audit trail had bound"
        for row_id, row in rows.items()
        if bound.get(row_id) != digest(table, row)
    ]
