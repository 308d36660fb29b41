"""Archives: the bets and cashbacks that were over before a day, in signed files that are verified without the hub.

Owns: the files, their order, and their check after writing. Never: deletes a row, or decides which are over (views.archive.rows).
The same rows give the same bytes, so the command may be repeated after any interruption. Spec: decision 0100.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from croupier import __version__
from croupier.flows.hub import Hub
from croupier.kit.key_file import sync_folder
from croupier.kit.signed_file import SignedFileWriter
from croupier.store.db import Tx
from croupier.views.archive.books import Sums, add_up
from croupier.views.archive.rows import Origin, count_old, next_over, origin, texts_of
from croupier.views.archive.verify import FIRST, FORM, verify_files

PART: Final = 50_000
"""The most bets and cashbacks of one file."""
PAGE: Final = 500
SUFFIX: Final = ".jsonl.gz"

Progress = Callable[[str], None]
"""Called with a sentence at each step."""


class ArchiveRefused(Exception):
    """The archive cannot be written. The text says why and what to do."""


@dataclass(slots=True)
class Archived:
    """What an archive holds, or would hold."""

    before_ms: int
    subjects: int = 0
    left: int = 0
    """Bets and cashbacks that began before the day and are not over: open, owed, or with an open incident or finding."""
    key: str = ""
    """The public key that signed it, in base64url."""
    paths: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """How an archive is written. `to` is its directory; None counts alone."""

    before_ms: int
    to: Path | None
    progress: Progress
    part: int = PART


async def write_archive(hub: Hub, plan: ArchivePlan) -> Archived:
    """Write every bet and cashback that was over before the day; of one moment. Nothing is deleted.

    Raises ArchiveRefused, OSError.
    """
    if plan.before_ms > hub.clock.now_ms():
        raise ArchiveRefused("the day of an archive must be over: name an earlier one with --before")
    done = Archived(plan.before_ms, key=hub.notary.public)
    if plan.to is not None:
        await asyncio.to_thread(plan.to.mkdir, mode=0o700, parents=True, exist_ok=True)
    async with hub.store.db.transaction(snapshot=True) as tx:
        done.left = await count_old(tx, plan.before_ms)
        whence, previous = await origin(tx), FIRST
        ids = await next_over(tx, 0, plan.before_ms, most=min(PAGE, plan.part))
        while ids:
            part = _Part(plan, whence, number=len(done.paths) + 1, previous=previous, seed=hub.notary.seed)
            ids = await part.fill(tx, ids)
            previous = await asyncio.to_thread(part.close, last=not ids)
            done.subjects += part.subjects
            if part.path is not None:
                done.paths.append(part.path)
                plan.progress(f"{part.path}: {part.subjects} bets and cashbacks")
    done.left -= done.subjects
    await asyncio.to_thread(_read_back, hub, done)
    return done


def _read_back(hub: Hub, done: Archived) -> None:
    """Verify the files as they lie on the disk. Raises ArchiveRefused."""
    for report in verify_files(done.paths, hub.notary.owns):
        if report.problems:
            raise ArchiveRefused(
                f"{report.path} does not verify ({report.problems[0]}): run `croupier audit`, and keep the rows"
            )


class _Part:
    """One file while it is written. Its draft gets its name when it is whole and on the disk."""

    def __init__(self, plan: ArchivePlan, whence: Origin, *, number: int, previous: str, seed: bytes) -> None:
        self.subjects = 0
        self.path: Path | None = None
        self._plan = plan
        self._number = number
        self._sums: Sums = {}
        self._writer: SignedFileWriter | None = None
        if plan.to is None:
            return
        day = datetime.fromtimestamp(plan.before_ms // 1000, UTC).strftime("%Y%m%d")
        self.path = plan.to / f"croupier-archive-{day}-{number:04}{SUFFIX}"
        self._draft = self.path.with_name(f".{self.path.name}.draft")
        self._draft.unlink(missing_ok=True)
        self._file = os.fdopen(os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
        self._writer = SignedFileWriter(self._file, seed)
        self._writer.add(json.dumps({
            "what": "archive", "form": FORM, "installation": whence.installation, "trail": whence.trail,
            "program": __version__, "schema": whence.schema, "before_ms": plan.before_ms, "part": number,
            "previous": previous,
        }))  # fmt: skip

    async def fill(self, tx: Tx, ids: list[int]) -> list[int]:
        """Write pages until this part is full. Return the ids of the next part's first page; none at the end."""
        while ids and self.subjects < self._plan.part:
            if self._writer is not None:
                await asyncio.to_thread(self._add, await texts_of(tx, ids))
            self.subjects += len(ids)
            most = max(1, min(PAGE, self._plan.part - self.subjects))
            ids = await next_over(tx, ids[-1], self._plan.before_ms, most=most)
        return ids

    def _add(self, texts: list[str]) -> None:
        assert self._writer is not None
        for text in texts:
            self._writer.add(text)
            add_up(json.loads(text), self._sums)

    def close(self, *, last: bool) -> str:
        """Sign the file and give it its name. Return the digest that the next part names."""
        if self._writer is None or self.path is None:
            return FIRST
        said = {"what": "end", "part": self._number, "last": last, "subjects": self.subjects, "totals": self._sums}
        digest = self._writer.end(said)
        with self._file as file:
            file.flush()
            os.fsync(file.fileno())
        if self.path.exists() and self.path.read_bytes() != self._draft.read_bytes():
            self._draft.unlink()
            raise ArchiveRefused(
                f"{self.path} is there and holds something else, for example what was over at an earlier time: name another "
                "directory with --to"
            )
        self._draft.rename(self.path)
        with suppress(OSError):
            sync_folder(self.path.parent)
        return digest
