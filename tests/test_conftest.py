"""The databases that tests share: each test finds one as the migrations leave it."""

from __future__ import annotations

import pytest

from croupier.store.db import Db
from tests.conftest import Databases


@pytest.fixture(scope="module")
def seen() -> list[str]:
    return []


@pytest.mark.parametrize("turn", [1, 2])
async def test_a_used_database_is_empty_for_the_next_test(db: Db, seen: list[str], turn: int) -> None:
    assert await db.fetchval("select count(*) from casinos") == 0
    seen.append(str(await db.fetch("select * from state_moves")))
    assert seen[0] == seen[-1]
    await db.execute("delete from schema_migrations")


async def test_a_database_whose_schema_was_changed_is_not_used_again(_databases: Databases) -> None:
    name = await _databases.take()
    await _databases._run(name, "create table stray ()")
    await _databases.give_back(name)
    assert await _databases.take() != name
