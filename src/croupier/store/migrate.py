"""Migrations: numbered files that bring a database to the program's schema, each applied once and in order.

Owns: the order, the lock, and the record of what was applied. Never: the schema itself (migrations/NNNN_name.sql), or
what a file may hold (store.migration_files).

One session holds an advisory lock from the first file to the last, so programs that start together migrate one after the
other. A file and its record are committed in one transaction. A file with the marker `-- outside a transaction` runs
alone, and its record follows in a transaction of its own: an interruption between the two repeats the file
(decision 0046).

An applied file never changes again: its digest is recorded and compared. A program refuses a database that a newer
program has migrated, unless the newer file says `-- goes with NNNN`: programs that know the files up to that number may
serve beside the newer one. A rolling upgrade can therefore run two versions at once.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from croupier import __version__
from croupier.kit.clock import SystemClock
from croupier.kit.progress import Tell, tell_nobody
from croupier.store.db import Db, DbLocked, DbSession, DbUnfit, DbViolation, Tx, patience
from croupier.store.migration_files import FOLDER, ConcurrentStep, Migration, MigrationError, read_files

__all__ = ["FOLDER", "Migration", "MigrationError", "is_empty", "migrate", "pending", "set_up"]

_LOCK = 0x63726F7570696572
"""The advisory lock's number: "croupier" in ASCII."""
_LOCK_POLL_S = 0.2
"""The pause between two attempts at the advisory lock."""
_TABLE_LOCK_S = 20
"""The longest wait for a table that somebody uses: every later statement on that table waits behind this one."""
_GRACE_S = 5
"""The driver waits so much longer than the server, so that the server ends a statement that takes too long."""
_HAS_TABLES = """
select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema')"""
_RECORDS = """
create table if not exists schema_migrations (name text primary key, sha256 text not null);
alter table schema_migrations add column if not exists program text;
alter table schema_migrations add column if not exists goes_with text"""
_IS_INVALID = "select exists (select from pg_index where indexrelid = to_regclass($1::text) and not indisvalid)"


@dataclass(frozen=True, slots=True)
class _Applied:
    """The database's record of one file."""

    sha256: str
    program: str
    goes_with: str | None


async def migrate(db: Db, folder: Path = FOLDER, *, limit_s: float = 3600.0, tell: Tell = tell_nobody) -> list[str]:
    """Apply the missing files in order and return their names. `tell` is called before each.

    Each statement, and the wait for another program that migrates, may take `limit_s` seconds. Raises MigrationError.
    """
    files = read_files(folder)
    with patience(limit_s + _GRACE_S):
        # This first query needs no right but to read, and takes no lock.
        if not await _pending(db, files):
            return []
        async with _locked(db, limit_s) as session:
            async with _changing(session, limit_s) as tx:
                await tx.execute(_RECORDS)
                missing = _missing(files, await _applied(tx))
            for number, file in enumerate(missing):
                tell(f"Applying {file.name}", number, len(missing))
                await _apply(session, file, limit_s)
    return [file.name for file in missing]


async def set_up(db: Db, folder: Path = FOLDER, *, limit_s: float = 3600.0) -> list[str]:
    """Create the whole schema in an empty database, in one transaction; return the names of the applied files.

    A database that has tables is left alone. Of programs that start together on an empty database, one creates the
    schema and the others find it complete. A concurrent step runs as its blocking form: nobody uses the tables yet.
    """
    files = read_files(folder)
    with patience(limit_s + _GRACE_S):
        async with _locked(db, limit_s) as session, _changing(session, limit_s) as tx:
            if await tx.fetchval(_HAS_TABLES):
                return []
            await tx.execute(_RECORDS)
            for file in files:
                await tx.execute(file.sql if file.concurrent is None else file.concurrent.blocking_sql)
                await _record(tx, file)
    return [file.name for file in files]


async def is_empty(db: Db) -> bool:
    """Return whether the database has no table yet."""
    return not await db.fetchval(_HAS_TABLES)


async def pending(db: Db, folder: Path = FOLDER) -> list[str]:
    """Return the names of the files that `migrate` would apply. The database is only read."""
    return [file.name for file in await _pending(db, read_files(folder))]


