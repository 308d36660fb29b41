"""store.storable: it agrees with what PostgreSQL really takes."""

from __future__ import annotations

import pytest

from croupier.store.db import Db
from croupier.store.storable import id_of, storable_id, storable_text


@pytest.mark.parametrize("text", ["", "a", "Zoë", "😀", "\x01\x7f", "\ufffe", "\ue000"])
async def test_storable_text_comes_back_from_the_database(db: Db, text: str) -> None:
    assert storable_text(text)
    assert await db.fetchval("select $1::text", text) == text


@pytest.mark.parametrize("text", ["a\0", "\ud800", "x\udfffy"])
async def test_other_text_the_database_refuses(db: Db, text: str) -> None:
    assert not storable_text(text)
    with pytest.raises(Exception, match="encode|encoding|NUL|null|0x00"):
        await db.fetchval("select $1::text", text)


@pytest.mark.parametrize(
    ("number", "storable"), [(0, False), (-1, False), (1, True), (2**63 - 1, True), (2**63, False)]
)
def test_ids_are_positive_and_fit_their_column(number: int, storable: bool) -> None:
    assert storable_id(number) is storable
    assert (id_of(str(number)) is not None) is storable


@pytest.mark.parametrize("text", ["", "+1", " 1", "1.0", "٣", "x", "9" * 5000])
def test_only_plain_digits_spell_an_id(text: str) -> None:
    assert id_of(text) is None
