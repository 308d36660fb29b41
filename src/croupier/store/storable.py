"""Whether the database can hold a peer's id at all. What it cannot hold it does not have either.

Owns: that judgement. Reads for many callers travel together, so one impossible id must not fail the others' read.
"""

from __future__ import annotations

_LARGEST = 2**63 - 1


def storable_text(text: str) -> bool:
    """Whether PostgreSQL takes this text: no NUL, no half of a character."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def storable_id(number: int) -> bool:
    """Whether this number may be one of ours."""
    return 0 < number <= _LARGEST


def id_of(text: str) -> int | None:
    """The number that `text` spells in plain digits, or None if it cannot be an id."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return int(text) if storable_id(int(text)) else None
