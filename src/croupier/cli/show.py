"""The output of commands: one JSON value for programs, tables for people, errors on standard error.

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
"""Width if standard output is not a terminal, so that lines are not folded for other programs."""


def show_json(value: object) -> None:
    """Print one JSON value."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table, or a line that says it is empty. Columns that begin with `>` are right-aligned."""
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
