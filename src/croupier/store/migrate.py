"""Brings a database to the program's schema: numbered files, each applied once, in order, whole or not at all.

Owns: the order, the record of what was applied. Never: the schema itself (migrations/NNNN_name.sql).

Each file runs in one transaction under an advisory lock, so that programs that start together take turns. An applied
file never changes again: its digest is recorded and compared. A program that meets a file of a newer one refuses, unless
that file says `-- goes with NNNN`: programs that know the files up to that number may serve beside the newer one, so that
a rolling upgrade can have two versions at once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from croupier import __version__
from croupier.store.db import Db, DbLocked, DbUnfit, Tx, patience

FOLDER = Path(__file__).with_name("migrations")
_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_LOCK = 0x63726F7570696572
"""The advisory lock's number: "croupier" in ASCII."""
_ALONE_S = 20
"""So long a migration waits for tables that somebody uses, and everybody else behind it."""
_HAS_TABLES = """
select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema')"""
_TABLE = "create table if not exists schema_migrations (name text primary key, sha256 text not null)"


_GOES_WITH = re.compile(r"^-- goes with (\d{4})$", re.MULTILINE)
_KEEPS = """
alter table schema_migrations add column if not exists program text;
alter table schema_migrations add column if not exists goes_with text"""


class MigrationError(Exception):
    """The files and the database do not fit together. The text says what to do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The digest of its text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def goes_with(self) -> str | None:
        """The number up to which a program must know the files to serve on this schema, None if it must know this one."""
        told = _GOES_WITH.search(self.sql)
        return told[1] if told else None


@dataclass(frozen=True, slots=True)
class _Applied:
    """What the database says of a file."""

    sha256: str
    program: str
    goes_with: str | None


async def migrate(db: Db, folder: Path = FOLDER, *, limit_s: float = 3600.0) -> list[str]:
    """Apply what is missing and return the names of what was applied, in order. A statement may take `limit_s`."""
    files = _read(folder)
    done: list[str] = []
    with patience(limit_s):
        while True:
            # A look of its own first: it needs no right but to read, and holds nothing while we wait for our turn.
            async with db.transaction(snapshot=True) as tx:
                todo = await _is_missing(tx, files)
            if not todo:
                return done
            async with _changing(db) as tx:
                name = await _apply_next(tx, files, limit_s)
            if name is None:
                return done
            done.append(name)


async def set_up(db: Db, folder: Path = FOLDER, *, limit_s: float = 3600.0) -> list[str]:
    """Give an empty database the whole schema, in one transaction; the names of what was applied.

    Nothing is done where there are tables. So of programs that start together on an empty database one sets it up,
    the others find it whole, and none takes it for an old one.
    """
    files = _read(folder)
    with patience(limit_s):
        async with _changing(db) as tx:
            await _alone(tx, limit_s)
            if await tx.fetchval(_HAS_TABLES):
                return []
            await tx.execute(_TABLE)
            await tx.execute(_KEEPS)
            for file in files:
                await _apply(tx, file)
    return [file.name for file in files]


async def is_empty(db: Db) -> bool:
    """Whether nobody has made a table in this database yet."""
    return not await db.fetchval(_HAS_TABLES)


@asynccontextmanager
async def _changing(db: Db) -> AsyncIterator[Tx]:
    """A transaction that changes the schema; what keeps it from that is a MigrationError that says what to do."""
    try:
        async with db.transaction() as tx:
            yield tx
    except DbLocked as held:
        raise MigrationError("somebody uses the tables all the time: stop what does, and migrate again") from held
    except DbUnfit as refused:
        raise MigrationError(await _what_to_grant(db, refused)) from refused


async def _alone(tx: Tx, limit_s: float) -> None:
    """Wait until nobody else changes the schema."""
    await tx.execute(f"set local statement_timeout = '{round(limit_s)}s'; set local lock_timeout = '{round(limit_s)}s'")
    await tx.fetch("select pg_advisory_xact_lock($1)", _LOCK)
    await tx.execute(f"set local lock_timeout = '{_ALONE_S}s'")


async def _what_to_grant(db: Db, refused: DbUnfit) -> str:
    """The sentence for a role that may not change the schema; other trouble goes on as it is."""
    if "permission denied" not in str(refused) and "must be owner" not in str(refused):
        raise refused
    row = await db.fetchrow(
        "select current_user::text as role, current_schema()::text as place, current_database()::text as name,"
        " (select min(tableowner::text) from pg_tables where schemaname = current_schema()) as owner"
    )
    assert row is not None
    role, owner = row["role"], row["owner"]
    if owner is None or owner == role:
        return f"role {role} may not make tables ({refused}): grant create, usage on schema {row['place']} to {role}"
    return (
        f"role {role} does not own the tables ({refused}): run `croupier migrate` as {owner}, or `reassign owned by {owner} "
        f"to {role}` in database {row['name']}"
    )


async def pending(db: Db, folder: Path = FOLDER) -> list[str]:
    """The names of what `migrate` would apply; the database is only read."""
    async with db.transaction(snapshot=True) as tx:
        known = await tx.fetchval("select to_regclass('schema_migrations') is not null")
        applied = await _applied(tx) if known else {}
    return [file.name for file in _missing(_read(folder), applied)]


async def _apply_next(tx: Tx, files: list[Migration], limit_s: float) -> str | None:
    """Apply the first missing file, if there is one, while nobody else does."""
    await _alone(tx, limit_s)
    await tx.execute(_TABLE)
    await tx.execute(_KEEPS)
    missing = _missing(files, await _applied(tx))
    if not missing:
        return None
    await _apply(tx, missing[0])
    return missing[0].name


async def _apply(tx: Tx, file: Migration) -> None:
    await tx.execute(file.sql)
    await tx.execute(
        "insert into schema_migrations (name, sha256, program, goes_with) values ($1, $2, $3, $4)",
        file.name, file.sha256, __version__, file.goes_with,
    )  # fmt: skip


async def _is_missing(tx: Tx, files: list[Migration]) -> bool:
    """Whether there is anything to do: a look that needs no right but to read."""
    known = await tx.fetchval("select to_regclass('schema_migrations') is not null")
    return not known or bool(_missing(files, await _applied(tx)))


async def _applied(tx: Tx) -> dict[str, _Applied]:
    # Older programs kept less of a file.
    rows = await tx.fetch("select to_jsonb(m)::text as kept from schema_migrations m")
    kept = [json.loads(row["kept"]) for row in rows]
    return {
        one["name"]: _Applied(one["sha256"], one.get("program") or "an unknown version", one.get("goes_with"))
        for one in kept
    }


def _missing(files: list[Migration], applied: dict[str, _Applied]) -> list[Migration]:
    """What is not applied yet, once it is sure that what is applied is what we have."""
    missing = [file for file in files if file.name not in applied]
    for file in files:
        if file.name in applied and applied[file.name].sha256 != file.sha256:
            raise MigrationError(f"{file.name} was changed after it was applied: restore it, and add a new file")
    names = {file.name for file in files}
    newest = max(names, default="")
    for name in sorted(applied):
        if name not in names and name < newest:
            raise MigrationError(f"{name} was applied to this database, but this program does not have it")
        if name not in names and (applied[name].goes_with or name) > newest[:4]:
            raise MigrationError(
                f"the database is newer than this program: {name} was applied by croupier {applied[name].program}, and this "
                f"is croupier {__version__}, which knows the files up to {newest or 'none'}: run that version or a newer one"
            )
    if missing and applied and missing[0].name < max(applied.keys() & names, default=""):
        raise MigrationError(f"{missing[0].name} comes before a file that is applied: give it the next number")
    return missing


def _read(folder: Path) -> list[Migration]:
    """The files of a folder in their order, which must number 0001, 0002 and on."""
    files = [Migration(path.name, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql"))]
    for number, file in enumerate(files, start=1):
        if not _NAME.fullmatch(file.name) or int(file.name[:4]) != number:
            raise MigrationError(f"{file.name} should be named {number:04}_what_it_does.sql")
    return files
