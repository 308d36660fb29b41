"""Tables: on a terminal they fit it and break no word; for a program cells have tabs or commas between them."""

from __future__ import annotations

import re
import sys

import pytest

from croupier.cli import show

COLUMNS = ("bet", "?casino", "??provider's betId", "state", ">stake", "???time")
ROWS = [
    ["9007199254740991", "Aurora Borealis", "0123456789abcdef0123456789abcdef", "settled", "1234567.89", "2025-11-01 12:00:00.000"],
    ["1", "Aurora", "x y", "on", "-5", None],
]  # fmt: skip


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    return monkeypatch


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 40, 20])
def test_no_word_is_broken_and_no_line_is_too_long(
    terminal: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    terminal.setenv("COLUMNS", str(width))
    terminal.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    show.show_table("Bets", COLUMNS, ROWS)
    out = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert "9007199254740991" in out.split()
    assert "1234567.89" in out.split()
    assert "settled" in out.split()
    if width >= 60:
        table = [line for line in out.splitlines() if "For lack of room" not in line]
        assert max(len(line.rstrip()) for line in table) <= width
    assert ("For lack of room without" in out) == (40 <= width <= 100)


def test_columns_are_left_out_by_their_rank() -> None:
    needed = [10, 10, 10, 10]
    assert show.fitting(("a", "?b", "??c", "?d"), needed, 100) == ([0, 1, 2, 3], [])
    assert show.fitting(("a", "?b", "??c", "?d"), needed, 40) == ([0, 1, 3], ["??c"])
    assert show.fitting(("a", "?b", "??c", "?d"), needed, 25) == ([0, 1], ["??c", "?d"])


def test_a_program_gets_tabs_or_commas(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_list("Bets", COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("\t") == ["bet", "casino", "provider's betId", "state", "stake", "time"]
    assert lines[2].split("\t") == ["1", "Aurora", "x y", "on", "-5", "-"]
    show.show_list("Bets", ("a", "b"), [['=cmd("x")', 'a, "b"'], ["-5.00", None]], as_csv=True)
    assert capsys.readouterr().out == 'a,b\n"\'=cmd(""x"")","a, ""b"""\n-5.00,\n'
