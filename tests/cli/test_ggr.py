"""`croupier ggr`: days in, report out."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Cli
from tests.core.samples import T0

DAY = datetime.fromtimestamp(T0 / 1000, UTC).date()
NEXT = DAY + timedelta(days=1)
PERIOD = ("--from", str(DAY), "--to", str(NEXT))


@pytest.mark.slow
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


@pytest.mark.slow
def test_every_dimension_adds_up_and_goes_into_a_spreadsheet(cli: Cli, tmp_path: Path) -> None:
    cli.keep(cli.story().settled())
    total = Decimal(cli.json("ggr", *PERIOD, "--by", "")[0]["ggr"])
    for by in ("day", "month", "casino", "provider", "game", "country", "test", "day,game,test"):
        rows = cli.json("ggr", *PERIOD, "--by", by)
        assert sum(Decimal(row["ggr"]) for row in rows) == total, by
        assert all(row[name] is not None for row in rows for name in by.split(",") if name in ("day", "month"))
    assert {row["day"] for row in cli.json("ggr", *PERIOD, "--by", "day")} == {str(DAY)}
    file = tmp_path / "report.xlsx"
    assert "has the report" in cli.ok("ggr", *PERIOD, "--by", "day,game", "--xlsx", str(file)).err
    with zipfile.ZipFile(file) as archive:
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    cells = [cell.itertext() for cell in sheet.iter("{http://schemas.openxmlformats.org/spreadsheetml/2006/main}c")]
    texts = ["".join(one) for one in cells]
    assert texts[:3] == ["day", "game", "currency"]
    assert {str(DAY), "Fifty Owls", "EUR"} <= set(texts)
    assert "name another" in cli.complaint("ggr", *PERIOD, "--xlsx", str(file))
    first = cli.ok("ggr", *PERIOD, "--by", "month", "--csv").out.splitlines()[0]
    assert first == "month,currency,stakes,wins,corrections,ggr,jackpots,cashback"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", str(NEXT), "--to", str(DAY)), "must be after --from"),
        (("--from", str(DAY), "--to", str(DAY)), "must be after --from"),
        (("--from", "yesterday", "--to", str(DAY)), "a day such as 2025-11-01"),
        ((*PERIOD, "--by", "player"), "--by knows day, month, casino, provider, game, country, test"),
        (("--from", str(DAY)), "Missing option '--to'"),
    ],
)
def test_wrong_usage_is_told(cli: Cli, words: tuple[str, ...], says: str) -> None:
    assert says in cli.complaint("ggr", *words, code=2)
