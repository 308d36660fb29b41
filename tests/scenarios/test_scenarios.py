"""Every story of this folder, in every world: money as people tell it, held against what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios import language
from tests.scenarios.play import play
from tests.scenarios.pure import PureWorld

HERE = Path(__file__).parent
STORIES = sorted(HERE.glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
async def test_story_in_the_pure_world(path: Path) -> None:
    story = language.read(path)
    await play(story, PureWorld.of(story))
