"""`croupier game-type`: who has a game type, and its maintenance switch."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli

pytestmark = pytest.mark.one_in(2)


@pytest.mark.slow
def test_maintenance_is_switched_on_and_off(cli: Cli) -> None:
    cli.ok("provider", "set", "Fable", "game_types=23,24")
    wheel = {"gameType": 24, "provider": "Fable", "maintenance": False, "gameId": None}
    assert wheel in cli.json("game-type", "list")
    on = {**wheel, "maintenance": True}
    assert cli.json("game-type", "set", "24", "--maintenance") == on
    assert cli.json("game-type", "set", "24", "--maintenance") == on
    assert on in cli.json("game-type", "list")
    assert "not in maintenance" in cli.ok("game-type", "set", "24", "--no-maintenance").out
    assert wheel in cli.json("game-type", "list")


def test_a_game_type_that_nobody_ever_had_is_named_with_what_to_do(cli: Cli) -> None:
    said = cli.complaint("game-type", "set", "99", "--maintenance")
    assert "no provider has had game type 99" in said
    assert "provider set ID game_types=99" in said


def test_the_switch_must_be_named(cli: Cli) -> None:
    assert "--maintenance" in cli.complaint("game-type", "set", "24", code=2)


@pytest.mark.slow
def test_a_game_of_another_provider_shows_no_draws(cli: Cli) -> None:
    cli.ok("provider", "set", "Fable", "game_types=24")
    assert cli.json("game-type", "set", "24", "--game", "Fable/g-1")["gameId"] is not None
    assert "open game" in cli.ok("game-type", "set", "24", "--game", "Fable/g-1").out
    cli.ok("provider", "set", "Fable", "game_types=default")
    said = cli.complaint("game-type", "set", "24", "--game", "Fable/g-1")
    assert "is not of the provider that has game type 24" in said
