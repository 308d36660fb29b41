"""The deletion of entries and events that signed archive files hold, in small transactions.

Owns: which bets and cashbacks may lose them, and the order of the steps. Never: deletes what is not in a verified file, row by row, or what
is younger than CROUPIER_MONEY_KEEP_YEARS. The command may be interrupted and repeated: what is deleted stays so. Spec: decision 0104.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

from croupier.apps.archive import ArchiveRefused, Progress
from croupier.flows.hub import Hub
from croupier.kit.signed_file import FileBroken
from croupier.store.db import DbError, Tx
from croupier.store.oversight.archived_rows import (
    STRANDS_DELETED,
    ArchiveFile,
    begin_file,
    bound_upto,
    delete_rows,
    lock_subjects,
    tidy,
)
from croupier.views.archive.rows import origin, still_over, texts_of
from croupier.views.archive.verify import FileReport, subjects_of, verify_files

BATCH: Final = 50
"""The bets and cashbacks of one transaction, which holds their locks for less than the `lock_timeout` of a payment."""
YEAR_MS: Final = 31_557_600_000
DELETED: Final = {strand.table: strand.key for strand in STRANDS_DELETED}
"""The tables that lose rows, and the numbers of their rows."""

Said: TypeAlias = Mapping[str, Any]
"""A line of an archive: one bet or cashback with its rows."""


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What is deleted, and by whom. `dry_run` counts alone."""

    paths: Sequence[Path]
    keep_years: int
    author: str
    reason: str
    dry_run: bool
    progress: Progress


@dataclass(slots=True)
class Pruned:
    """What was deleted, or would be."""

    subjects: int = 0
    entries: int = 0
    events: int = 0
    stay: Counter[str] = field(default_factory=Counter)
    """Bets and cashbacks of the files that keep their rows, by reason."""


async def prune(hub: Hub, plan: PrunePlan) -> Pruned:
    """Delete the entries and events of every bet and cashback in these files that may lose them. Raises ArchiveRefused, OSError."""
    reports = await asyncio.to_thread(verify_files, plan.paths, hub.notary.owns)
    async with hub.store.db.transaction() as tx:
        installation = (await origin(tx)).installation
    for report in reports:
        _check(hub, plan, report, installation=installation)
    done = Pruned()
    for report in reports:
        before = done.subjects
        try:
            await _File(hub, plan, report, done=done).prune(await bound_upto(hub.store.db))
        except FileBroken as broken:
            raise ArchiveRefused(
                f"{report.path} was changed while it was read ({broken}): run the command again"
            ) from None
        plan.progress(f"{report.path}: {done.subjects - before} bets and cashbacks")
    if done.entries or done.events:
        plan.progress("freeing the space of the deleted rows")
        try:
            await tidy(hub.store.db)
        except DbError as error:  # such as a vacuum of PostgreSQL's own at the same time
            plan.progress(f"the space was not freed ({error}): run `vacuum ledger, events` in the database")
    return done


def _check(hub: Hub, plan: PrunePlan, report: FileReport, *, installation: str | None) -> None:
    """Raise ArchiveRefused unless this file proves what it holds, of this hub and of long ago."""
    if report.problems:
        raise ArchiveRefused(f"{report.path} does not verify ({report.problems[0]}): nothing was deleted")
    if report.installation != installation:
        raise ArchiveRefused(f"{report.path} is an archive of another hub: nothing was deleted")
    latest_ms = hub.clock.now_ms() - plan.keep_years * YEAR_MS
    assert report.before_ms is not None
    if report.before_ms > latest_ms:
        raise ArchiveRefused(
            f"{report.path} holds what is younger than CROUPIER_MONEY_KEEP_YEARS={plan.keep_years} allows: write an archive of what "
            f"was over before {datetime.fromtimestamp(latest_ms // 1000, UTC):%Y-%m-%d}"
        )


class _File:
    """The work on one file."""

    def __init__(self, hub: Hub, plan: PrunePlan, report: FileReport, *, done: Pruned) -> None:
        self._hub = hub
        self._plan = plan
        self._report = report
        self._done = done
        self._file_id: int | None = None

    async def prune(self, bound: Mapping[str, int]) -> None:
        lines = subjects_of(self._report.path)
        while batch := await asyncio.to_thread(lambda: list(islice(lines, BATCH))):
            async with self._hub.store.db.transaction() as tx:
                begun = await self._delete(tx, batch, bound)
            self._file_id = self._file_id or begun

    async def _delete(self, tx: Tx, batch: Sequence[Said], bound: Mapping[str, int]) -> int | None:
        """Delete the rows of a batch, and return the number of this deletion; None where nothing was deleted."""
        ids = [int(said["subject"]) for said in batch]
        gone = await lock_subjects(tx, ids)
        assert self._report.before_ms is not None
        over = await still_over(tx, ids, self._report.before_ms)
        stored = {int(one["subject"]): one for one in map(json.loads, await texts_of(tx, ids))}
        going = []
        for subject_id, said in zip(ids, batch, strict=True):
            why = "deleted already" if subject_id in gone else _stays(said, stored.get(subject_id), bound)
            why = why or (None if subject_id in over else "not over any more")
            if why is None:
                going.append(subject_id)
            else:
                self._done.stay[why] += 1
        self._done.subjects += len(going)
        if not going or self._plan.dry_run:
            return self._file_id
        file_id = self._file_id or await self._begin(tx)
        deleted = await delete_rows(tx, file_id, going)
        self._done.entries += deleted.entries
        self._done.events += deleted.events
        return file_id

    async def _begin(self, tx: Tx) -> int:
        report, plan = self._report, self._plan
        assert report.before_ms is not None
        file = ArchiveFile(report.sha256, report.before_ms, report.part, report.key, plan.author, plan.reason)
        return await begin_file(tx, file, self._hub.clock.now_ms())


def _stays(said: Said, stored: Said | None, bound: Mapping[str, int]) -> str | None:
    """Return why a bet or cashback keeps its rows; None if the file holds each of them as it is stored."""
    if stored is None:
        return "not in this database"
    if any(not _same(said[table], stored[table]) for table in DELETED):
        return "changed since the file was written"
    head = stored.get("bet")
    if head is not None and head["origin"] == "jackpot":
        return "win of a jackpot pot, whose books name it"
    if any(not 0 < row[key] <= bound[table] for table, key in DELETED.items() for row in stored[table]):
        return "not bound by the audit trail yet"
    return None


def _same(said: Sequence[Said], stored: Sequence[Said]) -> bool:
    """Return whether the rows are equal. A column that the file's program did not know must be empty."""
    return len(said) == len(stored) and all(
        {**dict.fromkeys(now, None), **then} == now for then, now in zip(said, stored, strict=True)
    )
