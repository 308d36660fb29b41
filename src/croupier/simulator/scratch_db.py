"""Databases for many runs: one, made as the migrations leave it, emptied between runs.

Owns: making it, and emptying it quickly: as the migrations and a preparation left it, sequences included. Never:
touches the database of a hub. For the simulator and for tests.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from croupier.simulator.synchronous_db import StillDb
from croupier.store.db import Db
from croupier.store.embedded.server import Attached
from croupier.store.migrate import migrate

NAME = f"simulator_{os.getpid()}"
"""Of this process alone: several may simulate on one server."""

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
"""Keep what is in the tables now, and how far sequences are. (No table that is filled has a generated column.)"""

UNLOGGED = """
do $$ declare it record; begin
    for it in select oid, relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
        if not exists (select from pg_constraint where contype = 'f' and it.oid in (conrelid, confrelid)) then
            execute format('alter table public.%I set unlogged', it.name);
        end if;
    end loop;
end $$;
"""
"""What a crash of the server would take away is of no use to anybody: no table that grows (none of them is in a foreign
key) is written ahead."""

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
"""Back to what was kept; quick where little was written."""
EMPTY_MUCH = _EMPTY.format(forget="truncate").replace("public.%I', it.name);", "public.%I cascade', it.name);", 1)
"""The same for tables that have grown."""

Prepare = Callable[[Db], Awaitable[None]]


@asynccontextmanager
async def scratch(attached: Attached, prepare: Prepare | None = None) -> AsyncIterator[StillDb]:
    """A migrated database, with what `prepare` put into it kept; dropped at the end."""
    async with _admin(attached) as admin:
        await admin.execute(f"drop database if exists {NAME} with (force)")
        await admin.execute(f"create database {NAME}")
    try:
        await _fill(attached, prepare)
        db = await StillDb.connect({**attached.connect_kwargs, "database": NAME})
        try:
            yield db
        finally:
            await db.close()
    finally:
        async with _admin(attached) as admin:
            await admin.execute(f"drop database if exists {NAME} with (force)")


async def empty(db: Db, *, much: bool) -> None:
    """Make it as it was when it was new. `much`: thousands of rows are to be forgotten."""
    await db.execute(EMPTY_MUCH if much else EMPTY)


async def _fill(attached: Attached, prepare: Prepare | None) -> None:
    db = await Db.connect({**attached.connect_kwargs, "database": NAME}, size=1, lines=1)
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
    db = await Db.connect({**attached.connect_kwargs, "database": "postgres"}, size=1, lines=1)
    try:
        yield db
    finally:
        await db.close()
