"""Players: those that a casino has registered, their currency, and the token that renews their authorization.

Owns: the rows of `players`. Never: balances (balances) or the effect of a block (core.session). Refresh tokens are
stored sealed. Spec: casino.md 2 (`/users/auth` registers the player), money.md 1.4 (one currency per casino).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from croupier.core.money import exponent
from croupier.core.protection import NO_LIMITS, PlayLimits
from croupier.kit.clock import Clock
from croupier.kit.seal import Sealer
from croupier.store.db import Db, Row
from croupier.store.parties.play_limits import limits_from_json
from croupier.store.parties.session_memory import SessionMemory
from croupier.store.storable import storable_id, storable_text

_COLUMNS = "player_id, casino_id, player_ref, currency, language, country, is_test, blocked, excluded_until_ms, limits"
# A missing value stays as it was; another currency changes no row.
_REGISTER = f"""
insert into players as p (casino_id, player_ref, currency, language, country, is_test, created_ms)
values ($1, $2, $3, $4, $5, coalesce($6, false), $7)
on conflict (casino_id, player_ref) do update set
    language = coalesce(excluded.language, p.language), country = coalesce(excluded.country, p.country),
    is_test = coalesce($6, p.is_test)
where p.currency = excluded.currency returning {_COLUMNS}"""
_ALL = f"""
select {_COLUMNS} from players p where casino_id = $1 and (blocked or not $2)
and ($3::bigint[] is null or exists (select from sessions s where s.player_id = p.player_id and s.provider_id = any($3)))
and player_id > $4 order by player_id limit $5"""
_PLAYED = "select exists (select from sessions where player_id = $1 and provider_id = any($2::bigint[]))"
_BLOCK = """
with known as (update players set blocked = $2 where player_id = $1 returning player_id)
insert into player_blocks (player_id, blocked, reason, author, at_ms) select player_id, $2, $3, $4, $5 from known"""
_BLOCKS = """
select distinct on (b.player_id) b.player_id, b.reason, b.author, b.at_ms
from player_blocks b where b.player_id = any($1::bigint[])
order by b.player_id, b.block_id desc"""


@dataclass(frozen=True, slots=True)
class Player:
    """One player of one casino."""

    player_id: int
    casino_id: int
    player_ref: str
    """The player's id at the casino."""
    currency: str
    language: str | None = None
    country: str | None = None
    is_test: bool = False
    blocked: bool = False
    """A person excluded the player: no new bets."""
    excluded_until_ms: int | None = None
    """The casino excluded the player until then; None: it did not."""
    limits: PlayLimits = NO_LIMITS
    """The casino's limits on every session of the player."""

    def excluded(self, now_ms: int) -> bool:
        """Return whether the casino's exclusion holds at this instant."""
        return self.excluded_until_ms is not None and now_ms < self.excluded_until_ms


@dataclass(frozen=True, slots=True)
class Block:
    """The latest block or release of a player for new bets."""

    player_id: int
    reason: str
    author: str
    at_ms: int


class CurrencyDiffers(Exception):
    """The player has another currency at this casino, and a player has one."""

    def __init__(self, has: str, asked: str) -> None:
        super().__init__(f"the player's currency is {has}, not {asked}")
        self.has = has
        self.asked = asked


class Players:
    """The players of all casinos."""

    def __init__(self, db: Db, sealer: Sealer, clock: Clock, *, memory: SessionMemory | None = None) -> None:
        self._db = db
        self._memory = memory or SessionMemory(db)
        self._sealer = sealer
        self._clock = clock

    async def register(
        self,
        casino_id: int,
        player_ref: str,
        currency: str,
        *,
        language: str | None = None,
        country: str | None = None,
        is_test: bool | None = None,
        refresh_token: str | None = None,
    ) -> Player:
        """Create or update the player and return it; None leaves a value. Raises CurrencyDiffers, UnknownCurrency."""
        exponent(currency)
        row = await self._db.fetchrow(
            _REGISTER, casino_id, player_ref, currency, language, country, is_test, self._clock.now_ms()
        )
        if row is None:
            raise CurrencyDiffers(await self._currency(casino_id, player_ref), currency)
        player = _player(row)
        if refresh_token is not None:
            await self.keep_refresh_token(player.player_id, refresh_token)
        return player

    async def get(self, player_id: int) -> Player | None:
        """Return the player of this id."""
        if not storable_id(player_id):
            return None
        row = await self._db.fetchrow(f"select {_COLUMNS} from players where player_id = $1", player_id)
        return None if row is None else _player(row)

    async def find(self, casino_id: int, player_ref: str) -> Player | None:
        """Return the casino's player of the casino's own id."""
        if not storable_text(player_ref):
            return None
        row = await self._db.fetchrow(
            f"select {_COLUMNS} from players where casino_id = $1 and player_ref = $2", casino_id, player_ref
        )
        return None if row is None else _player(row)

    async def keep_refresh_token(self, player_id: int, refresh_token: str) -> None:
        """Store the token for the next users/auth of this player."""
        sealed = await self._sealer.sealed(refresh_token.encode("utf-8"), _place(player_id))
        await self._db.execute("update players set refresh_token = $2 where player_id = $1", player_id, sealed)

    async def refresh_token(self, player_id: int) -> str | None:
        """Return the token that `keep_refresh_token` stored last."""
        sealed = await self._db.fetchval("select refresh_token from players where player_id = $1", player_id)
        return None if sealed is None else (await self._sealer.opened(sealed, _place(player_id))).decode("utf-8")

    async def page(
        self, casino_id: int, after_id: int, most: int, *, only_blocked: bool = False,
        provider_ids: Sequence[int] | None = None,
    ) -> list[Player]:  # fmt: skip
        """Return players of the casino with higher ids than this, in the order of registration: all, or those who played at these providers."""
        return [
            _player(row) for row in await self._db.fetch(_ALL, casino_id, only_blocked, provider_ids, after_id, most)
        ]

    async def played_at(self, player_id: int, provider_ids: Sequence[int]) -> bool:
        """Return whether the player ever opened a game of one of these providers."""
        return bool(await self._db.fetchval(_PLAYED, player_id, list(provider_ids)))

    async def block(self, player_id: int, blocked: bool, *, reason: str, author: str) -> None:  # noqa: FBT001 - it sets
        """Block or release the player for new bets and store the reason. It holds from the next pay-in on."""
        with self._memory.changed(player_id=player_id):
            await self._db.execute(_BLOCK, player_id, blocked, reason, author, self._clock.now_ms())

    async def blocks(self, player_ids: Sequence[int]) -> dict[int, Block]:
        """Return the latest block or release of each of these players who was ever blocked, by player."""
        return {row["player_id"]: Block(**row) for row in await self._db.fetch(_BLOCKS, list(player_ids))}

    async def _currency(self, casino_id: int, player_ref: str) -> str:
        sql = "select currency from players where casino_id = $1 and player_ref = $2"
        return str(await self._db.fetchval(sql, casino_id, player_ref))


def _player(row: Row) -> Player:
    return Player(**{**row, "limits": limits_from_json(row["limits"])})


def _place(player_id: int) -> str:
    return f"players.refresh_token.{player_id}"
