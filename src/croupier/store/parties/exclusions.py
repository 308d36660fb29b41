"""Exclusions of players by their casino, with an end or without, and the casino's limits on a player's play.

Owns: the rows of `player_exclusions`, and what they change: the player's row and the player's sessions, in one statement. Never: a
bet under way: it is paid out or refunded as ever. Spec: casino.md 3.5.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.protection import PlayLimits
from croupier.kit.clock import Clock
from croupier.store.db import Db
from croupier.store.parties.play_limits import limits_to_json
from croupier.store.parties.session_memory import SessionMemory

_EXCLUDE = """
with known as (update players set excluded_until_ms = $2 where player_id = $1 returning player_id),
noted as (insert into player_exclusions (player_id, until_ms, reason, author, at_ms)
    select player_id, $2, $3, $4, $5 from known),
ended as (update sessions s set expires_ms = least(s.expires_ms, $5), ended_ms = $5, ended_by = $4, end_reason = 'excluded'
    from known where s.player_id = known.player_id and s.ended_ms is null and s.expires_ms > $5 and $2::bigint is not null
    returning s.session_id)
select count(*) from ended"""
_LAST = """
select until_ms, reason, author, at_ms from player_exclusions where player_id = $1 order by exclusion_id desc limit 1"""
_LIMITS = "update players set limits = $2 where player_id = $1"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """The latest exclusion of a player; `until_ms` None lifted the one before."""

    until_ms: int | None
    reason: str
    author: str
    at_ms: int


class Exclusions:
    """The exclusions of all players."""

    def __init__(self, db: Db, clock: Clock, *, memory: SessionMemory | None = None) -> None:
        self._db = db
        self._clock = clock
        self._memory = memory or SessionMemory(db)

    async def exclude(self, player_id: int, until_ms: int, *, reason: str, author: str) -> int:
        """Exclude the player and end all open sessions, at once. Return how many ended."""
        return await self._set(player_id, until_ms, reason=reason, author=author)

    async def readmit(self, player_id: int, *, reason: str, author: str) -> None:
        """Lift the exclusion. Sessions that it ended stay over."""
        await self._set(player_id, None, reason=reason, author=author)

    async def last(self, player_id: int) -> Exclusion | None:
        """Return the latest exclusion of the player; None if there never was one."""
        row = await self._db.fetchrow(_LAST, player_id)
        return None if row is None else Exclusion(**row)

    async def limit(self, player_id: int, limits: PlayLimits) -> None:
        """Set the casino's limits on every session of the player, open ones included."""
        with self._memory.changed(player_id=player_id):
            await self._db.execute(_LIMITS, player_id, limits_to_json(limits))

    async def _set(self, player_id: int, until_ms: int | None, *, reason: str, author: str) -> int:
        with self._memory.changed(player_id=player_id):
            ended: int = await self._db.fetchval(_EXCLUDE, player_id, until_ms, reason, author, self._clock.now_ms())
        return ended
