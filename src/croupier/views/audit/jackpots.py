"""The invariant of the jackpot pots, checked in SQL alone: I21.

Owns: what rounds, shares, entries and wins of a pot must be, given each other. It shares nothing with the code that writes
them. Never: writes, repairs. Pots that changed lately are checked in their last two rounds, so that a turn of the continuous auditor
stays small; `croupier audit` and the pass over all subjects check every round. Spec: decision 0050.
"""

from __future__ import annotations

from croupier.store.db import Tx
from croupier.views.audit.violations import QueryScope, SubjectRange, SubjectSet, Violation

# The parameters: the limit, the pots from .. to, a set of pots or null, and how many of the last rounds.
_I21 = """
with pots as (
    select *, 'jackpot/pot-' || pot_id as account from jackpots
    where pot_id between $2::bigint and $3::bigint and ($4::bigint[] is null or pot_id = any($4))),
rounds as (
    select r.*, p.account, p.currency, p.upto_id,
        lead(r.from_version, 1, p.version + 1) over later as next_version,
        lead(r.carry_before, 1, p.carry) over later as carry_after
    from jackpot_rounds r join pots p using (pot_id)
    window later as (partition by r.pot_id order by r.number)),
looked as (
    select r.* from rounds r join pots p using (pot_id) where r.number > p.number - $5::bigint),
shares as (
    select pot_id, number, sum(c.amount) as amount,
        sum(c.stake::numeric * c.share_bp * case c.direction when 'in' then 1 else -1 end) as parts
    from jackpot_contributions c join looked using (pot_id, number) group by 1, 2),
booked as (
    select r.pot_id, r.number, sum(case l.why when 'fed' then l.amount when 'unfed' then -l.amount else 0 end) as fed,
        sum(case when l.why = 'seeded' then l.amount else 0 end) as seeded
    from looked r join ledger l on l.subject_id = r.pot_id and (
        l.why in ('fed', 'unfed') and l.version > r.from_version and l.version <= r.next_version
        or l.why = 'seeded' and l.version = r.from_version)
    where r.account in (l.source, l.target) and r.currency = l.currency group by 1, 2)
(select r.pot_id as subject_id, format('round %s holds shares of %s, its stakes gave %s, its entries %s', r.number,
    r.contributed, coalesce(s.amount, 0), coalesce(b.fed, 0)) as what
from looked r left join shares s using (pot_id, number) left join booked b using (pot_id, number)
where r.contributed <> coalesce(s.amount, 0) or r.contributed <> coalesce(b.fed, 0) limit $1)
union all
(select r.pot_id, format('round %s began with %s, its entries say %s', r.number, r.seed, coalesce(b.seeded, 0))
from looked r left join booked b using (pot_id, number) where r.seed <> coalesce(b.seeded, 0) limit $1)
union all
(select r.pot_id, format('round %s took exact shares of %s ten-thousandths, and holds and carries %s', r.number,
    coalesce(s.parts, 0), r.contributed * 10000::numeric + r.carry_after - r.carry_before)
from looked r left join shares s using (pot_id, number)
where coalesce(s.parts, 0) <> r.contributed * 10000::numeric + r.carry_after - r.carry_before limit $1)
union all
(select r.pot_id, format('round %s stands at %s, above its ceiling of %s', r.number, r.seed + r.contributed, r.ceiling)
from looked r where r.seed + r.contributed > r.ceiling limit $1)
union all
(select p.pot_id, format('has %s open rounds, and is in round %s', count(r.number), p.number)
from pots p left join jackpot_rounds r on r.pot_id = p.pot_id and r.state = 'open'
group by p.pot_id, p.number having count(r.number) <> 1 or max(r.number) <> p.number limit $1)
union all
(select r.pot_id, format('round %s won %s for bet %s: %s', r.number, r.seed + r.contributed, r.won_by,
    case when w.bet_id is null then 'no bet pays it' when l.times is null then 'nothing left the pot'
        else format('bet %s pays %s, and %s left the pot in %s entries', w.bet_id, w.win, l.amount, l.times) end)
from looked r left join bets b on b.bet_id = r.won_by left join bets w on w.bet_id = r.win_id
left join lateral (select count(*) as times, sum(l.amount) as amount from ledger l
    where l.subject_id = r.win_id and l.source = r.account and l.why = 'won' having count(*) > 0) l on true
where r.state = 'won' and (w.bet_id is not null or r.awarded) and (w.origin, w.win, w.player_id, w.casino_id, w.currency, l.amount,
    l.times) is distinct from ('jackpot', r.seed + r.contributed, b.player_id, b.casino_id, r.currency,
    (r.seed + r.contributed)::numeric, 1::bigint) limit $1)
union all
(select r.pot_id, format('round %s was won by bet %s, whose stake did not fill it', r.number, r.won_by)
from looked r where r.state = 'won' and r.won_by is distinct from (select c.bet_id from jackpot_contributions c
    where c.pot_id = r.pot_id and c.number = r.number and c.direction = 'in' order by c.entry_id desc limit 1) limit $1)
union all
(select r.pot_id, format('bet %s of %s is %s with a stake of %s, and its share is of %s', c.bet_id, b.currency, b.state, b.stake,
    c.stake)
from looked r join jackpot_contributions c using (pot_id, number) left join bets b on b.bet_id = c.bet_id
where c.direction = 'in' and (b.currency is distinct from r.currency or b.stake is distinct from c.stake
    or b.state not in ('settled', 'undoing', 'disputed', 'returned')) limit $1)
union all
(select r.pot_id, format('the stake of bet %s went back, and its share is still in round %s', c.bet_id, r.number)
from looked r join jackpot_contributions c using (pot_id, number) join bets b on b.bet_id = c.bet_id and b.state = 'returned'
where r.state = 'open' and c.direction = 'in' and not exists (select from jackpot_contributions k
    where k.pot_id = c.pot_id and k.bet_id = c.bet_id and k.direction = 'back')
and exists (select from ledger l where l.subject_id = c.bet_id and l.source like 'ggr/%' and l.target like 'owed/%'
    and l.entry_id <= r.upto_id and l.entry_id > c.entry_id
    and exists (select from events e where e.subject_id = l.subject_id and e.version = l.version and e.state = 'returned'))
limit $1)
union all
(select l.subject_id, format('entry %s takes %s from %s, and is no win of it', l.entry_id, l.amount, l.source) from ledger l
where l.source like 'jackpot/pot-%' and l.why = 'won' and l.subject_id between $2 and $3
and ($4::bigint[] is null or l.subject_id = any($4)) and not exists (select from jackpot_rounds r
    where r.win_id = l.subject_id and l.source = 'jackpot/pot-' || r.pot_id) limit $1)
limit $1"""
_FIRST, _LAST = -(2**63), 2**63 - 1
_LATELY = 2
"""The rounds of a pot that changed lately which are checked at once."""
_EVERY = 2**31


async def i21(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that a pot holds its seed and its shares less its wins, that its shares are exact, and that each win is paid once."""
    rows = await tx.fetch(_I21, ask.most, *_scope(ask.of))
    return [Violation(row["subject_id"], row["what"]) for row in rows]


def _scope(of: SubjectRange | SubjectSet | None) -> tuple[object, ...]:
    match of:
        case None:
            return _FIRST, _LAST, None, _EVERY
        case SubjectRange(low, high):
            return low, high, None, _EVERY
        case SubjectSet(subject_ids):
            return _FIRST, _LAST, sorted(subject_ids), _LATELY
