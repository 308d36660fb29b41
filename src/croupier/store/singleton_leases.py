"""Chores that one process at a time does: whose turn it is, until when.

Owns: the rows of `turns`. A turn is a lease: a process that dies holds it until it runs out. Never: does a chore.
"""

from __future__ import annotations

from croupier.kit.clock import Clock
from croupier.store.db import Db

_TAKE = """
insert into turns as t (name, owner, until_ms) values ($1, $2, $3)
on conflict (name) do update set owner = excluded.owner, until_ms = excluded.until_ms
where t.owner = excluded.owner or t.until_ms <= $4"""


class SingletonLeases:
    """Takes turns among the processes of one database."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def take(self, name: str, owner: str, seconds: int) -> bool:
        """Whether the chore is this owner's for the next so many seconds."""
        now = self._clock.now_ms()
        return await self._db.execute(_TAKE, name, owner, now + 1000 * seconds, now) > 0
