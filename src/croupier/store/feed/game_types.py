"""Game types of the feed: whose each is, and whether it is in maintenance.

Owns: the rows of `game_types`. Never: the setting of a provider that names them (store.parties.providers), which this
follows in the same transaction. Spec: feed.md 3.5 (`im`) and 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from croupier.store.db import Db, Tx

_TAKE = """
insert into game_types as g (game_type, provider_id) select unnest($2::integer[]), $1 order by 1
on conflict (game_type) do update set provider_id = excluded.provider_id
where g.provider_id is null or g.provider_id = excluded.provider_id
returning game_type"""
_GIVE_BACK = "update game_types set provider_id = null where provider_id = $1 and game_type <> all($2::integer[])"
_OTHERS = """
select g.game_type, p.name from game_types g join providers p using (provider_id)
where g.game_type = any($2::integer[]) and g.provider_id <> $1 order by g.game_type"""
_LOCK = "select game_type, provider_id, forgotten_ms from game_types where game_type = any($1::integer[]) order by game_type for update"
_CHANGED = "update game_types set change = change + 1 where game_type = any($1::integer[])"
_SHOW_IN = """
update game_types t set game_id = g.game_id from games g
where t.game_type = $1 and g.game_id = $2 and g.provider_id = t.provider_id"""
_GAMES = "select t.game_type, t.game_id from game_types t join games g on g.game_id = t.game_id and g.provider_id = t.provider_id"
_SWITCH = "update game_types set maintenance = $2, change = change + 1 where game_type = $1 and maintenance <> $2"


@dataclass(frozen=True, slots=True)
class GameType:
    """One game type as the hub has it."""

    game_type: int
    provider: str | None
    """The name of its provider; None if it is nobody's now."""
    maintenance: bool
    game_id: int | None = None
    """The game of its provider in which people bet on its draws; None if nobody said."""
    provider_id: int | None = None


@dataclass(frozen=True, slots=True)
class HeldType:
    """A game type that a transaction holds."""

    provider_id: int | None
    forgotten_ms: int
    """Draws that start until then may have been deleted."""


async def own_game_types(tx: Tx, provider_id: int, wanted: Sequence[int]) -> dict[int, str]:
    """Make these and no others the provider's, who exists. Return those that are another's, with its name.

    The caller undoes the transaction if there are any. Two providers that ask at once cannot both get one.
    """
    await tx.execute(_GIVE_BACK, provider_id, list(wanted))
    taken = {row["game_type"] for row in await tx.fetch(_TAKE, provider_id, sorted(wanted))}
    if taken == set(wanted):
        return {}
    return {row["game_type"]: row["name"] for row in await tx.fetch(_OTHERS, provider_id, list(wanted))}


class GameTypes:
    """The owner of each game type, and its maintenance switch."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def all(self) -> list[GameType]:
        """Every game type, by number."""
        rows = await self._db.fetch(
            "select game_type, provider_id, name, maintenance from game_types left join providers using (provider_id) order by 1"
        )
        games = await self.games()
        return [
            GameType(row["game_type"], row["name"], row["maintenance"], games.get(row["game_type"]), row["provider_id"])
            for row in rows
        ]

    async def games(self) -> dict[int, int]:
        """Game type to the game in which people bet on its draws. A game of a provider that lost the type does not count."""
        return {row["game_type"]: row["game_id"] for row in await self._db.fetch(_GAMES)}

    async def show_in(self, game_type: int, game_id: int) -> bool:
        """Say in which game people bet on the draws of a type; whether it is a game of the type's provider."""
        return bool(await self._db.execute(_SHOW_IN, game_type, game_id))

    async def lock(self, tx: Tx, game_types: Sequence[int]) -> dict[int, HeldType]:
        """Hold these until the transaction ends, as far as they are known."""
        rows = await tx.fetch(_LOCK, sorted(game_types))
        return {row["game_type"]: HeldType(row["provider_id"], row["forgotten_ms"]) for row in rows}

    async def mark_changed(self, tx: Tx, game_types: Sequence[int]) -> None:
        """Have the publishers of these make a snapshot at once."""
        await tx.execute(_CHANGED, list(game_types))

    async def switch_maintenance(self, game_type: int, *, on: bool) -> bool:
        """Turn maintenance on or off; whether there is such a game type."""
        await self._db.execute(_SWITCH, game_type, on)
        found = await self._db.fetchval("select true from game_types where game_type = $1", game_type)
        return bool(found)
