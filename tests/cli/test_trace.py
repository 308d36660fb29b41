"""`croupier trace`: the whole story of one bet or cashback."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli


@pytest.mark.slow
def test_a_bet_is_told_by_either_name_and_in_either_form(cli: Cli) -> None:
    story = cli.story()
    story.settled()
    cli.keep(story)
    by_id = cli.json("trace", str(story.subject_id))
    assert by_id == cli.json("trace", f"Fable:b-{story.subject_id}")
    assert by_id["subject"]["bet_ref"] == f"b-{story.subject_id}"
    shown = cli.ok("trace", str(story.subject_id)).out
    for word in ("settled", "open-bets/11/22", "25.00", "wallets/11", f"{story.subject_id}:payout", "pay_out"):
        assert word in shown


@pytest.mark.slow
def test_what_is_not_there_is_told(cli: Cli) -> None:
    for name in ("5", "Fable:nothing", "Nobody:b-1", "?"):
        assert "there is no bet or cashback" in cli.complaint("trace", name)
