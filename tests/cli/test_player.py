"""`croupier player`: a casino's exclusion of a player, signed and with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Cli

ANN = ("--casino", "Aurora", "--player", "ann")


def ann(cli: Cli) -> Any:
    (found,) = [one for one in cli.json("player", "list", "--casino", "Aurora") if one["player"] == "ann"]
    return found


@pytest.mark.slow
def test_a_player_is_excluded_and_let_in_again_with_the_last_word_shown(cli: Cli, studio: dict[str, Any]) -> None:
    assert (ann(cli)["blocked"], ann(cli)["reason"]) == (False, None)
    done = cli.json("player", "block", *ANN, "--reason", "a wish of hers", "--author", "mia")
    assert done == ann(cli)
    assert (done["blocked"], done["reason"], done["author"], done["currency"]) == (True, "a wish of hers", "mia", "EUR")
    assert [one["player"] for one in cli.json("player", "list", "--casino", "11", "--blocked")] == ["ann"]
    assert "a wish of hers" in cli.ok("player", "list", "--casino", "11").out
    wish = ("session", "open", *ANN, "--currency", "EUR", "--game", "lantern-tumble")
    assert "is blocked by the casino" in cli.complaint(*wish)
    assert "let in again" in cli.ok("player", "unblock", *ANN, "--reason", "her pause is over").out
    assert (ann(cli)["blocked"], ann(cli)["reason"]) == (False, "her pause is over")
    assert "sessionId" in cli.json(*wish)
    assert cli.json("player", "list", "--casino", "11", "--blocked") == []


@pytest.mark.slow
def test_every_word_is_kept(cli: Cli) -> None:
    for reason in ("one", "two"):
        assert "no new bets" in cli.ok("player", "block", *ANN, "--reason", reason, "--author", "leo").out
    cli.ok("player", "unblock", *ANN, "--reason", "three", "--author", "leo")
    rows = cli.world(
        lambda world: world.db.fetch("select reason, author from player_blocks order by block_id desc limit 3")
    )
    assert [tuple(row.values()) for row in rows] == [("three", "leo"), ("two", "leo"), ("one", "leo")]


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("block", *ANN), "Missing option '--reason'", 2),
        (("block", *ANN, "--reason", " "), "say something", 2),
        (
            ("block", "--casino", "Aurora", "--player", "nobody", "--reason", "x"),
            "`croupier player list --casino 11`",
            1,
        ),
        (("unblock", "--casino", "Borealis", "--player", "ann", "--reason", "x"), "has no player 'ann'", 1),
        (("list", "--casino", "Nobody"), "`croupier casino list`", 1),
    ],
)
def test_what_cannot_be_is_told(cli: Cli, words: tuple[str, ...], says: str, code: int) -> None:
    assert says in cli.complaint("player", *words, code=code)
