"""A database for many runs: created once with all migrations, and reset between runs.

Owns: creating it, and resetting it quickly to the rows and sequences after migrations and preparation. Never:
touches the database of a hub. For the simulator and for tests.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from croupier.simulator.synchronous_db import SynchronousDb
from croupier.store.db import Db
from croupier.store.embedded.server import Attached
from croupier.store.migrate import migrate

NAME = f"simulator_{os.getpid()}"
"""The name belongs to this process alone: several processes may simulate on one server."""

KEEP = """
create schema pristine;
create table pristine."sequences of all" (name text, value bigint, called boolean);
do $$ declare it record; filled boolean; begin
    for it in select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
        execute format('select exists (select from public.%I)', it.name) into filled;
        if filled then
            execute format('create table pristine.%I as table public.%1$I', it.name);
        end if;
    end loop;
    for it in select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S' loop
        execute format(
            'insert into pristine."sequences of all" select %1$L, last_value, is_called from public.%1$I', it.name
        );
    end loop;
end $$;
"""
"""Save the rows of all tables and the values of all sequences. (No table with rows has a generated column.)"""

UNLOGGED = """
do $$ declare it record; begin
    for it in select oid, relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
        if not exists (select from pg_constraint where contype = 'f' and it.oid in (conrelid, confrelid)) then
            execute format('alter table public.%I set unlogged', it.name);
        end if;
    end loop;
end $$;
"""
"""Nobody needs this database after a crash of the server: tables that grow are not written to the log. (None of them
has a foreign key.)"""

_EMPTY = """
do $$ declare it record; begin
    set local session_replication_role = replica;
    for it in select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
        execute format('{forget} public.%I', it.name);
        if to_regclass(format('pristine.%I', it.name)) is not null then
            execute format('insert into public.%I overriding system value table pristine.%1$I', it.name);
        end if;
    end loop;
    for it in select * from pristine."sequences of all" loop
        perform setval(format('public.%I', it.name), it.value, it.called);
    end loop;
end $$;
"""
EMPTY = _EMPTY.format(forget="delete from")
"""Restore the saved rows. This is fast after few changes."""
EMPTY_MUCH = _EMPTY.format(forget="truncate").replace("public.%I', it.name);", "public.%I cascade', it.name);", 1)
"""The same for tables that have grown."""

Prepare = Callable[[Db], Awaitable[None]]


@asynccontextmanager
async def scratch(attached: Attached, prepare: Prepare | None = None) -> AsyncIterator[SynchronousDb]:
    """Create a migrated database with the rows that `prepare` adds; drop it at the end."""
    async with _admin(attached) as admin:
        await admin.execute(f"drop database if exists {NAME} with (force)")
        await admin.execute(f"create database {NAME}")
    try:
        await _fill(attached, prepare)
        db = await SynchronousDb.connect({**attached.connect_kwargs, "database": NAME})
        try:
            yield db
        finally:
            await db.close()
    finally:
        async with _admin(attached) as admin:
            await admin.execute(f"drop database if exists {NAME} with (force)")


async def empty(db: Db, *, much: bool) -> None:
    """Reset the database to its saved rows. `much`: thousands of rows were added."""
    await db.execute(EMPTY_MUCH if much else EMPTY)


async def _fill(attached: Attached, prepare: Prepare | None) -> None:
    db = await Db.connect({**attached.connect_kwargs, "database": NAME}, size=1, pinned=1)
    try:
        await migrate(db)
        if prepare is not None:
            await prepare(db)
        await db.execute(UNLOGGED)
        await db.execute(KEEP)
    finally:
        await db.close()


@asynccontextmanager
async def _admin(attached: Attached) -> AsyncIterator[Db]:
    db = await Db.connect({**attached.connect_kwargs, "database": "postgres"}, size=1, pinned=1)
    try:
        yield db
    finally:
        await db.close()
