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
select f.file_id, f.sha256, f.before_ms, f.part, f.at_ms, f.author, f.reason, coalesce(a.subjects, 0) as subjects,
    coalesce(d.rows, 0) as rows
from archive_files f
left join (select file_id, count(*) as subjects from archived group by 1) a using (file_id)
left join (select file_id, sum(cardinality(ids))::bigint as rows from archived_digests group by 1) d using (file_id)
order by f.file_id"""
# Rows that name no deletion. The trail binds the deletions, so that nobody can invent one unseen.
_ORPHANS = """
select distinct 'archived' as place, file_id from archived a where not exists (select from archive_files f where f.file_id = a.file_id)
union all select distinct 'archived_digests', file_id from archived_digests a
where not exists (select from archive_files f where f.file_id = a.file_id)
union all select distinct 'archived_sums', file_id from archived_sums a
where not exists (select from archive_files f where f.file_id = a.file_id)"""
_SUMS = """
select day_ms, casino_id, provider_id, game_id, source, target, currency, why, sum(entries)::bigint as entries,
    sum(amount)::numeric as amount
from archived_sums where file_id = $1 group by 1, 2, 3, 4, 5, 6, 7, 8"""
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


@dataclass(slots=True)
class DeletedReport:
    """The result of a comparison. It holds if there is no problem, of a file or beside them."""

    files: list[DeletedFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Files that cannot be read, and rows in the database that name no deletion."""

    @property
    def holds(self) -> bool:
        """Return whether the files hold everything that was deleted, and the sums in its place are right."""
        return not self.problems and not any(one.problems for one in self.files)


async def verify_deleted(db: Db, paths: Sequence[Path], trusts: Callable[[str], bool]) -> DeletedReport:
    """Compare each file from which rows were deleted with what the trail had bound, and with the sums in their place.

    `trusts` as of `verify_files`. Raises OSError.
    """
    reports = [await asyncio.to_thread(verify_file, path, trusts) for path in paths]
    by_digest = {report.sha256: report for report in reports if report.sha256}
    found = DeletedReport()
    found.problems += [
        f"{report.path}: {report.problems[0]}" for report in reports if not report.sha256 and report.problems
    ]
    found.problems += [
        f"rows of {row['place']} name the deletion {row['file_id']}, which never was"
        for row in await db.fetch(_ORPHANS)
    ]
    for row in await db.fetch(_FILES):
        facts = {name: value for name, value in row.items() if name != "file_id"}
        one = DeletedFile(**facts)
        await _compare(db, row["file_id"], one, report=by_digest.get(one.sha256))
        found.files.append(one)
    return found


async def _compare(db: Db, file_id: int, one: DeletedFile, *, report: FileReport | None) -> None:
    if report is None:
        one.problems.append("its file is not here, and holds the only copy of what was deleted")
        return
    one.path = str(report.path)
    one.problems += report.problems
    if one.problems:
        return
    lines, seen, rows, sums = subjects_of(report.path), 0, 0, _Sums()
    while batch := await asyncio.to_thread(lambda: list(islice(lines, BATCH))):
        ids = [said["subject"] for said in batch]
        deleted = {row["subject_id"] for row in await db.fetch(_DELETED, file_id, ids)}
        of_deleted = [said for said in batch if said["subject"] in deleted]
        seen += len(of_deleted)
        sums.take(of_deleted)
        rows += sum(len(said[table]) for said in of_deleted for table in TABLES)
        for table in TABLES:
            one.problems += await _differing(db, file_id, of_deleted, table=table)
        del one.problems[MOST:]
    if (seen, rows) != (one.subjects, one.rows):
        one.problems.append(
            f"it holds {rows} rows of {seen} bets and cashbacks, and {one.rows} rows of {one.subjects} were deleted"
        )
    one.problems += sums.differing(await db.fetch(_SUMS, file_id))
    del one.problems[MOST:]


class _Sums:
    """What the deleted entries of a file moved, by day, game and account: entries, and minor units."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], list[int]] = {}

    def take(self, batch: Sequence[Mapping[str, Any]]) -> None:
        """Add the entries of these."""
        for said in batch:
            head = said.get("bet") or said["cashback"]
            for entry in said["ledger"]:
                day_ms = entry["at_ms"] // 86_400_000 * 86_400_000
                named = [entry[name] for name in ("source", "target", "currency", "why")]
                key = (day_ms, head["casino_id"], head.get("provider_id"), head.get("game_id"), *named)
                sums = self._found.setdefault(key, [0, 0])
                sums[0] += 1
                sums[1] += entry["amount"]

    def differing(self, stored: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return what the sums in the database say otherwise."""
        there = {tuple(list(row.values())[:8]): [int(row["entries"]), int(row["amount"])] for row in stored}
        return [
            f"its entries of {key[4]} to {key[5]} ({key[7]}) on one day add up to {self._found.get(key, [0, 0])[1]} {key[6]}, and the "
            f"database says {there.get(key, [0, 0])[1]}"
            for key in sorted(self._found.keys() | there.keys(), key=repr)
            if self._found.get(key) != there.get(key)
        ]


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
