"""A desk for every test of a flow."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from croupier.store.db import Db
from tests.flows.desk import Desk, make_desk


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    made = await make_desk(db)
    yield made
    await made.line.close()
