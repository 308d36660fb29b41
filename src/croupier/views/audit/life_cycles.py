"""The invariants of bets, cashbacks and payments, checked in SQL alone: I3, I4, I6, I8 to I11, I14, I15.

Owns: which rows may exist together. It shares nothing with the code that writes them. Never: writes, repairs. Every
function covers all subjects, or those of its scope (violations.QueryScope). Spec: money.md 2, 3 and 5.
"""

from __future__ import annotations

from croupier.store.db import Tx
from croupier.views.audit.acts import ACTS
from croupier.views.audit.violations import QueryScope, Violation, violations

# --- I3 -------------------------------------------------------------------------------------------------

_I3 = """
select bet_id as subject_id, format('%s (%s), and the provider was told pay-in %s, pay-out %s, refund %s', state, origin,
    coalesce(pay_in_answer, 'nothing'), coalesce(pay_out_answer, 'nothing'), coalesce(refund_answer, 'nothing')) as what
from bets where case
    when origin = 'tombstone' then state <> 'tombstone' or refund_answer is distinct from 'ok'
        or pay_in_answer is not null or pay_out_answer is not null
    when origin = 'jackpot' then pay_out_answer is distinct from 'ok' or pay_in_answer is not null
    when state in ('asked', 'unwanted', 'unclaimed') then pay_in_answer is not null or pay_out_answer is not null
    when state = 'on' then pay_in_answer is distinct from 'ok' or pay_out_answer is not null
    when state in ('settled', 'undoing', 'disputed')
        then pay_in_answer is distinct from 'ok' or pay_out_answer is distinct from 'ok'
    when state in ('refused', 'expired') then pay_in_answer is null or pay_in_answer = 'ok' or pay_out_answer is not null
    when state = 'cancelled' then pay_in_answer = 'ok' or pay_out_answer is not null
    when state = 'returned' then pay_out_answer is not null and pay_in_answer is distinct from 'ok'
    else true end
or (refund_answer is null) <> (state not in ('unwanted', 'cancelled', 'tombstone', 'undoing', 'disputed', 'returned'))
    and not (state = 'returned' and refund_answer is null)
or pay_out_answer not in ('ok') or refund_answer not in ('ok') limit $1"""


