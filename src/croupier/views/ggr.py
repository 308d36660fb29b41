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
with entries as (
    select l.at_ms, l.source, l.target, l.amount, l.currency, l.why, coalesce(b.casino_id, k.casino_id) as casino_id, b.provider_id,
        b.game_id, pl.country, pl.is_test
    from ledger l left join bets b on b.bet_id = l.subject_id left join cashbacks k on k.cashback_id = l.subject_id
    left join players pl on pl.player_id = coalesce(b.player_id, k.player_id)
    where l.at_ms >= $1 and l.at_ms < $2 and (l.source ~ '^(ggr|jackpot|cashback)/' or l.target ~ '^(ggr|jackpot|cashback)/')
    union all
    select day_ms, source, target, amount, currency, why, casino_id, provider_id, game_id, country, is_test
    from archived_sums where day_ms >= $1 and day_ms < $2),
placed as (
    select e.*, to_timestamp(e.at_ms / 1000) at time zone 'UTC' as at,
        case when e.target like 'ggr/%' then e.amount when e.source like 'ggr/%' then -e.amount else 0 end as ggr,
        case when e.source like 'jackpot/%' and e.target like 'owed/%' then e.amount
            when e.source like 'owed/%' and e.target like 'jackpot/%' then -e.amount else 0 end as jackpot,
        case when e.source like 'cashback/%' then e.amount when e.target like 'cashback/%' then -e.amount else 0 end
            as cashback
    from entries e
    where ($4::bigint[] is null or e.casino_id = any($4)) and ($5::bigint[] is null or e.provider_id = any($5))),
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
    from placed where ggr <> 0 or jackpot <> 0 or cashback <> 0 group by 1, 2, 3, 4, 5, 6, 7, 8)
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
