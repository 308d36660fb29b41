"""The guide of the draws says what the code does: its paytables, and its examples of the verification."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from croupier.cli import app
from croupier.sandbox.draws.catalogue import DRAW_GAMES
from croupier.sandbox.draws.paytable import markdown
from croupier.sandbox.studio_games import GAMES

GUIDE = (Path(__file__).parents[2] / "docs/guides/draws.md").read_text("utf-8")


@pytest.mark.parametrize("game", DRAW_GAMES.values(), ids=lambda game: game.name)
def test_the_guide_shows_the_paytable_with_its_return_to_player(game: object) -> None:
    assert markdown(game) in GUIDE  # type: ignore[arg-type]


def test_the_guide_names_every_game_as_the_catalogue_does() -> None:
    names = {(game["gameId"], game["name"]) for game in GAMES}
    for game in DRAW_GAMES.values():
        assert (game.game_id, game.name) in names
        assert re.search(rf"\| {game.game_type} \| {game.name}, .* \| `{game.game_id}` \|", GUIDE)


def test_the_draw_that_the_guide_verifies_holds(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = re.findall(r"^croupier (verify-draw --draw .*)$", GUIDE, re.MULTILINE)
    assert app.run(shlex.split(line)) == 0
    assert "It holds" in capsys.readouterr().out
