"""Checks that the database can hold a peer's id at all. An id that it cannot hold does not exist in it.

Owns: these checks. Reads of many callers are batched, so one impossible id must not fail the others' read.
"""

from __future__ import annotations

_LARGEST = 2**63 - 1


def storable_text(text: str) -> bool:
    """Return whether PostgreSQL accepts this text: no NUL, no half of a character."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text))


def storable_id(number: int) -> bool:
    """Return whether this number may be an id of the hub."""
    return 0 < number <= _LARGEST


def id_of(text: str) -> int | None:
    """Return the number that `text` spells in plain digits, or None if it cannot be an id."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return int(text) if storable_id(int(text)) else None
