"""Words that the books keep: reasons and names. Owns: their types and checks. Never: a table. Spec: operate.md 3."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from croupier.admin_api.errors import BadParameter
from croupier.kit.names import problem_of, unreadable

LONGEST: Final = 500
Reason = Annotated[
    str, Meta(description="Why, in one line of 1 to 500 characters; it is stored with the person's name.")
]


def for_the_books(words: str, field: str = "reason") -> str:
    """Return words without outer white space. Raises BadParameter if they are empty, too long or unreadable."""
    said = words.strip()
    if not 1 <= len(said) <= LONGEST or unreadable(said):
        raise BadParameter(field, f"must be 1 to {LONGEST} characters on one line, and say something")
    return said


def check_name(field: str, name: str) -> None:
    """Raise BadParameter for a name or id that could be mistaken for another one (kit.names)."""
    problem = problem_of(name)
    if problem is not None:
        raise BadParameter(field, problem)
