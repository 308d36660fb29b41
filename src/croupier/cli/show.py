"""The output of commands: one JSON value for programs, tables for people, errors on standard error.

Owns: the two forms, and that nothing a peer has said can steer a terminal. Never: what is shown.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 240
"""Width if standard output is not a terminal, so that lines are not folded for other programs."""
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+")
_GAP = 3
"""Columns between two cells."""


def show_json(value: object) -> None:
    """Print one JSON value."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def show_list(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, as_csv: bool = False) -> None:
    """Print the one table of a command: for people as `show_table` does, for programs as CSV or with tabs."""
    if as_csv or not sys.stdout.isatty():
        _write_lines([names_of(columns), *rows], as_csv=as_csv)
    else:
        show_table(title, columns, rows)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table, or a line that says it is empty.

    The name of a column may begin with `?` (left out where the terminal is narrow, `??` before `?`) and with `>`
    (right-aligned). A word is never broken. Without a terminal, cells are separated by tabs and a line with the title precedes them.
    """
    lines = list(rows)
    if not lines:
        say(f"{title}: none")
    elif sys.stdout.isatty():
        _show_fitting(title, columns, [[_text(cell) for cell in line] for line in lines])
    else:
        say(title)
        _write_lines([names_of(columns), *lines], as_csv=False)


def names_of(columns: Sequence[str]) -> list[str]:
    """Return the names of columns without the characters that say how they are shown."""
    return [column.lstrip("?").lstrip(">") for column in columns]


def _write_lines(lines: Iterable[Sequence[object]], *, as_csv: bool) -> None:
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([[_csv_cell(cell) for cell in line] for line in lines])
        return
    for line in lines:
        sys.stdout.write("\t".join(_text(cell).plain for cell in line) + "\n")


def _csv_cell(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula: a peer may have chosen its text."""
    plain = "" if value is None else _text(value).plain
    return f"'{plain}" if plain[:1] in tuple("=+-@") and not _NUMBER.fullmatch(plain) else plain


def _show_fitting(title: str, columns: Sequence[str], lines: Sequence[Sequence[Text]]) -> None:
    """Print the columns for which there is room; if that is not enough, each row as names and values."""
    console = _console()
    needed = [_least_width(column, [line[at] for line in lines]) for at, column in enumerate(columns)]
    shown, left_out = fitting(columns, needed, console.width)
    # A title of the table's own would be folded to the table's width.
    console.print(Text(title, style="bold"))
    if sum(needed[at] + _GAP for at in shown) - _GAP > console.width:
        _show_rows(console, names_of(columns), lines)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for at in shown:
        right = columns[at].lstrip("?").startswith(">")
        name = columns[at].lstrip("?").lstrip(">")
        table.add_column(name, justify="right" if right else "left", overflow="fold", min_width=needed[at])
    for line in lines:
        table.add_row(*(line[at] for at in shown))
    console.print(table)
    if left_out:
        names = ", ".join(names_of(left_out))
        console.print(Text(f"For lack of room without: {names}. --json shows everything.", style="dim"), soft_wrap=True)


def fitting(columns: Sequence[str], needed: Sequence[int], width: int) -> tuple[list[int], list[str]]:
    """Return the places of the columns that fit, and the names of those that are left out by their rank."""
    shown = list(range(len(columns)))
    droppable = sorted((at for at in shown if columns[at].startswith("?")), key=lambda at: (-_rank(columns[at]), -at))
    for at in droppable:
        if sum(needed[one] + _GAP for one in shown) - _GAP <= width:
            break
        shown.remove(at)
    return shown, [column for at, column in enumerate(columns) if at not in shown]


def _rank(column: str) -> int:
    return len(column) - len(column.lstrip("?"))


def _least_width(column: str, cells: Sequence[Text]) -> int:
    """Return the width of the longest word, or of the longest cell of numbers and times."""
    name = column.lstrip("?")
    if name.startswith(">"):
        return max(len(name) - 1, *(cell.cell_len for cell in cells))
    words = [name, *(word for cell in cells for word in _unbroken(cell.plain))]
    return max(cell_len(word) for word in words)


def _unbroken(text: str) -> list[str]:
    """Return the parts of a cell that stay on one line."""
    return [text] if _INSTANT.fullmatch(text) else text.split()


def _show_rows(console: Console, names: Sequence[str], lines: Sequence[Sequence[Text]]) -> None:
    widest = max(len(name) for name in names)
    for line in lines:
        for name, cell in zip(names, line, strict=True):
            console.print(Text.assemble((f"{name:<{widest}}  ", "dim"), cell), soft_wrap=True)
        console.print()


def show_facts(title: str, facts: Mapping[str, object]) -> None:
    """Print names and values, one on each line, without those that are None."""
    console = _console()
    console.print(Text(title, style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value is not None:
            table.add_row(name, _text(value))
    console.print(table)


def say(line: str) -> None:
    """Print one line for a person."""
    _console().print(_text(line), soft_wrap=True)


def note(line: str) -> None:
    """Print a note for a person on standard error."""
    sys.stderr.write(f"{printable(line)}\n")


def complain(what: str) -> None:
    """Print an error on standard error."""
    for line in what.splitlines():
        note(line if line.startswith(" ") else f"croupier: {line}")


def complain_in_json(what: str, code: str) -> None:
    """Print an error as one JSON value in one line on standard error."""
    sys.stderr.write(msgspec.json.encode({"error": {"code": code, "message": what}}).decode() + "\n")


def instant(at_ms: int | None) -> str | None:
    """Return a time as text: UTC, to the millisecond."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def printable(text: str) -> str:
    """Return the text with a space for each character that could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def _text(value: object) -> Text:
    """Return a cell without markup and control characters."""
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, Mapping):
        value = [f"{name}={one}" for name, one in value.items()]
    if isinstance(value, list | tuple):
        return Text(printable(", ".join(str(one) for one in value)))
    return Text(printable(str(value)))