@asynccontextmanager
async def _locked(db: Db, limit_s: float) -> AsyncIterator[DbSession]:
    """Lend a session that holds the advisory lock. A refusal of the role's rights becomes a MigrationError.

    The lock is polled. A program that waited inside a statement would hold a snapshot meanwhile, and
    `create index concurrently` waits for every older snapshot: the two would wait for each other.
    """
    clock = SystemClock()
    deadline_s = clock.monotonic_s() + limit_s
    try:
        async with db.session() as session:
            while not await session.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                if clock.monotonic_s() >= deadline_s:
                    raise MigrationError(
                        f"another program has been migrating this database for {limit_s:g} s: wait until it ends, or end "
                        "its session, then migrate again"
                    )
                await clock.sleep(_LOCK_POLL_S)
            yield session
    except DbUnfit as refused:
        raise MigrationError(await _what_to_grant(db, refused)) from refused


@asynccontextmanager
async def _changing(session: DbSession, limit_s: float) -> AsyncIterator[Tx]:
    """Open a transaction that changes the schema. A table that stays locked is a MigrationError."""
    try:
        async with session.transaction() as tx:
            await tx.execute(
                f"set local statement_timeout = '{round(limit_s)}s'; set local lock_timeout = '{_TABLE_LOCK_S}s'"
            )
            yield tx
    except DbLocked as held:
        raise MigrationError("somebody uses the tables all the time: stop what does, and migrate again") from held


async def _apply(session: DbSession, file: Migration, limit_s: float) -> None:
    if file.concurrent is not None:
        await _run_outside(session, file, file.concurrent, limit_s=limit_s)
    async with _changing(session, limit_s) as tx:
        if file.concurrent is None:
            await tx.execute(file.sql)
        await _record(tx, file)


async def _run_outside(session: DbSession, file: Migration, step: ConcurrentStep, *, limit_s: float) -> None:
    """Run the statement of a marked file. An invalid index of that name is dropped before, and after an error.

    An interrupted build leaves an invalid index, which `if not exists` takes for the wanted one. An invalid unique index
    also refuses rows, so it must not stay while somebody looks into the error.
    """
    # The wait for older transactions counts as a wait for a lock. It keeps nobody from reading or writing rows.
    await session.execute(f"set statement_timeout = '{round(limit_s)}s'; set lock_timeout = '{round(limit_s)}s'")
    await _drop_invalid(session, step)
    try:
        # `fetch` takes one statement only, so a second one that the file's check has missed is refused here.
        await session.fetch(step.sql)
    except Exception as error:
        if session.sound:
            await _drop_invalid(session, step)
        if isinstance(error, DbViolation):
            reason = " ".join(str(error).split()).rstrip(".")
            raise MigrationError(
                f"{file.name} cannot build {step.index}: {reason}: mend the rows, and migrate again"
            ) from error
        raise


async def _drop_invalid(session: DbSession, step: ConcurrentStep) -> None:
    if await session.fetchval(_IS_INVALID, step.index):
        await session.fetch(f"drop index concurrently if exists {step.index}")


async def _record(tx: Tx, file: Migration) -> None:
    await tx.execute(
        "insert into schema_migrations (name, sha256, program, goes_with) values ($1, $2, $3, $4)",
        file.name, file.sha256, __version__, file.goes_with,
    )  # fmt: skip


async def _what_to_grant(db: Db, refused: DbUnfit) -> str:
    """Return what to do for a role that may not change the schema. Any other error is raised again."""
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


async def _pending(db: Db, files: list[Migration]) -> list[Migration]:
    async with db.transaction(snapshot=True) as tx:
        recorded = await tx.fetchval("select to_regclass('schema_migrations') is not null")
        return _missing(files, await _applied(tx) if recorded else {})


async def _applied(tx: Tx) -> dict[str, _Applied]:
    # The records of older programs have fewer columns.
    rows = await tx.fetch("select to_jsonb(m)::text as kept from schema_migrations m")
    kept = [json.loads(row["kept"]) for row in rows]
    return {
        one["name"]: _Applied(one["sha256"], one.get("program") or "an unknown version", one.get("goes_with"))
        for one in kept
    }


def _missing(files: list[Migration], applied: dict[str, _Applied]) -> list[Migration]:
    """Return the files that are not applied. Raises MigrationError where the applied ones are not the program's own."""
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
