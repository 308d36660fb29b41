"""`croupier recover`: the words around recovery mode."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli


@pytest.mark.slow
def test_it_begins_once_tells_how_far_it_is_and_ends_with_a_reason(cli: Cli) -> None:
    story = cli.story()
    story.on()
    cli.keep(story)
    begun = cli.json(
        "recover", "begin", "--reason", "restored by hand", "--author", "mia", "--since", "2025-10-09T08:00"
    )
    try:
        assert begun["active"] is True
        assert begun["recovery"]["begun_by"] == "mia"
        assert begun["recovery"]["since_ms"] == 1_759_996_800_000
        assert begun["recovery"]["ids_next"] > begun["recovery"]["ids_to"]
        assert begun["to_compare"] >= 1
        assert "is on already" in cli.complaint("recover", "begin", "--reason", "again")
        checked = {check["name"]: check for check in cli("doctor", "--json").json()["checks"]}
        assert checked["recovery"]["result"] == "look"
        assert "restored by hand" in checked["recovery"]["says"]
        said = cli.ok("recover", "status").out
        for words in ("no new bets", "restored by hand", "still to be compared", "no query for cashbacks"):
            assert words in said
        assert "recovery is on" in cli.complaint(
            "cashback", "pay", "--casino", "11", "--player", "ann", "--amount", "1", "--currency", "EUR", "--ref", "w1"
        )
        assert {i["name"] for i in cli.review()["incidents"]} >= {"restored"}
    finally:
        cli.ok("recover", "end", "--reason", "compared by hand", "--author", "mia")
    assert "no recovery to end" in cli.complaint("recover", "end", "--reason", "again")
    told = cli.json("recover", "status")
    assert (told["active"], told["last"]["ended_by"], told["last"]["end_reason"]) == (False, "mia", "compared by hand")
    assert "compared by hand" in cli.ok("recover", "status").out
    assert "restored" not in {i["name"] for i in cli.review()["incidents"]}


def test_an_instant_that_is_none_is_wrong_usage(cli: Cli) -> None:
    assert "--since" in cli.complaint("recover", "begin", "--reason", "x", "--since", "yesterday", code=2)
