"""The judge of archives finds books that do not fit, in the rows of bets that are over."""

from __future__ import annotations

import pytest

from croupier.simulator.judge import Judgement
from croupier.simulator.judge_archives import judge_archives
from croupier.store.db import Db
from tests.views.world import World


@pytest.fixture
async def world(db: Db, database_url: str) -> World:
    made = World(db, database_url)
    await made.furnish()
    return made


async def test_books_that_do_not_fit_are_wrong(world: World) -> None:
    story = world.story()
    story.settled()
    await world.keep(story)
    await world.db.execute("delete from calls where slot = 'close'")
    verdict = Judgement()
    await judge_archives(world.db, verdict)
    assert verdict.violations == []
    await world.break_by("update ledger set at_ms = at_ms + 1 where why = 'settled'")
    await judge_archives(world.db, verdict)
    assert len(verdict.violations) == 1
    assert "belongs to no event" in verdict.violations[0]
