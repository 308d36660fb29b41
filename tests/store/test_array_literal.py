"""store.array_literal: what PostgreSQL reads is what was written."""

from __future__ import annotations

from typing import Any

import pytest

from croupier.store.array_literal import array_literal
from croupier.store.db import Db

COLUMNS: list[tuple[str, list[Any]]] = [
    ("bigint", [1, None, -(2**63), 2**63 - 1, 0]),
    ("bigint", [None, None]),
    ("integer", [5]),
    ("boolean", [True, False, None]),
    ("text", ["plain"]),
    ("text", [None]),
    ("text", [""]),
    ("text", [None, "", "NULL", "null", "{}", "{a,b}", ","]),
    ("text", ['"', '""', "\\", '\\"', "a\\", '{"k":"v\\n"}']),
    ("text", [" around ", "\t", "\n", "two\nlines", "\x1f\x7f"]),
    ("text", ["ünï", "中文", "😀", "\u2028", "None"]),
]


@pytest.mark.parametrize(("sql", "values"), COLUMNS)
async def test_postgresql_reads_what_was_written(db: Db, sql: str, values: list[Any]) -> None:
    assert await db.fetchval(f"select $1::text::{sql}[]", array_literal(values)) == values


async def test_texts_of_all_characters_survive_together(db: Db) -> None:
    texts = [f"a{chr(code)}b" for code in range(1, 0x250)]
    assert await db.fetchval("select $1::text::text[]", array_literal(texts)) == texts
