"""Singleton leases: a task that one process at a time runs has an owner and an expiry.

Owns: the rows of `turns`. A dead process holds its lease until it expires. Never: runs a task.
"""

from __future__ import annotations

from croupier.kit.clock import Clock
from croupier.store.db import Db

_TAKE = """
insert into turns as t (name, owner, until_ms) values ($1, $2, $3)
on conflict (name) do update set owner = excluded.owner, until_ms = excluded.until_ms
where t.owner = excluded.owner or t.until_ms <= $4"""


class SingletonLeases:
    """The singleton leases of one database."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def take(self, name: str, owner: str, seconds: int) -> bool:
        """Take or renew the lease for so many seconds, and return whether this owner has it."""
        now = self._clock.now_ms()
        return await self._db.execute(_TAKE, name, owner, now + 1000 * seconds, now) > 0
