"""A world of real rows for every test of a view."""

from __future__ import annotations

import pytest

from croupier.store.db import Db
from tests.views.world import World


@pytest.fixture
async def world(db: Db, database_url: str) -> World:
    made = World(db, database_url)
    await made.furnish()
    return made
