"""What commands print: one JSON value for programs, tables for people, complaints on standard error.

Owns: the two forms, and that nothing a peer has said can steer a terminal. Never: what is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 240
"""Columns where standard output is no terminal, so that lines stay whole for other programs."""


def show_json(value: object) -> None:
    """Print one JSON value."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; columns that begin with `>` are for numbers. An empty one is a line that says so."""
    lines = [[_text(cell) for cell in row] for row in rows]
    console = _console()
    if not lines:
        console.print(Text(f"{title}: none"))
        return
    # A title of the table's own would be folded to the table's width.
    console.print(Text(title, style="bold"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    for line in lines:
        table.add_row(*line)
    console.print(table)


def show_facts(title: str, facts: Mapping[str, object]) -> None:
    """Print names and values, one a line; what is None is left out."""
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
    """Tell a person something beside the result: on standard error."""
    sys.stderr.write(f"{_printable(line)}\n")


def complain(what: str) -> None:
    """Say on standard error what went wrong."""
    for line in what.splitlines():
        note(line if line.startswith(" ") else f"croupier: {line}")


def instant(at_ms: int | None) -> str | None:
    """A time for people: UTC, to the millisecond."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def _text(value: object) -> Text:
    """A cell: never read as markup, never a control character."""
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, Mapping):
        value = [f"{name}={one}" for name, one in value.items()]
    if isinstance(value, list | tuple):
        return Text(_printable(", ".join(str(one) for one in value)))
    return Text(_printable(str(value)))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
