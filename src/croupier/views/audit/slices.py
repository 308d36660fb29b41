"""Everything that there is, part by part, so that no question of the auditor grows with the database.

Owns: where a part ends, and the planner's settings under which a part is asked. Never: an invariant. A number that is no
subject's belongs to a part as well: the first begins below all numbers, the last ends above them.
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
# A part is found by indexes, whatever the statistics of a young table say. Each side of a join is bounded by the part, so
# hashing is never bad; a nested loop is where such statistics lie. But for the tables that no part bounds (sessions,
# players): those are looked into by their keys.
_PLANS = "set local enable_seqscan = off; set local work_mem = '32MB'"
_BY_HASH: Final = "set local enable_nestloop = off"
_BY_KEY: Final = {"I14": "set local enable_nestloop = on"}


async def plan_by_parts(tx: Tx) -> None:
    """Have this transaction ask by parts."""
    await tx.execute(_PLANS)


async def set_plan_for(tx: Tx, invariant: str) -> None:
    """Set what suits this invariant's question."""
    await tx.execute(_BY_KEY.get(invariant, _BY_HASH))


async def next_part(tx: Tx, after: int, size: int) -> SubjectRange:
    """The next `size` bets and cashbacks behind this number; FIRST is the beginning."""
    end = await tx.fetchval(_NEXT, after, size)
    return SubjectRange(after if after == FIRST else after + 1, LAST if end is None else end)


async def parts(tx: Tx, size: int) -> AsyncIterator[SubjectRange]:
    """All parts in their order."""
    part = await next_part(tx, FIRST, size)
    yield part
    while part.high != LAST:
        part = await next_part(tx, part.high, size)
        yield part
