"""Gross gaming revenue of a period, computed from the ledger, with jackpots and cashback listed separately.

Owns: the sums by day, month, casino, provider, game, group of players and currency. Never: computes them from the bets. What was settled in the period
counts, less what was undone in it, whenever the bet was made. Amounts are decimal text in major units, and may be
negative. Spec: money.md 6.5, operate.md 2 (`croupier ggr`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from croupier.core.money import format_amount
from croupier.store.db import Db

USUAL: Final = ("casino", "provider", "game")
DIMENSIONS: Final = ("day", "month", *USUAL, "country", "test")
"""Days and months are in UTC; `country` and `test` are the groups that casinos put their players into."""
AMOUNTS: Final = ("stakes", "wins", "corrections", "ggr", "jackpots", "cashback")

# Movements into ggr count as positive, out of it as negative; jackpot and cashback by what was decided for players.
_GGR = """
with moved as (
    select l.subject_id, l.currency, l.why, to_timestamp(l.at_ms / 1000) at time zone 'UTC' as at,
        case when l.target like 'ggr/%' then l.amount when l.source like 'ggr/%' then -l.amount else 0 end as ggr,
        case when l.source like 'jackpot/%' and l.target like 'owed/%' then l.amount
            when l.source like 'owed/%' and l.target like 'jackpot/%' then -l.amount else 0 end as jackpot,
        case when l.source like 'cashback/%' then l.amount when l.target like 'cashback/%' then -l.amount else 0 end
            as cashback
    from ledger l where l.at_ms >= $1 and l.at_ms < $2),
placed as (
    select m.*, coalesce(b.casino_id, k.casino_id) as casino_id, b.provider_id, b.game_id, pl.country, pl.is_test
    from moved m left join bets b on b.bet_id = m.subject_id left join cashbacks k on k.cashback_id = m.subject_id
    left join players pl on pl.player_id = coalesce(b.player_id, k.player_id)
    where (m.ggr <> 0 or m.jackpot <> 0 or m.cashback <> 0)
    and ($4::bigint[] is null or coalesce(b.casino_id, k.casino_id) = any($4))
    and ($5::bigint[] is null or b.provider_id = any($5))),
counted as (
    select case when 'day' = any($3::text[]) then to_char(at, 'YYYY-MM-DD') end as day,
        case when 'month' = any($3::text[]) then to_char(at, 'YYYY-MM') end as month,
        case when 'casino' = any($3::text[]) then casino_id end as casino_id,
        case when 'provider' = any($3::text[]) then provider_id end as provider_id,
        case when 'game' = any($3::text[]) then game_id end as game_id,
        case when 'country' = any($3::text[]) then country end as country,
        case when 'test' = any($3::text[]) then is_test end as test, currency,
        sum(case when why in ('settled', 'return_decided') then ggr else 0 end) as stakes,
        sum(case when why in ('won', 'taken_back') then -ggr else 0 end) as wins,
        sum(case when why not in ('settled', 'return_decided', 'won', 'taken_back') then ggr else 0 end)
            as corrections,
        sum(ggr) as ggr, sum(jackpot) as jackpots, sum(cashback) as cashback
    from placed group by 1, 2, 3, 4, 5, 6, 7, 8)
select c.*, a.name as casino, p.name as provider, g.name as game, g.game_ref
from counted c left join casinos a using (casino_id) left join providers p on p.provider_id = c.provider_id
left join games g on g.game_id = c.game_id
order by c.month, c.day, a.name, p.name, g.name, c.country, c.test, c.currency"""


@dataclass(frozen=True, slots=True)
class GgrRow:
    """One row of the report; dimensions that were not requested are None. A cashback has neither provider nor game."""

    day: str | None
    month: str | None
    casino: str | None
    provider: str | None
    game: str | None
    game_ref: str | None
    """The provider's gameId."""
    country: str | None
    """The player's country, as the casino reported it."""
    test: bool | None
    """Whether the casino says that the players are for tests."""
    currency: str
    stakes: str
    """Stakes of bets settled in the period, less those undone in it. Bets that a person settled or undid are left out."""
    wins: str
    """Their wins."""
    corrections: str
    """Decisions of persons: the stake less the win of a bet that a person settled, and wins that a person gave up."""
    ggr: str
    """Stakes minus wins, plus corrections."""
    jackpots: str
    """Jackpot wins decided; not part of ggr."""
    cashback: str
    """Cashbacks decided, less those that ended unpaid or were taken back; not part of ggr."""


Ids = Collection[int] | None
"""Ids of casinos or providers; None: of all."""


async def ggr(
    db: Db, from_ms: int, to_ms: int, *, by: Collection[str] = USUAL, casino_ids: Ids = None, provider_ids: Ids = None
) -> list[GgrRow]:
    """Return the report of [from_ms, to_ms): one row per currency and combination of the dimensions in `by`."""
    assert set(by) <= set(DIMENSIONS), by
    return [_line(row) for row in await db.fetch(_GGR, from_ms, to_ms, list(by), casino_ids, provider_ids)]


def _line(row: Mapping[str, Any]) -> GgrRow:
    amounts = {name: format_amount(int(row[name]), row["currency"]) for name in AMOUNTS}
    names: dict[str, Any] = {name: row[name] for name in (*DIMENSIONS, "game_ref", "currency")}
    return GgrRow(**(names | amounts))