async def i3(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that the stored answers agree with the bet's state."""
    return await violations(tx, _I3, ask)


# --- I4 -------------------------------------------------------------------------------------------------

_I4 = """
with lives as (
    select bet_id as subject_id, state, origin, stake, was_on from bets
    where state in ('asked', 'unwanted', 'unclaimed', 'undoing', 'returned', 'settled')
    union all select cashback_id, state, 'cashback', 0, false from cashbacks
    where state in ('owed', 'cancel_wanted', 'taking_back')),
pays as (
    select subject_id, array_agg(kind) as kinds,
        array_agg(kind) filter (where state in ('created', 'sent', 'parked')) as open,
        bool_or(kind = 'stake' and state = 'accepted') as taken from payments group by 1)
(select l.subject_id, l.state || ', and nothing is under way that would end it' as what
from lives l left join pays p using (subject_id)
where not coalesce(case
    when l.state in ('asked', 'unwanted') then 'stake' = any(p.open)
    when l.state = 'unclaimed' then exists (select from calls c where c.subject_id = l.subject_id and c.slot = 'claim')
    when l.state = 'undoing' then p.open && array['payout', 'payout_return']
    when l.state = 'settled' then p.kinds && array['payout', 'jackpot']
    when l.state = 'returned' then 'bet_return' = any(p.kinds) or not coalesce(p.taken, false)
        or cardinality(p.open) > 0
    when l.state = 'taking_back' then 'cashback_cancel' = any(p.open)
    else 'cashback' = any(p.open) end, false)
and not exists (select from incidents i where i.subject_id = l.subject_id and i.name <> 'audit')
and not (l.state = 'returned' and l.stake = 0) limit $1)
union all
(select p.subject_id, p.kind || ' is parked, and nobody was called' from payments p
where p.state = 'parked' and not exists (select from incidents i where i.subject_id = p.subject_id and i.name <> 'audit') limit $1)
limit $1"""


async def i4(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that nothing is stuck: each open subject has a payment or call in flight, is on, or has an incident."""
    return await violations(tx, _I4, ask)


# --- I6 -------------------------------------------------------------------------------------------------

_I6 = """
select b.bet_id as subject_id, format('told yes, and the stake is %s', coalesce(s.state, 'not there')) as what
from bets b left join payments s on s.subject_id = b.bet_id and s.kind = 'stake'
where b.origin <> 'jackpot' and (b.pay_in_answer = 'ok' or b.pay_out_answer = 'ok')
and s.state is distinct from 'accepted' and not (b.stake = 0 and s.state is null) limit $1"""


async def i6(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that a provider got a yes only where the casino's acceptance is stored."""
    return await violations(tx, _I6, ask)


# --- I8 -------------------------------------------------------------------------------------------------

_I8 = f"""
with {ACTS},
told as (
    select subject_id, min(version) filter (where act = 'stake_accepted') as taken,
        min(version) filter (where act in ('settled', 'won')) as settled,
        max(version) filter (where act in ('settled', 'won')) as last_settled,
        max(version) filter (where act = 'paid') as paid, min(version) filter (where act = 'return_decided') as undone,
        min(version) filter (where act = 'returned') as returned, bool_or(act = 'correction') as corrected
    from acts group by 1)
(select p.subject_id, p.kind || ' of a bet whose stake was never accepted, or that was never on' as what
from payments p join bets b on b.bet_id = p.subject_id
left join payments s on s.subject_id = p.subject_id and s.kind = 'stake'
where p.kind in ('payout', 'payout_return') and b.origin <> 'jackpot'
and (not b.was_on or s.state is distinct from 'accepted' and not (b.stake = 0 and s.state is null)) limit $1)
union all
(select subject_id, 'settled before its stake was accepted' from told where settled < taken limit $1)
union all
(select subject_id, 'settled after it was returned' from told where last_settled > undone limit $1)
union all
(select subject_id, 'paid out after its stake was given back' from told
where paid > returned and not corrected limit $1)
union all
(select b.bet_id, 'a tombstone with money' from bets b where b.state = 'tombstone'
and (exists (select from payments p where p.subject_id = b.bet_id)
    or exists (select from ledger l where l.subject_id = b.bet_id)) limit $1)
limit $1"""  # noqa: S608 - nothing but our own text


async def i8(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that there is no payout before acceptance or after a return, and no money on a tombstone."""
    return await violations(tx, _I8, ask, whole_story=True)


# --- I9 -------------------------------------------------------------------------------------------------

_I9 = """
(select min(bet_id) as subject_id, format('provider %s has the betId %s %s times', provider_id, bet_ref, count(*)) as what
from bets group by provider_id, bet_ref having count(*) > 1 limit $1)
union all
(select min(cashback_id), format('casino %s has the ref %s %s times', casino_id, ref, count(*))
from cashbacks group by casino_id, ref having count(*) > 1 limit $1)
union all
(select null, 'the database does not hold the law: unique index ' || name || ' is gone'
from (values ('bets_by_ref'), ('cashbacks_by_ref'), ('payments_pkey'), ('calls_pkey')) law(name)
where not exists (select from pg_index x where x.indexrelid = to_regclass(name) and x.indisunique and x.indisvalid)
limit $1)
union all
(select subject_id, format('%s payments of kind %s', count(*), kind)
from payments group by subject_id, kind having count(*) > 1 limit $1)
limit $1"""


async def i9(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that there is one bet per betId, one cashback per ref and one payment of each kind, so that a repeat meets one row."""
    return await violations(tx, _I9, ask)


# --- I10 ------------------------------------------------------------------------------------------------

# The auditor's own incident is not an independent cause, so it does not count. A stake that expired, or was refused
# unread, is queried a little longer. A person may retry a parked payment.
_I10 = """
with subjects as (
    select bet_id as subject_id, casino_id, state, closing from bets
    union all select cashback_id, casino_id, state, 'open' from cashbacks)
(select p.subject_id, format('%s is %s without a next action', p.kind, p.state) as what from payments p
where p.state in ('created', 'sent')
and not exists (select from calls c where c.subject_id = p.subject_id and c.slot = p.kind) limit $1)
union all
(select c.subject_id, format('a next action (%s of %s) that nothing asks for', c.step, c.slot)
from calls c left join subjects s using (subject_id)
left join payments p on p.subject_id = c.subject_id and p.kind = c.slot
where s.casino_id is distinct from c.casino_id or not coalesce(case c.slot
    when 'close' then s.closing = 'closing' and c.step = 'close'
    when 'claim' then s.state = 'unclaimed' and c.step = 'claim_due'
    else c.step in ('make', 'info', 'reopen') and (p.state in ('created', 'sent', 'parked')
        or p.state in ('expired', 'refused') and p.kind = 'stake' and c.step = 'info') end, false) limit $1)
union all
(select subject_id, format('%s next actions of %s', count(*), slot)
from calls group by subject_id, slot having count(*) > 1 limit $1)
union all
(select b.bet_id, 'closing, and no close is planned' from bets b where b.closing = 'closing'
and not exists (select from calls c where c.subject_id = b.bet_id and c.slot = 'close')
and not exists (select from incidents i where i.subject_id = b.bet_id and i.name <> 'audit') limit $1)
limit $1"""


async def i10(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that an undecided payment has exactly one live next action, and that no other subject has one without need."""
    return await violations(tx, _I10, ask)


# --- I11 ------------------------------------------------------------------------------------------------

_I11 = """
with legal(thing, was, became) as (values
    ('bet', null, 'asked'), ('bet', null, 'on'), ('bet', null, 'settled'), ('bet', null, 'tombstone'),
    ('bet', 'asked', 'on'), ('bet', 'asked', 'unclaimed'), ('bet', 'asked', 'settled'), ('bet', 'asked', 'refused'),
    ('bet', 'asked', 'expired'), ('bet', 'asked', 'unwanted'), ('bet', 'unwanted', 'returned'),
    ('bet', 'unwanted', 'cancelled'), ('bet', 'unclaimed', 'on'), ('bet', 'unclaimed', 'settled'),
    ('bet', 'unclaimed', 'returned'), ('bet', 'on', 'settled'), ('bet', 'on', 'returned'),
    ('bet', 'settled', 'returned'), ('bet', 'settled', 'undoing'), ('bet', 'undoing', 'returned'),
    ('bet', 'undoing', 'disputed'), ('bet', 'disputed', 'returned'), ('bet', 'refused', 'cancelled'),
    ('bet', 'expired', 'cancelled'), ('bet', 'refused', 'returned'), ('bet', 'expired', 'returned'),
    ('bet', 'cancelled', 'returned'),
    ('cashback', null, 'owed'), ('cashback', 'owed', 'paid'), ('cashback', 'owed', 'cancel_wanted'),
    ('cashback', 'owed', 'given_up'), ('cashback', 'owed', 'cancelled'), ('cashback', 'cancel_wanted', 'taking_back'),
    ('cashback', 'cancel_wanted', 'cancelled'), ('cashback', 'paid', 'taking_back'),
    ('cashback', 'taking_back', 'cancelled'), ('cashback', 'taking_back', 'kept'), ('cashback', 'kept', 'cancelled'),
    ('cashback', 'cancelled', 'kept'),
    ('cashback', 'cancelled', 'taking_back'), ('cashback', 'given_up', 'paid')),
subjects as (
    select bet_id as subject_id, 'bet' as thing, state, version from bets
    union all select cashback_id, 'cashback', state, version from cashbacks),
walks as (
    select subject_id, version, state as became, lag(state) over story as was, lead(version) over story as next
    from events window story as (partition by subject_id order by version))
(select w.subject_id, format('went from %s to %s', coalesce(w.was, 'nothing'), w.became) as what
from walks w join subjects s using (subject_id)
where (w.was is null and w.version <> 0) or (w.was is distinct from w.became
    and (s.thing, coalesce(w.was, ''), w.became) not in (select thing, coalesce(was, ''), became from legal)) limit $1)
union all
(select s.subject_id, format('is %s at version %s, and its story ends with %s at %s', s.state, s.version,
    coalesce(w.became, 'nothing'), w.version)
from subjects s left join walks w on w.subject_id = s.subject_id and w.next is null
where w.became is distinct from s.state or w.version > s.version limit $1)
union all
(select subject_id, format('a %s payment that is %s, decided at %s', kind, state, decided_ms) from payments
where (state = 'expired' and kind <> 'stake') or (state in ('created', 'sent')) <> (decided_ms is null)
    or state not in ('created', 'sent', 'accepted', 'refused', 'expired', 'parked') limit $1)
union all
(select null, format('the database does not hold the law: trigger %s on %s is gone or off', name, place)
from (values ('bets', 'moves'), ('payments', 'moves'), ('cashbacks', 'moves'), ('ledger', 'append_only'),
    ('events', 'append_only'), ('ledger', 'deleted_when_archived'), ('events', 'deleted_when_archived'),
    ('archive_files', 'append_only'), ('archived', 'append_only'), ('archived_digests', 'append_only'),
    ('archived_sums', 'append_only'), ('bets', 'never_deleted'), ('payments', 'never_deleted'),
    ('cashbacks', 'never_deleted'), ('trail', 'append_only'), ('incident_log', 'append_only'),
    ('player_blocks', 'append_only'), ('incidents', 'logged'), ('jackpots', 'moves'), ('jackpot_rounds', 'moves'),
    ('jackpot_contributions', 'append_only'), ('jackpots', 'never_deleted'), ('jackpot_rounds', 'never_deleted')) law(place, name)
where not exists (select from pg_trigger t where t.tgrelid = to_regclass(place) and t.tgname = name
    and t.tgenabled in ('O', 'A')))
limit $1"""


# Of a subject whose entries and events were deleted, nothing may be left of before, and it must be older than its archive.
_I11_ARCHIVED = """
with subjects as (
    select bet_id as subject_id, created_ms from bets union all select cashback_id, created_ms from cashbacks),
lacking as (
    select a.subject_id, f.file_id, f.before_ms, s.created_ms from archived a left join subjects s using (subject_id)
    left join archive_files f on f.file_id = a.file_id)
(select subject_id, case when file_id is null then 'its entries and events are said to be in an archive that is not named'
    else 'its entries and events are said to be in an archive of what was over before it began' end as what
from lacking where file_id is null or created_ms is null or created_ms >= before_ms limit $1)
union all
(select l.subject_id, format('entry %s is there, and an archive has it', e.entry_id)
from lacking l join ledger e using (subject_id) where e.at_ms < l.before_ms limit $1)
union all
(select l.subject_id, format('event %s is there, and an archive has it', e.version)
from lacking l join events e using (subject_id) where e.at_ms < l.before_ms limit $1)
limit $1"""


async def i11(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that every history follows the table and ends in its subject's state, and that the database's triggers are on."""
    return [*await violations(tx, _I11, ask, whole_story=True), *await violations(tx, _I11_ARCHIVED, ask)]


# --- I14 ------------------------------------------------------------------------------------------------

_I14 = """
(select b.bet_id as subject_id, 'belongs to another casino, provider, player or currency than its session' as what
from bets b join sessions s using (session_id)
where (b.casino_id, b.provider_id, b.player_id, b.currency) <> (s.casino_id, s.provider_id, s.player_id, s.currency)
    or s.demo limit $1)
union all
(select b.subject_id, 'belongs to another casino, player or currency than its player'
from (select bet_id as subject_id, casino_id, player_id, player_ref, currency from bets
    union all select cashback_id, casino_id, player_id, player_ref, currency from cashbacks) b
join players p using (player_id)
where (b.casino_id, b.player_ref, b.currency) <> (p.casino_id, p.player_ref, p.currency) limit $1)
union all
(select p.subject_id, format('its %s is of player %s', p.kind, p.player_id)
from payments p left join bets b on b.bet_id = p.subject_id left join cashbacks k on k.cashback_id = p.subject_id
where p.player_id is distinct from coalesce(b.player_id, k.player_id) limit $1)
limit $1"""


async def i14(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that no row of one counterparty or player refers to another's."""
    return await violations(tx, _I14, ask)


# --- I15 ------------------------------------------------------------------------------------------------

_I15 = """
select null::bigint as subject_id, format('%s.%s is of type %s', table_name, column_name, data_type) as what
from information_schema.columns
where table_schema = current_schema() and data_type in ('real', 'double precision', 'money') limit $1"""


async def i15(tx: Tx, ask: QueryScope) -> list[Violation]:
    """Check that no column of any table can hold a float."""
    return await violations(tx, _I15, ask)
