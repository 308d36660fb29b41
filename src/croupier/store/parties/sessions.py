"""Sessions: launched games, read with every request of a provider.

Owns: the rows of `sessions`, and the one read that joins the conditions of a new bet (player blocked, game open, limits).
Never: the judgement (core.session). Concurrent reads are batched. Spec: provider.md 3.2, 3.3 and 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from croupier.core.session import BetLimits, Session
from croupier.store.db import Db, Row
from croupier.store.read_batcher import ReadBatcher
from croupier.store.storable import storable_text

_OPEN = """
insert into sessions (session_id, provider_id, casino_id, player_id, game_id, currency, demo, min_bet, max_bet,
    opened_ms, expires_ms, tag_id, frame_uri)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"""
_READ = """
select s.session_id, s.provider_id, s.casino_id, s.player_id, p.player_ref, s.game_id, s.currency, s.demo,
    s.min_bet, s.max_bet, s.opened_ms, s.expires_ms, s.tag_id, p.blocked,
    g.enabled and g.listed and coalesce(c.enabled, true) as game_open, g.jackpot_wins,
    g.min_bet as game_min_bet, g.max_bet as game_max_bet
from unnest($1::text[]) k(session_id) join sessions s using (session_id)
join players p on p.player_id = s.player_id join games g on g.game_id = s.game_id
left join casino_games c on c.casino_id = s.casino_id and c.game_id = s.game_id"""


class Sessions:
    """The sessions of all players."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._batcher: ReadBatcher[str, Session] = ReadBatcher(self._read)

    async def open(self, session: Session, frame_uri: str | None = None) -> None:
        """Store a new session. Fields of other tables (player_ref, blocked, and the game's) are not stored."""
        s = session
        await self._db.execute(
            _OPEN, s.session_id, s.provider_id, s.casino_id, s.player_id, s.game_id, s.currency, s.demo,
            s.min_bet, s.max_bet, s.opened_ms, s.expires_ms, s.tag_id, frame_uri,
        )  # fmt: skip

    async def get(self, session_id: str) -> Session | None:
        """Return the current session, also when it is over."""
        return await self._batcher.one(session_id) if storable_text(session_id) else None

    async def set_frame(self, session_id: str, frame_uri: str) -> None:
        """Store the address at which the provider shows the game."""
        await self._db.execute("update sessions set frame_uri = $2 where session_id = $1", session_id, frame_uri)

    async def frame(self, session_id: str) -> str | None:
        """Return the address that `open` or `set_frame` stored."""
        if not storable_text(session_id):
            return None
        uri: str | None = await self._db.fetchval("select frame_uri from sessions where session_id = $1", session_id)
        return uri

    async def _read(self, keys: Sequence[str]) -> dict[str, Session]:
        rows = await self._db.batch_fetch(_READ, list(keys))
        return {row["session_id"]: _session(row) for row in rows}


def _session(row: Row) -> Session:
    fields = dict(row)
    limits = BetLimits(fields.pop("game_min_bet"), fields.pop("game_max_bet"))
    return Session(**fields, game_limits=limits)
