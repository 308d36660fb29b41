"""`croupier session open`: a real launch at a real studio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

pytestmark = pytest.mark.one_in(2)

WISH = {"--casino": "Aurora", "--player": "cleo", "--currency": "EUR", "--game": "lantern-tumble"}


def words(**changes: str) -> list[str]:
    wish = {**WISH, **{f"--{name}": value for name, value in changes.items()}}
    return ["session", "open", *[word for pair in wish.items() for word in pair]]


def test_a_launch_prints_the_session_and_its_frame(cli: Cli, studio: dict[str, Any]) -> None:
    opened = cli.json(*words())
    assert set(opened) == {"sessionId", "frameUri"}
    assert opened["frameUri"].startswith(studio["url"])
    assert opened["frameUri"].endswith(opened["sessionId"])
    said = cli.ok(*words())
    assert said.err == f"No hub serves {cli.home}: nobody answers the game's calls until `croupier serve` runs.\n"
    shown = said.out
    assert "sessionId" in shown
    assert opened["sessionId"] not in shown, "every launch is a session of its own"


def test_a_demo_session_is_a_demo_session(cli: Cli, studio: dict[str, Any]) -> None:
    opened = cli.json(*words(), "--demo")
    demo = cli.world(
        lambda world: world.db.fetchval("select demo from sessions where session_id = $1", opened["sessionId"])
    )
    assert demo is True


@pytest.mark.parametrize(
    ("changes", "says", "code"),
    [
        ({"casino": "Nobody"}, "there is no casino", 1),
        ({"game": "no-such-game"}, "`croupier provider sync ID`", 1),
        ({"currency": "JPY"}, "does not play in JPY", 1),
        ({"player": "x" * 129}, "--player must have 1 to 128 characters", 2),
        ({"player": "a\nb"}, "control characters", 2),
    ],
)
def test_what_cannot_be_launched_is_told(
    cli: Cli, studio: dict[str, Any], changes: dict[str, str], says: str, code: int
) -> None:
    assert says in cli.complaint(*words(**changes), code=code)


@pytest.mark.parametrize(
    "who",
    [
        (), ("--player", "cleo"), ("--currency", "EUR"), ("--token", "-", "--player", "cleo"),
        ("--token", "-", "--currency", "EUR"), ("--token", "-", "--player", "cleo", "--currency", "EUR"),
        ("--token-file", "t", "--player", "cleo", "--currency", "EUR"),
    ],
)  # fmt: skip
def test_the_player_is_named_or_a_token_is_given_and_never_both(cli: Cli, who: tuple[str, ...]) -> None:
    complaint = cli.complaint("session", "open", "--casino", "Aurora", "--game", "g-1", *who, code=2)
    assert "give --player and --currency, or --token alone" in complaint


@pytest.mark.slow
def test_a_token_is_asked_about_at_the_casino_and_silence_opens_nothing(
    cli: Cli, studio: dict[str, Any], tmp_path: Path
) -> None:
    cli.ok("casino", "add", "Mute", "--url", "http://127.0.0.1:9", "--currency", "EUR")
    ask = ("session", "open", "--casino", "Mute", "--game", "lantern-tumble")
    told = cli(*ask, "--token", "-", typed="a-token\n")
    assert "did not say who the player is" in told.err
    file = tmp_path / "token"
    file.write_text("a-token\n", "utf-8")
    assert "did not say who the player is" in cli.complaint(*ask, "--token-file", str(file))
    assert "--token must be 1 to 4096 characters" in cli.complaint(*ask, "--token", "-", code=2)
    assert "this is none" in cli.complaint(*ask, "--token-file", str(tmp_path / "gone"), code=2)
    assert cli.json("player", "list", "--casino", "Mute") == []


@pytest.mark.parametrize("level", ["info", "debug"])
def test_a_token_in_the_command_itself_is_refused_and_not_repeated(cli: Cli, level: str) -> None:
    """Every user of the machine sees the words of a command while it runs."""
    ask = ("session", "open", "--casino", "Aurora", "--game", "g-1")
    for words in (("--token", "hush-hush"), ("--token=hush-hush",), ("--token", "-hush-hush")):
        said = cli(*ask, *words, CROUPIER_LOG_LEVEL=level)
        assert said.code == 2
        assert "`--token -`" in said.err
        assert "hush-hush" not in said.err + said.out
