"""What monitoring reads at each scrape: money that is not through, open incidents, pots.

Owns: these sums, each from a small table or an index, because every few seconds somebody asks. Amounts are minor units.
Never: what only a process knows (apps.hub_app), or the invariants (views.audit). Spec: operate.md 6.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.store.db import Db, Tx
from croupier.store.money.standing import UNDECIDED_PAYMENTS

# A payment without an outcome has a call; an accepted stake that nobody claimed has one too; a parked one has an incident.
_PAYMENTS = f"""
with found as (
    select p.subject_id, p.kind, p.amount, p.created_ms, case when c.slot = 'claim' then 'unclaimed'
        when p.kind in ('stake', 'payout_return', 'cashback_cancel') then 'debit' else 'credit' end as what
    from calls c join payments p on p.subject_id = c.subject_id
        and p.kind = case c.slot when 'claim' then 'stake' else c.slot end
    where p.state in {UNDECIDED_PAYMENTS} or c.slot = 'claim'
    union all
    select p.subject_id, p.kind, p.amount, p.created_ms, 'parked'
    from incidents i join payments p on p.subject_id = i.subject_id and p.state = 'parked'
    where i.name = 'parked' and i.closed_ms is null)
select coalesce(a.name, '') as casino, coalesce(b.currency, k.currency) as currency, f.what,
    count(*) as payments, sum(f.amount)::bigint as amount, min(f.created_ms) as oldest_ms
from found f left join bets b on b.bet_id = f.subject_id left join cashbacks k on k.cashback_id = f.subject_id
left join casinos a on a.casino_id = coalesce(b.casino_id, k.casino_id)
group by 1, 2, 3 order by 1, 2, 3"""  # noqa: S608 - our own list
_INCIDENTS = "select name, count(*) as open from incidents where closed_ms is null group by name order by name"
_POTS = """
select j.name, j.currency, r.seed + r.contributed as amount
from jackpots j join jackpot_rounds r on r.pot_id = j.pot_id and r.number = j.number order by j.name"""


@dataclass(frozen=True, slots=True)
class OpenMoney:
    """The payments of one casino and currency that are not through."""

    casino: str
    currency: str
    what: str
    """`credit`: owed to players; `debit`: being taken from them; `unclaimed`: taken, and the provider has not been told;
    `parked`: waiting for a person."""
    payments: int
    amount: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class PotAmount:
    """A jackpot pot and what it holds now."""

    name: str
    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class Gauges:
    """All of it, as of one moment."""

    money: tuple[OpenMoney, ...]
    incidents: dict[str, int]
    """Name to number of open ones."""
    pots: tuple[PotAmount, ...]


async def gauges(db: Db) -> Gauges:
    """Return what the database holds now."""
    async with db.transaction(snapshot=True) as tx:
        return Gauges(
            tuple([OpenMoney(**row) for row in await tx.fetch(_PAYMENTS)]),
            await _incidents(tx),
            tuple([PotAmount(**row) for row in await tx.fetch(_POTS)]),
        )


async def _incidents(tx: Tx) -> dict[str, int]:
    return {row["name"]: row["open"] for row in await tx.fetch(_INCIDENTS)}
