"""The invariants of the ledger, checked in SQL alone: I1, I5, I7, I13, I20 and the sums of section 6.

Owns: what the entries must be, given bets and payments. It shares nothing with the code that writes them. Never: writes,
repairs. Every function covers all subjects, or those of its scope (violations.QueryScope). Spec: money.md 5 and 6.
"""

from __future__ import annotations

from croupier.store.db import Tx
from croupier.views.audit.acts import ACTS
from croupier.views.audit.violations import QueryScope, Violation, violations

# --- I1 -------------------------------------------------------------------------------------------------

# A correction without an author is money that arrived after a person gave it up. A cashback that is cancelled after the
# casino's definite no ends unpaid at that moment: it has an author, and yet follows the normal course.
_I1 = """
with legal(why, source, target) as (values
    ('stake_accepted', 'wallets', 'open-bets'), ('accepted_late', 'wallets', 'suspense'),
    ('settled', 'open-bets', 'ggr'), ('won', 'ggr', 'owed'), ('won', 'jackpot', 'owed'),
    ('paid', 'owed', 'wallets'), ('return_decided', 'open-bets', 'owed'), ('return_decided', 'ggr', 'owed'),
    ('returned', 'owed', 'wallets'), ('returned', 'suspense', 'wallets'),
    ('taken_back', 'wallets', 'ggr'), ('taken_back', 'wallets', 'cashback'),
    ('cashback_decided', 'cashback', 'owed'), ('ended_unpaid', 'owed', 'cashback'),
    ('correction', 'ggr', 'owed'), ('correction', 'jackpot', 'owed'),
    ('fed', 'jackpot-share', 'jackpot'), ('unfed', 'jackpot', 'jackpot-share'),
    ('seeded', 'jackpot-share', 'jackpot'), ('unseeded', 'jackpot', 'jackpot-share')),
by_person(source, target) as (
    select source, target from legal union values ('owed', 'ggr'), ('owed', 'jackpot')),
subjects as (
    select bet_id as subject_id, currency, casino_id, provider_id from bets
    union all select cashback_id, currency, casino_id, null from cashbacks
    union all select pot_id, currency, null, null from jackpots),
entries as (
    select *, split_part(source, '/', 1) as giver, split_part(target, '/', 1) as taker from ledger),
judged as (
    select l.subject_id, l.entry_id, case
        when l.amount <= 0 or l.source = l.target then 'moves nothing'
        when s.subject_id is null then 'belongs to no bet, cashback or pot'
        when l.currency <> s.currency then format('is in %s, its subject in %s', l.currency, s.currency)
        when e.subject_id is null then format('belongs to no transition: there is no event %s', l.version)
        when e.at_ms <> l.at_ms or e.author is distinct from l.author then 'is not of the time or author of its event'
        when l.author is not null and l.why not in ('correction', 'ended_unpaid', 'seeded', 'unseeded')
            then format('is of %s, and named %s', l.author, l.why)
        when case when l.author is not null and l.why = 'correction'
                then (l.giver, l.taker) not in (select source, target from by_person)
                else (l.why, l.giver, l.taker) not in (select why, source, target from legal) end
            then format('must not move %s from %s to %s', l.why, l.giver, l.taker)
        when (s.casino_id is null) <> (l.why in ('fed', 'unfed', 'seeded', 'unseeded'))
            then format('of a pot must not be named %s', l.why)
        when s.casino_id is null and 'jackpot/pot-' || l.subject_id not in (l.source, l.target)
            then format('is of pot %s, and moves from %s to %s', l.subject_id, l.source, l.target)
        when l.giver <> 'jackpot' and l.source <> l.giver || '/' || s.casino_id
                || case when l.giver in ('open-bets', 'ggr') then '/' || coalesce(s.provider_id::text, '') else '' end
            then 'comes out of an account of somebody else: ' || l.source
        when l.taker <> 'jackpot' and l.target <> l.taker || '/' || s.casino_id
                || case when l.taker in ('open-bets', 'ggr') then '/' || coalesce(s.provider_id::text, '') else '' end
            then 'goes into an account of somebody else: ' || l.target
        end as problem
    from entries l left join subjects s using (subject_id)
    left join events e on e.subject_id = l.subject_id and e.version = l.version)
select subject_id, format('entry %s %s', entry_id, problem) as what from judged where problem is not null limit $1"""


