"""Dumping the embedded database and loading a dump, with the server's own programs.

Owns: the calls of pg_dump and pg_restore, and the exchange of one database for another. Never: what is in the dump, or its
encryption (apps.backup). Spec: operate.md 7.

The programs block, so an event loop calls them in a thread.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from croupier.store.db import Db
from croupier.store.embedded.directory import USER, EmbeddedError, programs
from croupier.store.embedded.server import Attached

NEW = f"{USER}_restoring"
"""The database that a dump is loaded into, until it is whole."""
_ADMIN = "postgres"
_KNOWN = "select datname from pg_database where datname = any($1)"
_HAS_TABLES = "select exists (select from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace)"


def dump(home: Path, attached: Attached, to: Path) -> None:
    """Write all of the database, as of one moment, into a new file. Raises EmbeddedError."""
    _run(home, attached, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}", USER)


def check(home: Path, attached: Attached, dumped: Path) -> int:
    """Read the whole dump as pg_restore would, and return its number of tables. Raises EmbeddedError."""
    listed = _run(home, attached, "pg_restore", "--list", str(dumped))
    _run(home, attached, "pg_restore", "--file=/dev/null", str(dumped))
    return sum(" TABLE DATA " in line for line in listed.splitlines())


async def begin(attached: Attached) -> None:
    """Make the empty database that a dump is loaded into. One that an interrupted run left is dropped."""
    async with connected(attached, _ADMIN) as admin:
        await admin.execute(f"drop database if exists {NEW} with (force)")
        await admin.execute(f"create database {NEW}")


def load(home: Path, attached: Attached, dumped: Path) -> None:
    """Load a dump into the new database, in one transaction. Raises EmbeddedError."""
    _run(
        home, attached, "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges",
        f"--dbname={NEW}", str(dumped),
    )  # fmt: skip


@asynccontextmanager
async def connected(attached: Attached, database: str = USER) -> AsyncIterator[Db]:
    """Connect to a database of this server for one piece of work. `NEW` is the one that a dump was loaded into."""
    db = await Db.connect({**attached.connect_kwargs, "database": database}, size=1, pinned=1)
    try:
        yield db
    finally:
        await db.close()


async def replace(attached: Attached, keep_as: str) -> str | None:
    """Put the new database in the place of the old one. Return the name under which the old one is kept, None if it was empty.

    Raises EmbeddedError if somebody uses the old one.
    """
    kept = keep_as if await has_tables(attached) else None
    async with connected(attached, _ADMIN) as admin:
        if await admin.fetch(_KNOWN, [USER]):
            await _put_aside(admin, kept)
        await admin.execute(f"alter database {NEW} rename to {USER}")
    return kept


async def has_tables(attached: Attached) -> bool:
    """Return whether the database of the home exists and has a table."""
    async with connected(attached, _ADMIN) as admin:
        if not await admin.fetch(_KNOWN, [USER]):
            return False
    async with connected(attached) as old:
        return bool(await old.fetchval(_HAS_TABLES))


async def _put_aside(admin: Db, kept: str | None) -> None:
    users = "select count(*) from pg_stat_activity where datname = $1"
    if await admin.fetchval(users, USER):
        raise EmbeddedError("somebody uses the database of this home: stop what does, and restore again")
    await admin.execute(f"drop database {USER}" if kept is None else f"alter database {USER} rename to {kept}")


def _run(home: Path, attached: Attached, program: str, *words: str) -> str:
    """Run a program of the server and return its output. Raises EmbeddedError with its last words."""
    address = attached.connect_kwargs
    environ = {**os.environ, "PGHOST": str(address["host"]), "PGPORT": str(address["port"]), "PGUSER": USER}
    if "password" in address:
        environ["PGPASSWORD"] = str(address["password"])
    done = subprocess.run(
        [programs(home) / "bin" / program, *words],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise EmbeddedError(f"{program} failed: {' '.join(done.stderr.strip().splitlines()[-3:])}")
    return done.stdout
