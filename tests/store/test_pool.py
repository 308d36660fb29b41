"""The pool of sessions: closing it leaves nothing behind, whatever was under way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from croupier.store.db import Db
from croupier.store.errors import DbDown
from croupier.store.pool import Pool


async def backends(db: Db) -> int:
    """The sessions of this test's database, but the one that asks."""
    sql = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    return int(await db.fetchval(sql))


async def test_a_session_that_is_opened_while_the_pool_closes_is_not_lent(
    db: Db, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await backends(db)
    looks, may_go = asyncio.Event(), asyncio.Event()
    look_at = Pool._look_at

    async def slow(self: Pool, connection: Any) -> None:
        looks.set()
        await may_go.wait()
        await look_at(self, connection)

    monkeypatch.setattr(Pool, "_look_at", slow)
    pool = Pool({"dsn": database_url}, 1, {})
    taking = asyncio.create_task(pool.take(5))
    await looks.wait()
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)
    may_go.set()
    with pytest.raises(DbDown, match="has left"):
        await taking
    await closing
    async with asyncio.timeout(5):
        while await backends(db) > before:
            await asyncio.sleep(0.01)


async def test_a_closed_pool_waits_for_the_statements_that_are_being_cancelled(database_url: str) -> None:
    pool = Pool({"dsn": database_url}, 1, {})
    connection = await pool.take(5)

    async def asks() -> None:
        try:
            await connection.execute("select pg_sleep(60)")
        finally:
            pool.give_back(connection, sound=False)

    asking = asyncio.create_task(asks())
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.wait([asking])
    await pool.close()
    assert connection.is_closed()
    assert not pool._ending
    assert not connection._cancellations
