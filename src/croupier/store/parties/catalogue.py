"""The games as one casino may offer them: filters, full text, what changed since.

Owns: those queries, and the position from which a reader misses no change. Never: why a game is off (views.why), a row.
Spec: casino.md 3.1.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from croupier.store.db import Db, Row

_KIND: Final = "coalesce(g.kind, case when g.category = 'live' then 'live' else 'rng' end)"
_FEATURES: Final = "g.features || case when g.jackpot_wins then array['jackpot'] else '{}'::text[] end"
_CHANGE: Final = "greatest(g.changed_xid, p.changed_xid, c.changed_xid)"
_AVAILABLE: Final = """(c.enabled and c.closed_ms is null and p.enabled and p.closed_ms is null and g.enabled and g.listed
    and coalesce(o.enabled, true) and ($8::text is null or $8 = any(c.currencies)) and not exists (
        select from game_switches w where w.game_id = g.game_id and (w.casino_id is null or w.casino_id = c.casino_id)
        and (w.currency is null or w.currency = $8) and (w.country is null or w.country = $9)))"""
_GAMES = f"""
select g.game_id, g.game_ref, g.name, g.category, {_KIND} as kind, {_FEATURES} as features,
    coalesce(g.own_max_odd, g.max_odd) as max_odd, g.min_bet, g.max_bet, g.image_url, g.texts::text as texts,
    p.provider_id, p.name as provider, g.changed_ms, {_AVAILABLE} as available,
    array(select distinct w.currency from game_switches w where w.game_id = g.game_id and w.country is null
        and (w.casino_id is null or w.casino_id = c.casino_id) order by 1) as off_currencies,
    array(select distinct w.country from game_switches w where w.game_id = g.game_id and w.currency is null
        and (w.casino_id is null or w.casino_id = c.casino_id) order by 1) as off_countries
from casinos c cross join games g join providers p using (provider_id)
left join casino_games o on o.casino_id = c.casino_id and o.game_id = g.game_id
where c.casino_id = $1 and g.game_id > $2 and ($3::bigint is null or g.game_id = $3)
and ($4::text is null or $4 in (p.name, p.counterparty_id, p.provider_id::text))
and ($5::text is null or g.category = $5) and ($6::text is null or {_KIND} = $6)
and ($7::text[] is null or {_FEATURES} @> $7)
and ($10::text is null or g.search @@ to_tsquery('simple', $10))
and ($11::bigint is null or {_CHANGE} >= $11)
and ($12 or {_AVAILABLE})
order by g.game_id limit $13"""
_NOW = "select pg_snapshot_xmin(s)::text::bigint as oldest, pg_snapshot_xmax(s)::text::bigint as newest from pg_current_snapshot() s"
_TOKEN = re.compile(r"\w+")
MOST_TOKENS: Final = 8


@dataclass(frozen=True, slots=True)
class GamesQuery:
    """Which games of a casino's catalogue are wanted. None asks for all."""

    casino_id: int
    count: int
    after: int = 0
    game_id: int | None = None
    provider: str | None = None
    category: str | None = None
    kind: str | None = None
    features: tuple[str, ...] | None = None
    currency: str | None = None
    country: str | None = None
    text: str | None = None
    since: int | None = None
    also_unavailable: bool = False


@dataclass(frozen=True, slots=True)
class CatalogueGame:
    """A game as one casino may offer it."""

    game_id: int
    game_ref: str
    name: str
    category: str
    kind: str
    features: tuple[str, ...]
    max_odd: str | None
    min_bet: str | None
    max_bet: str | None
    image_url: str | None
    texts: dict[str, dict[str, str]]
    provider_id: int
    provider: str
    changed_ms: int
    available: bool
    off_currencies: tuple[str, ...]
    off_countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Positions:
    """Where a reader of changes may begin again (`oldest`), and what no change has reached yet (`newest`)."""

    oldest: int
    newest: int


class CasinoCatalogue:
    """The catalogue as each casino sees it."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def positions(self) -> Positions:
        """Return the positions of now. Ask before the games: a change is then seen twice at most, and never missed."""
        row = await self._db.fetchrow(_NOW)
        assert row is not None
        return Positions(row["oldest"], row["newest"])

    async def games(self, asked: GamesQuery) -> list[CatalogueGame]:
        """Return the games, by their number. With `since`, also those that are not available any more."""
        words = None if asked.text is None else _words(asked.text)
        rows = await self._db.fetch(
            _GAMES, asked.casino_id, asked.after, asked.game_id, asked.provider, asked.category, asked.kind,
            None if asked.features is None else list(asked.features), asked.currency, asked.country, words,
            asked.since, asked.also_unavailable or asked.since is not None, asked.count,
        )  # fmt: skip
        return [_game(row) for row in rows]


def _words(text: str) -> str | None:
    """Return the query for texts with words that begin like all of these; None if there is no word."""
    tokens = _TOKEN.findall(text)[:MOST_TOKENS]
    return " & ".join(f"'{token}':*" for token in tokens) if tokens else None


def _game(row: Row) -> CatalogueGame:
    lists: dict[str, Any] = {
        name: tuple(x for x in row[name] if x is not None) for name in ("features", "off_currencies", "off_countries")
    }
    return CatalogueGame(**{**row, **lists, "texts": json.loads(row["texts"])})
