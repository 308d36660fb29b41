"""`croupier migrate`: an empty database of one's own becomes the program's, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from croupier.store.db import Db
from croupier.store.embedded.server import Attached
from croupier.store.migrate import FOLDER
from tests.cli.conftest import Cli


@pytest.fixture
async def empty(postgres: Attached, tmp_path: Path) -> AsyncIterator[str]:
    name = f"empty_{tmp_path.name}".replace("-", "_").lower()[:60]
    db = await Db.connect(postgres.connect_kwargs, size=1, pinned=1)
    await db.execute(f"create database {name}")
    yield postgres.dsn.replace("/croupier?", f"/{name}?")
    await db.execute(f"drop database {name} with (force)")
    await db.close()


@pytest.mark.slow
def test_an_empty_database_is_brought_up_to_date_once(empty: str, nowhere: Cli) -> None:
    files = sorted(path.name for path in FOLDER.glob("*.sql"))
    first = nowhere.ok("migrate", "--json", CROUPIER_DATABASE_URL=empty)
    assert first.json() == {"applied": files}
    assert nowhere.ok("migrate", "--json", CROUPIER_DATABASE_URL=empty).json() == {"applied": []}
    assert "up to date" in nowhere.ok("migrate", CROUPIER_DATABASE_URL=empty).out
    assert not nowhere.home.exists(), "a database of one's own needs no home"
