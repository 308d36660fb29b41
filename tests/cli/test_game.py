"""`croupier game`: the catalogue, typed settings of a game, and the switch for one casino."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Cli

pytestmark = pytest.mark.one_in(2)

GAME = "Fable/g-1"


def one(cli: Cli, ref: str = "g-1") -> Any:
    (found,) = [game for game in cli.json("game", "list") if game["gameId"] == ref and game["provider"] == "Fable"]
    return found


def test_games_are_listed_with_the_names_a_person_gives(cli: Cli, studio: dict[str, Any]) -> None:
    game = one(cli)
    assert (game["name"], game["category"], game["enabled"], game["off_for"]) == ("Fifty Owls", "slots", True, [])
    of_fable = cli.json("game", "list", "--provider", "Fable")
    assert {g["provider"] for g in of_fable} == {"Fable"}
    assert len(cli.json("game", "list")) > len(of_fable)
    assert "Fifty Owls" in cli.ok("game", "list", "--provider", "22").out
    assert "`croupier provider list`" in cli.complaint("game", "list", "--provider", "Nobody")


@pytest.mark.slow
def test_settings_are_set_typed_and_a_limit_is_taken_away(cli: Cli) -> None:
    changed = cli.json("game", "set", GAME, "jackpot_wins=yes", "min_bet=0.50", "max_bet=20", "enabled=off")
    assert changed == one(cli)
    assert (changed["jackpot_wins"], changed["min_bet"], changed["max_bet"]) == (True, "0.50", "20")
    assert changed["enabled"] is False
    back = cli.json("game", "set", "g-1", "jackpot_wins=no", "min_bet=none", "max_bet=none", "enabled=on")
    assert (back["jackpot_wins"], back["min_bet"], back["max_bet"], back["enabled"]) == (False, None, None, True)
    assert "Game Fifty Owls" in cli.ok("game", "set", "g-1", "enabled=on").out


def test_everything_that_is_wrong_is_named_and_nothing_is_changed(cli: Cli) -> None:
    before = one(cli)
    complaint = cli.complaint("game", "set", GAME, "min_bet=1e3", "enabled=perhaps", "name=Other", "max_bet=7")
    for what in ("min_bet must be", "enabled must be true or false", "name is not a setting of a game"):
        assert what in complaint
    assert "min_bet" in cli.complaint("game", "set", GAME, "min_bet=9", "max_bet=8")
    assert "no KEY=VALUE" in cli.complaint("game", "set", GAME, "enabled")
    assert "twice" in cli.complaint("game", "set", GAME, "enabled=on", "enabled=off")
    assert one(cli) == before


@pytest.mark.slow
def test_a_game_is_switched_for_one_casino_alone(cli: Cli) -> None:
    off = cli.json("game", "switch", GAME, "--casino", "Aurora", "--off")
    assert off == {"gameId": "g-1", "PartnerClientId": 11, "casino": "Aurora", "on": False}
    assert one(cli)["off_for"] == ["Aurora"]
    assert one(cli)["enabled"] is True
    wish = ("session", "open", "--player", "cleo", "--currency", "EUR", "--game", GAME)
    assert "switched off for casino Aurora" in cli.complaint(*wish, "--casino", "Aurora")
    assert "is on for casino Aurora" in cli.ok("game", "switch", GAME, "--casino", "11", "--on").out
    assert one(cli)["off_for"] == []


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("set", "no-such-game", "enabled=on"), "there is no game", 1),
        (("switch", "no-such-game", "--casino", "Aurora", "--on"), "there is no game", 1),
        (("switch", GAME, "--casino", "Nobody", "--on"), "`croupier casino list`", 1),
        (("switch", GAME, "--casino", "Aurora"), "'--on'", 2),
    ],
)
def test_what_is_not_there_is_told(cli: Cli, words: tuple[str, ...], says: str, code: int) -> None:
    assert says in cli.complaint("game", *words, code=code)


def test_thresholds_of_a_game_are_set_beside_what_its_provider_lists(cli: Cli) -> None:
    changed = cli.json("game", "set", GAME, "large_win=500", "max_win=1000.50", "max_odd=250")
    assert (changed["large_win"], changed["max_win"], changed["own_max_odd"]) == ("500", "1000.50", "250")
    assert changed["max_odd"] is None, "that is the provider's"
    back = cli.json("game", "set", GAME, "large_win=none", "max_win=none", "max_odd=none")
    assert (back["large_win"], back["max_win"], back["own_max_odd"]) == (None, None, None)
    for words in ("large_win=1e9", "max_win=-1", "max_odd=x"):
        assert f"{words.split('=')[0]} must be" in cli.complaint("game", "set", GAME, words)


@pytest.mark.slow
def test_a_game_is_off_in_a_country_and_why_names_who_did_it(cli: Cli) -> None:
    off = cli.json("game", "switch", GAME, "--country", "DE", "--off", "--reason", "licence")
    assert off == {"gameId": "g-1", "country": "DE", "on": False}
    asked = ("why", GAME, "--casino", "Aurora", "--country", "DE")
    told = cli.json(*asked)
    (reason,) = told["reasons"]
    assert (told["state"], reason["rule"], reason["reason"]) == ("not available", "game_off_for_country", "licence")
    assert reason["set_by"]
    assert "game_off_for_country" in cli.ok(*asked).out
    assert cli.json("why", GAME, "--casino", "Aurora", "--country", "FR") == {"state": "available", "reasons": []}
    assert "is on for every casino in DE" in cli.ok("game", "switch", GAME, "--country", "DE", "--on").out
    for wrong, says in (
        (("--country", "de"), "--country must be two capital letters"),
        (("--currency", "XXX"), "--currency XXX is not known"),
        ((), "--casino is missing"),
        (("--country", "DE", "--reason", " "), "say something"),
    ):
        assert says in cli.complaint("game", "switch", GAME, *wrong, "--off", code=2)


@pytest.mark.slow
def test_a_game_is_named_in_a_language_and_differences_are_listed(cli: Cli) -> None:
    named = cli.json("game", "describe", GAME, "--language", "de", "--name", "Fünfzig Eulen", "--description", "Rufe.")
    assert named["texts"] == {"de": {"name": "Fünfzig Eulen", "description": "Rufe."}}
    assert cli.json("game", "describe", GAME, "--language", "de")["texts"] == {}
    for wrong, says in (
        (("--language", "d_e"), "--language must be"),
        (("--language", "de", "--description", "x"), "--name is missing"),
    ):
        assert says in cli.complaint("game", "describe", GAME, *wrong, code=2)
    assert isinstance(cli.json("game", "diff"), list)
    assert "there is no difference 99999" in cli.complaint("game", "undo", "99999")
