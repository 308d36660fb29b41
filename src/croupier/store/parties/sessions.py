"""Sessions: launched games, read with every request of a provider.

Owns: the rows of `sessions`, and the one read that joins the conditions of a new bet (player blocked or excluded, game
open, limits). Never: the judgement (core.session). Concurrent reads are batched. Spec: provider.md 3.2, 3.3 and 4.1,
casino.md 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from croupier.core.protection import NO_LIMITS, PlayLimits, narrower
from croupier.core.session import BetLimits, Session
from croupier.store.db import Db, Row
from croupier.store.parties.play_limits import limits_from_json
from croupier.store.parties.session_memory import SessionMemory
from croupier.store.read_batcher import ReadBatcher
from croupier.store.storable import storable_text

_OPEN = """
insert into sessions (session_id, provider_id, casino_id, player_id, game_id, currency, demo, min_bet, max_bet,
    opened_ms, expires_ms, tag_id, frame_uri, own_max_bet, max_stakes, max_loss, reality_check_s, language, country,
    mobile, lobby_url, exit_url, visitor)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)"""
_READ = """
select s.session_id, s.provider_id, s.casino_id, s.player_id, p.player_ref, s.game_id, s.currency, s.demo,
    s.min_bet, s.max_bet, s.opened_ms, s.expires_ms, s.tag_id, p.blocked,
    g.enabled and g.listed and coalesce(c.enabled, true) and not exists (
        select from game_switches w where w.game_id = s.game_id and (w.casino_id is null or w.casino_id = s.casino_id)
        and (w.currency is null or w.currency = s.currency)
        and (w.country is null or w.country = coalesce(s.country, p.country))) as game_open, g.jackpot_wins,
    p.excluded_until_ms, p.limits, s.own_max_bet, s.max_stakes, s.max_loss,
    g.min_bet as game_min_bet, g.max_bet as game_max_bet
from unnest($1::text[]) k(session_id) join sessions s using (session_id)
join players p on p.player_id = s.player_id join games g on g.game_id = s.game_id
left join casino_games c on c.casino_id = s.casino_id and c.game_id = s.game_id"""
_FACTS = """
select s.session_id, s.casino_id, s.player_id, p.player_ref, s.game_id, g.game_ref, g.name as game, s.currency, s.demo,
    s.opened_ms, s.expires_ms, s.ended_ms, s.ended_by, s.end_reason, s.language, s.country, s.mobile, s.lobby_url,
    s.exit_url, s.frame_uri, s.min_bet, s.max_bet, s.reality_check_s, s.visitor, p.limits, p.excluded_until_ms, p.blocked
