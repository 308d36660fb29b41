"""Every story again, in the full world: real bytes, real signatures, real PostgreSQL, default waits, virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest

from croupier.simulator import virtual_time
from croupier.simulator.stage import Stage
from croupier.simulator.virtual_time import VirtualLoop
from croupier.store.db import Db
from tests.scenarios import language
from tests.scenarios.full import FullWorld
from tests.scenarios.play import play

LONG = ("75_owed_for_thirty_days",)
"""Seven hundred tries on virtual time."""
STORIES = [
    pytest.param(path, marks=pytest.mark.slow if path.stem in LONG else (), id=path.stem)
    for path in sorted(Path(__file__).parent.glob("*.txt"))
]


@pytest.mark.parametrize("path", STORIES)
@pytest.mark.one_in(12)
def test_story_in_the_full_world(path: Path, database_url: str) -> None:
    story = language.read(path)

    async def main(loop: VirtualLoop) -> None:
        db = await Db.connect(database_url, size=2, pinned=2)
        stage = Stage(loop, db, path.stem)
        try:
            await play(story, await FullWorld.of(stage, story))
        finally:
            await stage.close()
            await db.close()

    virtual_time.run(main)
