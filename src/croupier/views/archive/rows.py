"""The bets and cashbacks that an archive takes, each with every row that belongs to it.

Owns: which are over, and the text of each. Never: writes, or deletes. Spec: money.md 2 (states), decision 0100.

A bet or cashback is over if its entries and events are there, it ended before the day, has no call, no payment without an outcome, no money in `open-bets`, `owed` or
`suspense`, no open incident or finding, and no comparison that waits. Whatever else is old stays out, and is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.store.db import Tx

_OVER = """not exists (select from archived a where a.subject_id = s.{key})
    and not exists (select from calls c where c.subject_id = s.{key})
    and not exists (select from payments p where p.subject_id = s.{key} and p.state not in ('accepted', 'refused', 'expired'))
    and not exists (select from incidents i where i.subject_id = s.{key} and i.closed_ms is null)
    and not exists (select from findings f where f.casino_id = s.casino_id and f.subject_id = s.{key} and f.closed_ms is null)
    and not exists (select from proposals o where o.subject_id = s.{key} and o.state in ('open', 'approved'))
    and not exists (select from comparisons k where k.subject_id = s.{key} and k.wanted)
    and not exists (select from recovery_bets r where r.subject_id = s.{key} and r.done_ms is null)
    and not exists (select from events e where e.subject_id = s.{key} and e.at_ms >= $2)
    and not exists (
        select from ledger l cross join lateral (values (l.target, l.amount), (l.source, -l.amount)) m(account, amount)
        where l.subject_id = s.{key} and split_part(m.account, '/', 1) in ('open-bets', 'owed', 'suspense')
        group by m.account having sum(m.amount) <> 0)"""


def _over(which: str, most: str = "") -> str:
    """Return the query of those that are over, of the ids that satisfy `which`; `most` is the limit. $2 is the day."""
    return f"""
(select s.bet_id as id from bets s where s.bet_id {which} and s.created_ms < $2
    and s.state in ('settled', 'returned', 'refused', 'expired', 'cancelled', 'tombstone')
    and {_OVER.format(key="bet_id")} order by s.bet_id {most})
union all
(select s.cashback_id from cashbacks s where s.cashback_id {which} and s.created_ms < $2
    and s.state in ('paid', 'cancelled', 'kept', 'given_up')
    and {_OVER.format(key="cashback_id")} order by s.cashback_id {most})
order by id {most}"""  # noqa: S608 - nothing but our own text


_NEXT = _over("> $1", "limit $3")
_STILL = _over("= any($1::bigint[])")

_BELONGS = """
    'payments', (select coalesce(jsonb_agg(p order by p.kind), '[]') from payments p where p.subject_id = s.{key}),
    'ledger', (select coalesce(jsonb_agg(l order by l.entry_id), '[]') from ledger l where l.subject_id = s.{key}),
    'events', (select coalesce(jsonb_agg(e order by e.version), '[]') from events e where e.subject_id = s.{key}),
    'numbers', (select coalesce(jsonb_agg(t order by t.partner_tx), '[]') from payments p
        join partner_transactions t on t.casino_id = s.casino_id and t.partner_tx = p.partner_tx and t.subject_id = s.{key}
            and t.kind = p.kind
        where p.subject_id = s.{key}),
    'comparisons', (select coalesce(jsonb_agg(k), '[]') from comparisons k where k.subject_id = s.{key}),
    'findings', (select coalesce(jsonb_agg(f order by f.finding_id), '[]') from findings f
        where f.casino_id = s.casino_id and f.subject_id = s.{key}),
    'incidents', (select coalesce(jsonb_agg(g order by g.log_id), '[]') from incidents i join incident_log g using (incident_id)
        where i.subject_id = s.{key})"""
_ROWS = f"""
select s.bet_id as id, jsonb_build_object('subject', s.bet_id, 'bet', to_jsonb(s),
    'casino', (select name from casinos c where c.casino_id = s.casino_id),
    'provider', (select name from providers v where v.provider_id = s.provider_id),
    'game', (select to_jsonb(g.name) from games g where g.game_id = s.game_id),
    'session', (select to_jsonb(n) - 'frame_uri' from sessions n where n.session_id = s.session_id),
    'shares', (select coalesce(jsonb_agg(c order by c.pot_id, c.direction), '[]') from jackpots j
        join jackpot_contributions c on c.pot_id = j.pot_id and c.bet_id = s.bet_id),
    {_BELONGS.format(key="bet_id")})::text as said
from bets s where s.bet_id = any($1::bigint[])
union all
select s.cashback_id, jsonb_build_object('subject', s.cashback_id, 'cashback', to_jsonb(s),
    'casino', (select name from casinos c where c.casino_id = s.casino_id),
    {_BELONGS.format(key="cashback_id")})::text
from cashbacks s where s.cashback_id = any($1::bigint[])
order by id"""  # noqa: S608 - nothing but our own text

_OLD = """
select (select count(*) from bets where created_ms < $1 and not exists (select from archived where subject_id = bet_id))
    + (select count(*) from cashbacks where created_ms < $1 and not exists (select from archived where subject_id = cashback_id))"""
_HEAD = """
select (select installation_id from installation) as installation,
    (select encode(head, 'hex') from trail where link = 0) as trail,
    (select max(name) from schema_migrations) as schema"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an archive comes from. `trail` is the first head of the audit trail; None if nothing was bound yet."""

    installation: str | None
    trail: str | None
    schema: str | None


async def origin(tx: Tx) -> Origin:
    """Return what identifies this database."""
    row = await tx.fetchrow(_HEAD)
    assert row is not None
    return Origin(row["installation"], row["trail"], row["schema"])


async def count_old(tx: Tx, before_ms: int) -> int:
    """Return the number of bets and cashbacks that began before then, over or not, and have their entries and events."""
    return int(await tx.fetchval(_OLD, before_ms))


async def next_over(tx: Tx, after: int, before_ms: int, *, most: int) -> list[int]:
    """Return the next ids, after this one, of bets and cashbacks that were over before then."""
    return [row["id"] for row in await tx.fetch(_NEXT, after, before_ms, most)]


async def still_over(tx: Tx, ids: list[int], before_ms: int) -> set[int]:
    """Return which of these are over, and were before then."""
    return {row["id"] for row in await tx.fetch(_STILL, ids, before_ms)}


async def texts_of(tx: Tx, ids: list[int]) -> list[str]:
    """Return one JSON object for each of these, in the order of their ids."""
    return [row["said"] for row in await tx.fetch(_ROWS, ids)]
