"""`croupier session open`: a real launch at a real studio."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Cli

WISH = {"--casino": "Aurora", "--player": "cleo", "--currency": "EUR", "--game": "lantern-tumble"}


def words(**changes: str) -> list[str]:
    wish = {**WISH, **{f"--{name}": value for name, value in changes.items()}}
    return ["session", "open", *[word for pair in wish.items() for word in pair]]


def test_a_launch_prints_the_session_and_its_frame(cli: Cli, studio: dict[str, Any]) -> None:
    opened = cli.json(*words())
    assert set(opened) == {"sessionId", "frameUri"}
    assert opened["frameUri"].startswith(studio["url"])
    assert opened["frameUri"].endswith(opened["sessionId"])
    shown = cli.ok(*words()).out
    assert "sessionId" in shown
    assert opened["sessionId"] not in shown, "every launch is a session of its own"


def test_a_demo_session_is_a_demo_session(cli: Cli, studio: dict[str, Any]) -> None:
    opened = cli.json(*words(), "--demo")
    demo = cli.world(
        lambda world: world.db.fetchval("select demo from sessions where session_id = $1", opened["sessionId"])
    )
    assert demo is True


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"casino": "Nobody"}, "there is no casino"),
        ({"game": "no-such-game"}, "`croupier provider sync ID`"),
        ({"currency": "JPY"}, "does not play in JPY"),
        ({"player": "x" * 129}, "1 to 128 characters"),
        ({"player": "a\nb"}, "control characters"),
    ],
)
def test_what_cannot_be_launched_is_told(cli: Cli, studio: dict[str, Any], changes: dict[str, str], says: str) -> None:
    assert says in cli.complaint(*words(**changes))
