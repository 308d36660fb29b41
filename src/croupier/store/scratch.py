"""Databases for one run: made from a migrated template on an embedded server, and dropped before the next.

Owns: making them quickly. Never: touches the database of a hub. For the simulator.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from croupier.store.db import Db
from croupier.store.embedded import Attached
from croupier.store.migrate import migrate

TEMPLATE = f"simulator_template_{os.getpid()}"
NAME = f"simulator_run_{os.getpid()}"
"""Of this process alone: several may simulate on one server."""


async def make_template(attached: Attached) -> None:
    """Make the template anew, as the migrations leave it."""
    async with _admin(attached) as db:
        await db.execute(f"drop database if exists {NAME} with (force)")
        await db.execute(f"drop database if exists {TEMPLATE} with (force)")
        await db.execute(f"create database {TEMPLATE}")
    db = await _open(attached, TEMPLATE)
    try:
        await migrate(db)
    finally:
        await db.close()


async def drop_all(attached: Attached) -> None:
    """Leave nothing behind."""
    async with _admin(attached) as db:
        for name in (NAME, TEMPLATE):
            await db.execute(f"drop database if exists {name} with (force)")


@asynccontextmanager
async def scratch(attached: Attached) -> AsyncIterator[Db]:
    """An empty database with one connection of each sort, so that its answers have one order."""
    async with _admin(attached) as admin:
        await admin.execute(f"drop database if exists {NAME} with (force)")
        await admin.execute(f"create database {NAME} template {TEMPLATE}")
    db = await _open(attached, NAME)
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def _admin(attached: Attached) -> AsyncIterator[Db]:
    db = await _open(attached, "postgres")
    try:
        yield db
    finally:
        await db.close()


async def _open(attached: Attached, database: str) -> Db:
    return await Db.connect({**attached.connect_kwargs, "database": database}, size=1, lines=1)
