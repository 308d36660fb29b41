"""Backup and restore of a home: the embedded database and the checkpoints of its audit trail, in one encrypted file.

Owns: the contents of the file, its check after writing, and the order of a restore. Never: encryption (kit.age_file), or
PostgreSQL's programs (store.embedded.dump). Spec: operate.md 7, money.md 4.6.

The file is a tar archive, encrypted by age: `manifest.json`, `hub.dump` (pg_dump's custom format) and `trail/`. The key
that seals secrets is not in it: whoever has the file and its key must not have the counterparties' secrets too.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from croupier import __version__
from croupier.kit import age_file
from croupier.kit.clock import Clock
from croupier.kit.progress import Tell
from croupier.kit.settings import Settings
from croupier.store.embedded import dump
from croupier.store.embedded.server import Attached, EmbeddedError, attach
from croupier.store.migration_files import FOLDER, read_files
from croupier.store.processes import Processes

FORM = 1
"""The version of the file's contents."""
SUFFIX = ".tar.age"
_MANIFEST, _DUMP, _TRAIL = "manifest.json", "hub.dump", "trail"
_LAST = "last-backup.json"
"""The note of the last backup, in the home. Its time is the time of the backup."""
_SCHEMA = "select coalesce(max(name), '') from schema_migrations"
_MOST_MANIFEST = 65_536

"""Called with a sentence as each step begins."""


class BackupRefused(Exception):
    """The backup or the restore cannot be done. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself."""

    form: int
    program: str
    schema: str
    """The newest migration in it."""
    made_at: str
    """The time before the dump began, ISO 8601 in UTC."""
    tables: int


