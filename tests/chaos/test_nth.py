"""The failure of the n-th call, for a share of all calls that fits every test run; `make chaos` runs the whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from croupier.store.db import Db
from tests.chaos.nth import SCENARIOS, WAYS, Fault, enumerate_failures

STRIDE = 9


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.one_in(4)
@pytest.mark.slow
def test_whatever_call_fails_the_books_agree_at_the_end(scenario: str, database_url: str) -> None:
    """Every call of the network, every ninth of the database, before it takes effect and after."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Db]:
        db = await Db.connect(database_url, size=2, pinned=2)
        try:
            yield db
        finally:
            await db.close()

    found = enumerate_failures(opened, scenario, WAYS, stride=STRIDE)
    assert set(found.failed) == {f"{what} {when}" for what, when in WAYS}, "a sort of call that never failed"
    assert found.runs > len(WAYS)


def test_the_nth_call_of_its_sort_fails_and_no_other() -> None:
    fault = Fault()
    fault.arm("network", "after", 2)
    calls = [("database", "a"), ("network", "b"), ("database", "c"), ("network", "d"), ("network", "e")]
    assert [fault.due(*call) for call in calls] == ["", "", "", "after", ""]
    assert fault.hit == "d"
