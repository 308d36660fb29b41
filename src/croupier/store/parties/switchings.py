"""Who switched a casino, a provider or a game on or off, when and why: a line for good beside each switch.

Owns: the rows of `switchings`, and whose name they carry: the person of a command, or what acts by itself. Never: the switch.
Spec: casino.md 3.7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import astuple, dataclass
from typing import Final

from croupier.store.db import Tx

HUB: Final = "hub"
_author: ContextVar[str] = ContextVar("who switches", default=HUB)
_reason: ContextVar[str | None] = ContextVar("why it is switched", default=None)
_NOTE = """
insert into switchings (thing, thing_id, switch, value, casino_id, currency, country, reason, author, at_ms)
select t.*, $8, $9, $10 from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[]) t"""


@dataclass(frozen=True, slots=True)
class Switching:
    """One switch and what it was set to."""

    thing: str
    """`casino`, `provider` or `game`."""
    thing_id: int
    switch: str
    value: str
    casino_id: int | None = None
    currency: str | None = None
    country: str | None = None


@contextmanager
def acting(author: str, reason: str | None = None) -> Iterator[None]:
    """Name who switches, and why, for every switch in this block."""
    marks = _author.set(author), _reason.set(reason)
    try:
        yield
    finally:
        _author.reset(marks[0])
        _reason.reset(marks[1])


async def note_switchings(tx: Tx, made: Sequence[Switching], at_ms: int) -> None:
    """Write a line for each, in the transaction of the switch."""
    if made:
        columns = [list(column) for column in zip(*map(astuple, made), strict=True)]
        await tx.execute(_NOTE, *columns, _reason.get(), _author.get(), at_ms)