@dataclass(frozen=True, slots=True)
class Contents:
    """The parts of a backup, as they lie on the disk."""

    manifest: Manifest
    dump: Path
    trail: Path


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup that was written, read back and compared."""

    path: Path
    bytes: int
    manifest: Manifest
    key: Path
    key_is_new: bool
    deleted: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class RestoredHome:
    """The result of a restore."""

    manifest: Manifest
    kept_as: str | None
    """The name under which the server keeps the database that was there before."""
    trail: bool
    """True if the checkpoints came from the backup; False if the home has newer ones of its own."""
    has_key: bool
    """False if the file of the key that seals secrets is missing."""


async def back_up(settings: Settings, clock: Clock, to: Path, *, keep: int | None, tell: Tell) -> MadeBackup:
    """Write a backup into the directory `to`, and delete older ones beyond `keep`. The hub may serve meanwhile.

    Raises BackupRefused, BadBackupKey, EmbeddedError, OSError.
    """
    _only_embedded(settings)
    attached = await asyncio.to_thread(attach, settings.home, may_make=False)
    with attached:
        schema = await _schema_of(attached)
        made_at = _instant(clock)
        key, is_new = await asyncio.to_thread(_make_places, settings, to)
        with _workspace(settings.home) as folder:
            dumped = folder / _DUMP
            tell("Dumping the database", 0, 3)
            await asyncio.to_thread(dump.dump, settings.home, attached, dumped)
            tell("Reading the dump back", 1, 3)
            tables = await asyncio.to_thread(dump.check, settings.home, attached, dumped)
            manifest = Manifest(FORM, __version__, schema, made_at, tables)
            path = to / f"croupier-{made_at.replace('-', '').replace(':', '')}{SUFFIX}"
            tell("Encrypting and comparing", 2, 3)
            await asyncio.to_thread(write, key, Contents(manifest, dumped, settings.trail_path), path)
    _note_done(settings, path, made_at)
    deleted = _delete_old(to, keep)
    return MadeBackup(path, path.stat().st_size, manifest, settings.backup_key_path, is_new, deleted)


def last_backup_s(settings: Settings) -> float | None:
    """Return the Unix time of the last backup that was made of this home, or None if there was none."""
    try:
        return (settings.home / _LAST).stat().st_mtime
    except OSError:
        return None


async def restore(settings: Settings, clock: Clock, path: Path, *, replace: bool, tell: Tell) -> RestoredHome:
    """Put a backup in the place of the home's database, while no hub serves it. The old database is kept.

    With `replace` the home may have a database already. Raises BackupRefused, BadBackupKey, EmbeddedError, OSError.
    """
    _only_embedded(settings)
    try:
        key = age_file.read_key(settings.backup_key_path)
    except FileNotFoundError:
        raise BackupRefused(
            f"the key of the backups, {settings.backup_key_path}, is not here: put it there, or name it in "
            "CROUPIER_BACKUP_KEY_FILE"
        ) from None
    settings.home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    with _workspace(settings.home) as folder:
        tell("Decrypting", 0, 2)
        await asyncio.to_thread(age_file.decrypt, key, path, lambda source: _unpack(source, folder))
        manifest = _checked(folder)
        with await asyncio.to_thread(attach, settings.home) as attached:
            await _is_free(attached, clock, replace=replace)
            tell("Loading the database", 1, 2)
            await dump.begin(attached)
            await asyncio.to_thread(dump.load, settings.home, attached, folder / _DUMP)
            await _is_whole(attached, manifest)
            await _silence(attached)
            stamp = _instant(clock).replace("-", "").replace(":", "").lower()
            kept_as = await dump.replace(attached, f"croupier_before_{stamp}")
        trail = _place_trail(folder / _TRAIL, settings.trail_path)
    return RestoredHome(manifest, kept_as, trail, settings.key_path.exists())


# --- writing ------------------------------------------------------------------------------------------------


def _make_places(settings: Settings, to: Path) -> tuple[object, bool]:
    """Make the directory, and the key if there is none. Return the key and whether it is new."""
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    return age_file.read_or_make_key(settings.backup_key_path)


def write(key: object, contents: Contents, path: Path) -> None:
    """Write the file beside its final name, read it back, and move it there when both agree."""
    draft = path.with_suffix(".draft")
    seen = age_file.Digest()
    try:
        age_file.encrypt(key, lambda sink: _pack(_Both(sink, seen), contents), draft)
        if age_file.digest(key, draft) != seen.hexdigest():
            raise BackupRefused(f"the disk gives back something else than was written to {draft}: use another disk")
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _Both:
    """A stream that goes to two places."""

    def __init__(self, sink: BinaryIO, seen: age_file.Digest) -> None:
        self._sink = sink
        self._seen = seen

    def write(self, data: bytes) -> int:
        self._seen.write(data)
        return self._sink.write(data)


def _pack(sink: _Both, contents: Contents) -> None:
    with tarfile.open(fileobj=sink, mode="w|") as archive:  # type: ignore[call-overload]  # it only writes
        text = json.dumps(asdict(contents.manifest)).encode()
        entry = tarfile.TarInfo(_MANIFEST)
        entry.size = len(text)
        archive.addfile(entry, BytesIO(text))
        archive.add(contents.dump, _DUMP, filter=_anonymous)
        if contents.trail.is_dir():
            for file in sorted(path for path in contents.trail.iterdir() if path.is_file()):
                archive.add(file, f"{_TRAIL}/{file.name}", filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def _delete_old(folder: Path, keep: int | None) -> tuple[Path, ...]:
    """Delete all but the newest backups, by the times in their names. Other files are left alone."""
    if keep is None:
        return ()
    known = sorted(path for path in folder.glob(f"croupier-*Z{SUFFIX}") if path.is_file())
    old = known[:-keep]
    for path in old:
        path.unlink()
    return tuple(old)


# --- reading ------------------------------------------------------------------------------------------------


def _unpack(source: BinaryIO, folder: Path) -> None:
    with tarfile.open(fileobj=source, mode="r|") as archive:
        for entry in archive:
            _unpack_one(archive, entry, folder)
    while source.read(1 << 20):
        pass  # to the end, where the stream's authentication ends


def _unpack_one(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    """Write one plain file below the folder. The filters of `tarfile` are not in every Python 3.11."""
    target = (folder / entry.name).resolve()
    held = archive.extractfile(entry) if entry.isfile() and folder.resolve() in target.parents else None
    if held is None:
        raise BackupRefused(f"this file holds {entry.name[:100]!r}, which no backup of Croupier holds")
    target.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(held, file)


def _manifest(folder: Path) -> Manifest:
    try:
        told = json.loads((folder / _MANIFEST).read_bytes()[:_MOST_MANIFEST])
        return Manifest(**told)
    except (OSError, ValueError, TypeError):
        raise BackupRefused("this file opens, and is no backup of Croupier") from None


def _checked(folder: Path) -> Manifest:
    """Return the manifest of a backup that this program can restore."""
    manifest = _manifest(folder)
    newest = max(file.name for file in read_files(FOLDER))
    if manifest.form > FORM or manifest.schema > newest:
        raise BackupRefused(
            f"this backup was made by version {manifest.program} with the schema {manifest.schema}, and this program knows "
            f"none after {newest}: install that version or a newer one, and restore again"
        )
    if not (folder / _DUMP).exists():
        raise BackupRefused("this backup holds no database")
    return manifest


async def _is_free(attached: Attached, clock: Clock, *, replace: bool) -> None:
    if not await dump.has_tables(attached):
        return
    async with dump.connected(attached) as db:
        if await Processes(db, clock).serving():
            raise BackupRefused("a hub serves this home: stop it (SIGTERM), and restore again")
    if not replace:
        raise BackupRefused(
            "this home has a database already: restore into an empty home (CROUPIER_HOME), or with --replace, which keeps "
            "the old one beside the new"
        )


async def _is_whole(attached: Attached, manifest: Manifest) -> None:
    async with dump.connected(attached, dump.NEW) as db:
        schema = await db.fetchval(_SCHEMA)
    if schema != manifest.schema:
        raise BackupRefused(
            f"the dump holds the schema {schema}, and its manifest says {manifest.schema}: nothing was changed"
        )


async def _silence(attached: Attached) -> None:
    """Make the processes of the backup look as old as they are: none of them serves this home."""
    async with dump.connected(attached, dump.NEW) as db:
        await db.execute("update processes set beat_ms = 0")


def _place_trail(saved: Path, trail: Path) -> bool:
    """Copy the checkpoints, unless the home has some: those may be newer, and must never be lost."""
    if not saved.is_dir() or (trail.is_dir() and any(trail.iterdir())):
        return False
    trail.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in saved.iterdir():
        shutil.copyfile(file, trail / file.name)
        (trail / file.name).chmod(0o600)
    return True


# --- both ---------------------------------------------------------------------------------------------------


def _only_embedded(settings: Settings) -> None:
    if settings.database_url is not None:
        raise BackupRefused(
            "this hub uses the database of CROUPIER_DATABASE_URL: back it up with its own tools (docs/OPERATIONS.md, Backup)"
        )


async def _schema_of(attached: Attached) -> str:
    if not await dump.has_tables(attached):
        raise BackupRefused("the database of this home is empty: there is nothing to back up")
    async with dump.connected(attached) as db:
        return str(await db.fetchval(_SCHEMA))


def _note_done(settings: Settings, path: Path, made_at: str) -> None:
    """Leave the name and time of the backup in the home, where `/metrics` and `croupier doctor` look."""
    note = settings.home / _LAST
    note.write_text(json.dumps({"file": str(path.absolute()), "made_at": made_at}) + "\n", encoding="utf-8")
    made_s = datetime.fromisoformat(made_at).timestamp()
    os.utime(note, (made_s, made_s))


def _instant(clock: Clock) -> str:
    return datetime.fromtimestamp(clock.now_ms() // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _workspace(home: Path) -> Iterator[Path]:
    """Lend a private directory for what is not encrypted, on the disk of the database, and remove it."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="backup-", dir=home))
    except FileNotFoundError:
        raise EmbeddedError(f"there is no hub in {home.absolute()}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
