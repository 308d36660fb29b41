"""BetIds and CashbackIds, taken from one sequence in blocks.

Owns: their start and their bound of 2^53. They start at (seconds since 2020 at installation) x
10^6, so that a new installation never meets the ids of an old one. Spec: money.md 4.6.
"""

from __future__ import annotations

from croupier.core.recovery import IDS_PER_S, START_OF_2020_S
from croupier.kit.clock import Clock
from croupier.store.db import Db

BLOCK = 50


async def start_ids(db: Db, clock: Clock) -> None:
    """Move a fresh sequence to its start; one that was used is left alone."""
    start = (clock.now_ms() // 1000 - START_OF_2020_S) * IDS_PER_S
    await db.execute(
        "select setval('money_ids', $1::bigint, false) from money_ids where not is_called and last_value = 1", start
    )


class MoneyIds:
    """The source of ids, with one database call per block."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._free: list[int] = []

    def drop(self) -> None:
        """Drop the rest of the current block, because the sequence has jumped."""
        self._free.clear()

    async def take(self) -> int:
        """Return a new BetId or CashbackId."""
        while not self._free:
            rows = await self._db.fetch("select nextval('money_ids') as id from generate_series(1, $1::int)", BLOCK)
            self._free.extend(sorted((row["id"] for row in rows), reverse=True))
        return self._free.pop()