async def i1(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that every entry moves one amount between two accounts of its own parties, in one transition of its subject.

    A person's decision is named `correction` and bears the author; nothing else does. So a currency's entries add up to zero:
    an entry is one row that gives and takes the same.
    """
    return await violations(tx, _I1, ask)


# --- I5 -------------------------------------------------------------------------------------------------

_I5 = f"""
with {ACTS},
moved as (
    select subject_id, case when act in ('stake_accepted', 'accepted_late') then 'stake'
            when act = 'paid' then 'payout, jackpot or cashback' when act = 'returned' then 'bet_return'
            when act = 'taken_back' then 'payout_return or cashback_cancel' else act end as act,
        count(*) as times, sum(case when target like 'wallets/%' then amount else -amount end) as amount
    from acts where source like 'wallets/%' or target like 'wallets/%' group by 1, 2),
booked as (
    select subject_id, case when kind in ('stake', 'bet_return') then kind
            when kind in ('payout', 'jackpot', 'cashback') then 'payout, jackpot or cashback'
            else 'payout_return or cashback_cancel' end as act,
        sum(case when state <> 'accepted' then 0
            when kind in ('stake', 'payout_return', 'cashback_cancel') then -amount else amount end) as amount
    from payments group by 1, 2)
(select subject_id, format('%s: accepted payments moved %s into the wallet, the ledger says %s in %s entries',
    act, coalesce(b.amount, 0), coalesce(m.amount, 0), coalesce(m.times, 0)) as what
from moved m full join booked b using (subject_id, act)
where coalesce(m.amount, 0) <> coalesce(b.amount, 0) or m.times > 1 limit $1)
union all
(select p.subject_id, format('%s is of %s, its bet or cashback says otherwise', p.kind, p.amount)
from payments p left join bets b on b.bet_id = p.subject_id left join cashbacks k on k.cashback_id = p.subject_id
where p.amount is distinct from case when p.kind in ('stake', 'bet_return') then b.stake
    when p.kind in ('payout', 'payout_return', 'jackpot') then b.win else k.amount end limit $1)
limit $1"""  # noqa: S608 - nothing but our own text


async def i5(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that each payment moved money at most once, that each stake was returned at most once, and that amounts are the decided ones."""
    return await violations(tx, _I5, ask, whole_story=True)


# --- I7 -------------------------------------------------------------------------------------------------

# A try that nobody answered may have booked the stake, so only a person, with code 0, ends it as refused.
_I7 = """
(select subject_id, 'a stake of which a try went unanswered ended by the refusal of another' as what from payments
where kind = 'stake' and state = 'refused' and unanswered and code <> 0 limit $1)
union all
(with nets as (
    select subject_id, bool_or(state in ('created', 'sent', 'parked')) as open,
        sum(case when state <> 'accepted' then 0
            when kind in ('stake', 'payout_return') then -amount else amount end) as net
    from payments group by 1)
select b.bet_id as subject_id, format('%s, yet the player is left with %s', b.state, n.net) as what
from bets b join nets n on n.subject_id = b.bet_id
where b.state in ('refused', 'expired', 'cancelled', 'tombstone', 'returned') and n.net <> 0 and not n.open
and not exists (select from calls c where c.subject_id = b.bet_id and c.slot <> 'close')
and not exists (select from incidents i where i.subject_id = b.bet_id and i.name <> 'audit')
and not exists (select from events e where e.subject_id = b.bet_id and e.author is not null) limit $1)
limit $1"""


async def i7(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that a refused or refunded bet nets 0 at the casino once nothing is in flight, unless an incident or a person explains it."""
    return await violations(tx, _I7, ask, whole_story=True)


# --- I13 ------------------------------------------------------------------------------------------------

_I13 = """
with stood as (
    select subject_id, sum(case when target like 'open-bets/%' then amount else -amount end) as amount
    from ledger where source like 'open-bets/%' or target like 'open-bets/%' group by 1)
select coalesce(b.bet_id, o.subject_id) as subject_id,
    format('%s with a stake of %s, and %s in open-bets', b.state, b.stake, coalesce(o.amount, 0)) as what
from bets b full join stood o on o.subject_id = b.bet_id
where coalesce(o.amount, 0) <> case when b.state in ('on', 'unclaimed') then b.stake else 0 end limit $1"""


async def i13(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that open-bets holds the stakes of the bets that are on, and nothing of a bet that ended."""
    return await violations(tx, _I13, ask)


# --- owed -----------------------------------------------------------------------------------------------

# A stake return that waits for a payment in flight has no payment row yet, but is owed. For a bet that is being undone
# nothing is owed yet, except its payout if that has no outcome.
_OWED = """
with stood as (
    select subject_id, sum(case when target like 'owed/%' then amount else -amount end) as amount
    from ledger where source like 'owed/%' or target like 'owed/%' group by 1),
due as (
    select subject_id, sum(amount) as amount from (
        select p.subject_id, p.amount from payments p left join bets b on b.bet_id = p.subject_id
        where p.state in ('created', 'sent', 'parked')
        and (p.kind in ('payout', 'jackpot', 'cashback') or (p.kind = 'bet_return' and b.was_on))
        union all
        select b.bet_id, b.stake from bets b join payments s on s.subject_id = b.bet_id and s.kind = 'stake'
        where b.state = 'returned' and b.was_on
        and not exists (select from payments r where r.subject_id = b.bet_id and r.kind = 'bet_return')) gives
    group by 1)
select subject_id, format('%s is owed to the player, the ledger says %s', coalesce(d.amount, 0), coalesce(o.amount, 0))
    as what
from due d full join stood o using (subject_id) where coalesce(d.amount, 0) <> coalesce(o.amount, 0) limit $1"""


async def owed(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that owed holds the gives decided and not accepted, except returns that go through suspense."""
    return await violations(tx, _OWED, ask)


# --- suspense -------------------------------------------------------------------------------------------

_SUSPENSE = """
with stood as (
    select subject_id, sum(case when target like 'suspense/%' then amount else -amount end) as amount
    from ledger where source like 'suspense/%' or target like 'suspense/%' group by 1),
due as (
    select p.subject_id, sum(case p.kind when 'stake' then p.amount else -p.amount end) as amount
    from payments p join bets b on b.bet_id = p.subject_id
    where p.state = 'accepted' and p.kind in ('stake', 'bet_return') and not b.was_on group by 1)
select subject_id, format('the payments leave %s in suspense, the ledger says %s',
    coalesce(d.amount, 0), coalesce(o.amount, 0)) as what
from due d full join stood o using (subject_id) where coalesce(d.amount, 0) <> coalesce(o.amount, 0) limit $1"""


async def suspense(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that suspense holds the stakes accepted for bets that are not on, less the returns accepted. I7 covers what stays."""
    return await violations(tx, _SUSPENSE, ask)


# --- I20 ------------------------------------------------------------------------------------------------

_I20 = """
with counted as (
    select subject_id, sum(case when target like 'ggr/%' then amount else 0 end)
            - sum(case when source like 'ggr/%' then amount else 0 end) as amount,
        bool_or(source like 'owed/%') as given_up
    from ledger where source like 'ggr/%' or target like 'ggr/%' group by 1)
select coalesce(b.bet_id, c.subject_id) as subject_id,
    format('%s with a stake of %s and a win of %s, and %s in ggr', b.state, b.stake, b.win, coalesce(c.amount, 0))
    as what
from bets b full join counted c on c.subject_id = b.bet_id
where not coalesce(c.given_up, false) and coalesce(c.amount, 0) <> case
    when b.state in ('settled', 'undoing', 'disputed') and b.origin <> 'jackpot' then b.stake - b.win else 0 end
limit $1"""


async def i20(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that ggr equals the stakes minus the wins of the settled bets, except where a person gave one up."""
    return await violations(tx, _I20, ask, whole_story=True)
