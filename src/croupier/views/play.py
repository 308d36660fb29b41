"""What a player staked and won since an instant, for the reality check.

Owns: the sums, of payments that the casino accepted. Never: decides anything. Amounts are minor units. Spec: webframe.md 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.store.db import Db

_PLAY = """
select coalesce(sum(amount) filter (where kind = 'stake'), 0)::bigint as stakes,
    coalesce(sum(amount) filter (where kind = 'bet_return'), 0)::bigint as returned,
    coalesce(sum(case when kind in ('payout', 'jackpot') then amount when kind = 'payout_return' then -amount else 0 end), 0)::bigint
        as wins
from payments where player_id = $1 and decided_ms >= $2 and state = 'accepted'"""


@dataclass(frozen=True, slots=True)
class Play:
    """Sums of one player. `stakes` are less what was returned."""

    stakes: int
    wins: int

    @property
    def net(self) -> int:
        """Wins less stakes."""
        return self.wins - self.stakes


async def play_since(db: Db, player_id: int, since_ms: int) -> Play:
    """Return the sums since the instant."""
    row = await db.fetchrow(_PLAY, player_id, since_ms)
    assert row is not None
    return Play(row["stakes"] - row["returned"], row["wins"])
