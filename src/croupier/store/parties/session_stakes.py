"""The stakes of sessions whose casino limits their sum or their loss, taken down before each bet.

Owns: the rows of `session_stakes`, and the sums of a session. A stake is noted under a lock of its session, so that two bets at once
cannot pass the limit together. Never: money: a stake that is noted moves nothing, and one without a bet counts for a minute only.
Spec: casino.md 3.5.
"""

from __future__ import annotations

from croupier.core.protection import passes
from croupier.core.session import Session
from croupier.kit.clock import Clock
from croupier.store.db import Db

NOTED_MS = 60_000
"""So long a stake counts whose bet is not there: it is being committed, or was refused before it was."""
_LOCK = "select session_id from sessions where session_id = $1 for no key update"
_SUMS = """
select coalesce(sum(case when b.bet_id is null then case when n.at_ms > $4 then n.stake else 0 end
        when b.state in ('refused', 'expired', 'cancelled', 'tombstone', 'returned') then 0 else b.stake end), 0)::bigint as staked,
    coalesce(sum(case when b.state in ('settled', 'disputed', 'undoing') then b.win else 0 end), 0)::bigint as won
from session_stakes n left join bets b on b.provider_id = n.provider_id and b.bet_ref = n.bet_ref
where n.session_id = $1 and (n.provider_id, n.bet_ref) <> ($2, $3::text)"""
_NOTE = """
insert into session_stakes (session_id, provider_id, bet_ref, stake, at_ms) values ($1, $2, $3, $4, $5)
on conflict (session_id, provider_id, bet_ref) do update set stake = excluded.stake, at_ms = excluded.at_ms"""


class SessionStakes:
    """The stakes of all limited sessions."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def note(self, session: Session, bet_ref: str, stake: int) -> bool:
        """Note the stake of a new bet; False, and nothing is noted, if the session's limits do not allow it."""
        now_ms = self._clock.now_ms()
        async with self._db.transaction() as tx:
            await tx.fetchrow(_LOCK, session.session_id)
            sums = await tx.fetchrow(_SUMS, session.session_id, session.provider_id, bet_ref, now_ms - NOTED_MS)
            assert sums is not None
            if not passes(session.limits, staked=sums["staked"], won=sums["won"], stake=stake):
                return False
            await tx.execute(_NOTE, session.session_id, session.provider_id, bet_ref, stake, now_ms)
        return True
