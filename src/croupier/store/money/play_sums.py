"""What a player staked and got back in a span of time: the sums of the reality check.

Owns: one read of `payments`. Never: a decision; limits are checked elsewhere. Amounts are minor units. Spec: webframe.md 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.store.db import Db

_SUMS = """
select coalesce(sum(amount) filter (where kind in ('stake', 'payout_return')), 0)::bigint as staked,
    coalesce(sum(amount) filter (where kind in ('payout', 'bet_return', 'jackpot')), 0)::bigint as returned
from payments where player_id = $1 and decided_ms >= $2 and state = 'accepted'"""


@dataclass(frozen=True, slots=True)
class PlaySum:
    """The money of a player that moved. A stake that was returned counts on both sides."""

    staked: int
    returned: int


class PlaySums:
    """The sums over accepted payments."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def since(self, player_id: int, from_ms: int) -> PlaySum:
        """Return what moved since this instant."""
        row = await self._db.fetchrow(_SUMS, player_id, from_ms)
        assert row is not None
        return PlaySum(row["staked"], row["returned"])
