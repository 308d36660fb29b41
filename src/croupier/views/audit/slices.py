"""All subjects, part by part, so that no query of the auditor grows with the database.

Owns: the bounds of a part, and the planner's settings for it. Never: an invariant. Numbers of no subject belong to a part
too: the first part begins below all numbers, the last one ends above them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from croupier.store.db import Tx
from croupier.views.audit.violations import SubjectRange

FIRST: Final = -(2**63)
LAST: Final = 2**63 - 1

_NEXT = """
select id from ((select bet_id as id from bets where bet_id > $1 order by bet_id limit $2) union all
    (select cashback_id from cashbacks where cashback_id > $1 order by cashback_id limit $2)) ids
order by id offset $2 - 1 limit 1"""
# Parts must use indexes, even if the statistics of a young table suggest otherwise. Each side of a join is bounded by
# the part, so a hash join is always cheap, and a nested loop suffers from wrong statistics. Sessions and players are not
# bounded by a part: they are read by key.
_PLANS = "set local enable_seqscan = off; set local work_mem = '32MB'"
_BY_HASH: Final = "set local enable_nestloop = off"
_BY_KEY: Final = {"I14": "set local enable_nestloop = on"}


async def plan_by_parts(tx: Tx) -> None:
    """Set the planner of this transaction for queries by part."""
    await tx.execute(_PLANS)


async def set_plan_for(tx: Tx, invariant: str) -> None:
    """Set the planner for this invariant's query."""
    await tx.execute(_BY_KEY.get(invariant, _BY_HASH))


async def next_part(tx: Tx, after: int, size: int) -> SubjectRange:
    """Return the next `size` bets and cashbacks after this number; FIRST is the beginning."""
    end = await tx.fetchval(_NEXT, after, size)
    return SubjectRange(after if after == FIRST else after + 1, LAST if end is None else end)


async def parts(tx: Tx, size: int) -> AsyncIterator[SubjectRange]:
    """Yield all parts in order."""
    part = await next_part(tx, FIRST, size)
    yield part
    while part.high != LAST:
        part = await next_part(tx, part.high, size)
        yield part
