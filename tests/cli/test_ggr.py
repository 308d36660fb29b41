"""`croupier ggr`: days in, report out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.cli.conftest import Cli
from tests.core.samples import T0

DAY = datetime.fromtimestamp(T0 / 1000, UTC).date()
NEXT = DAY + timedelta(days=1)
PERIOD = ("--from", str(DAY), "--to", str(NEXT))


def test_the_report_of_a_day(cli: Cli) -> None:
    story = cli.story()
    before = [row for row in cli.json("ggr", *PERIOD) if row["game"]]
    cli.keep(story.settled(400))
    (row,) = [row for row in cli.json("ggr", *PERIOD) if row["game"]]
    assert (row["casino"], row["provider"], row["game"], row["currency"]) == ("Aurora", "Fable", "Fifty Owls", "EUR")
    grown = Decimal(row["ggr"]) - (Decimal(before[0]["ggr"]) if before else 0)
    assert grown == 6
    assert "Fifty Owls" in cli.ok("ggr", *PERIOD).out


def test_lines_by_what_is_asked_for(cli: Cli) -> None:
    cli.keep(cli.story().settled())
    rows = cli.json("ggr", *PERIOD, "--by", "provider")
    assert {(row["casino"], row["game"]) for row in rows} == {(None, None)}
    assert cli.json("ggr", "--from", "2001-01-01", "--to", "2001-01-02") == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", str(NEXT), "--to", str(DAY)), "must be after --from"),
        (("--from", str(DAY), "--to", str(DAY)), "must be after --from"),
        (("--from", "yesterday", "--to", str(DAY)), "a day such as 2025-11-01"),
        ((*PERIOD, "--by", "player"), "--by knows casino, provider, game"),
        (("--from", str(DAY)), "Missing option '--to'"),
    ],
)
def test_wrong_usage_is_told(cli: Cli, words: tuple[str, ...], says: str) -> None:
    assert says in cli.complaint("ggr", *words, code=2)
