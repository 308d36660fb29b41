"""Arrays as PostgreSQL's literals: `{1,2,NULL}`, `{"a","b"}`.

The driver encodes an array element by element and first looks whether each is an array itself, which costs three times as much as
one text and takes a third of a group commit. Owns: the text. Never: the type, which the statement names (`$1::text::bigint[]`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Scalar: TypeAlias = "int | bool | str | None"


def array_literal(values: Sequence[Scalar]) -> str:
    """Return the literal of a column: numbers and truth values, or texts, and None among either."""
    first = next((value for value in values if value is not None), None)
    if not isinstance(first, str):
        return "{" + ",".join(map(str, values)).replace("None", "NULL") + "}"
    quoted = "{" + ",".join(["NULL" if value is None else f'"{value}"' for value in values]) + "}"
    present = len(values) if None not in values else sum(value is not None for value in values)
    if "\\" not in quoted and quoted.count('"') == 2 * present:
        return quoted
    return "{" + ",".join(["NULL" if value is None else _quoted(str(value)) for value in values]) + "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