from sessions s join players p using (player_id) join games g on g.game_id = s.game_id"""
_ONE = f"{_FACTS} where s.session_id = $1 and s.casino_id = $2"
_LIST = f"""{_FACTS}
where s.casino_id = $1 and ($2::text is null or p.player_ref = $2)
and ($3::boolean is null or $3 = (s.expires_ms > $4))
and ($5::bigint is null or (s.opened_ms, s.session_id) < ($5, $6::text))
order by s.opened_ms desc, s.session_id desc limit $7"""
_END = """
update sessions set expires_ms = least(expires_ms, $3), ended_ms = $3, ended_by = $4, end_reason = $5
where session_id = $1 and casino_id = $2 and ended_ms is null and expires_ms > $3"""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a launch adds to a session: limits of the casino, and what the frame page must know."""

    limits: PlayLimits = NO_LIMITS
    language: str | None = None
    country: str | None = None
    mobile: bool | None = None
    lobby_url: str | None = None
    exit_url: str | None = None
    visitor: str | None = None
    """Which guest opens it; None for a player whom the casino named."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session as its casino sees it. Amounts are minor units of `currency`."""

    session_id: str
    casino_id: int
    player_id: int
    player_ref: str
    game_id: int
    game_ref: str
    game: str
    currency: str
    demo: bool
    opened_ms: int
    expires_ms: int
    ended_ms: int | None
    ended_by: str | None
    end_reason: str | None
    language: str | None
    country: str | None
    mobile: bool | None
    lobby_url: str | None
    exit_url: str | None
    frame_uri: str | None
    min_bet: int
    max_bet: int
    reality_check_s: int | None
    visitor: str | None
    blocked: bool
    excluded_until_ms: int | None
    limits: PlayLimits
    """The player's own, at every session."""

    def live(self, now_ms: int) -> bool:
        """Return whether it still takes bets."""
        return now_ms < self.expires_ms


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions of a casino are listed, newest first. `after` is the last one of the page before."""

    count: int
    player_ref: str | None = None
    live: bool | None = None
    after: tuple[int, str] | None = None


class Sessions:
    """The sessions of all players."""

    def __init__(self, db: Db, memory: SessionMemory | None = None) -> None:
        self._db = db
        self.memory = memory or SessionMemory(db)
        self.at_hand = self.memory.at_hand
        """The session if it is remembered and was current less than a second ago, else None: then `get` reads it."""
        self._batcher: ReadBatcher[str, Session] = ReadBatcher(self._read)

    async def open(self, session: Session, frame_uri: str | None = None, options: SessionOptions | None = None) -> None:
        """Store a new session. Fields of other tables (player_ref, blocked, and the game's) are not stored."""
        s, o = session, options or SessionOptions()
        await self._db.execute(
            _OPEN, s.session_id, s.provider_id, s.casino_id, s.player_id, s.game_id, s.currency, s.demo,
            s.min_bet, s.max_bet, s.opened_ms, s.expires_ms, s.tag_id, frame_uri, o.limits.max_bet, o.limits.max_stakes,
            o.limits.max_loss, o.limits.reality_check_s, o.language, o.country, o.mobile, o.lobby_url, o.exit_url, o.visitor,
        )  # fmt: skip

    async def get(self, session_id: str) -> Session | None:
        """Return the current session, also when it is over."""
        return await self._batcher.one(session_id) if storable_text(session_id) else None

    async def of_casino(self, casino_id: int, session_id: str) -> SessionFacts | None:
        """Return this casino's session of this id; None for another's."""
        if not storable_text(session_id):
            return None
        row = await self._db.fetchrow(_ONE, session_id, casino_id)
        return None if row is None else _facts(row)

    async def page(self, casino_id: int, asked: SessionQuery, now_ms: int) -> list[SessionFacts]:
        """Return a page of the casino's sessions, newest first."""
        opened_ms, session_id = asked.after or (None, None)
        rows = await self._db.fetch(
            _LIST, casino_id, asked.player_ref, asked.live, now_ms, opened_ms, session_id, asked.count
        )
        return [_facts(row) for row in rows]

    async def end(self, casino_id: int, session_id: str, *, now_ms: int, author: str, reason: str) -> bool:
        """End a session of the casino: no new bets from now on. False if it was over already."""
        with self.memory.changed(session_id=session_id):
            return bool(await self._db.execute(_END, session_id, casino_id, now_ms, author, reason))

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
        begun = self.memory.mark()
        rows = await self._db.batch_fetch(_READ, list(keys))
        found = {row["session_id"]: _session(row) for row in rows}
        self.memory.keep(found, begun)
        return found


def _session(row: Row) -> Session:
    fields = dict(row)
    limits = BetLimits(fields.pop("game_min_bet"), fields.pop("game_max_bet"))
    own = PlayLimits(fields.pop("own_max_bet"), fields.pop("max_stakes"), fields.pop("max_loss"))
    of_player = fields.pop("limits")
    play = own if of_player is None else narrower(own, limits_from_json(of_player))
    return Session(**fields, game_limits=limits, limits=play)


def _facts(row: Row) -> SessionFacts:
    return SessionFacts(**{**row, "limits": limits_from_json(row["limits"])})
