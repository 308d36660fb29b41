-- A payment remembers for good that a try of it went unanswered: from then on a refusal is no proof (decision 0035).
-- Of what has no outcome now, nobody knows whether every try was answered.
alter table payments add column unanswered boolean not null default false;
update payments set unanswered = true where state in ('created', 'sent');

-- Bets that are to be compared with their casino's list once they are over: the sample, and every bet of which a try
-- went unanswered. A comparison that ends without a usable list, or before the bet is over, leaves the wish standing.
alter table comparisons add column wanted boolean not null default false;
update comparisons set wanted = true where at_ms is null;
drop index comparisons_drawn;
create index comparisons_wanted on comparisons (casino_id) where wanted;
insert into comparisons (subject_id, casino_id, result, times, wanted)
select b.bet_id, b.casino_id, 'drawn', 0, true from bets b
where exists (select from payments p where p.subject_id = b.bet_id and p.unanswered)
on conflict (subject_id) do update set wanted = true;

create or replace function check_payment_moves() returns trigger language plpgsql as $$
declare bad text;
begin
    select o.subject_id || ' ' || o.kind || ': ' || o.state || ' to ' || n.state into bad
    from olds o join news n on n.subject_id = o.subject_id and n.kind = o.kind
    where (o.state <> n.state and not exists (select from state_moves m
               where m.thing = 'payment' and m.from_state = o.state and m.to_state = n.state))
       or o.amount <> n.amount or o.tax is distinct from n.tax or o.player_id <> n.player_id
       or (n.state = 'expired' and n.kind <> 'stake')
       or (o.state = 'accepted' and o.partner_tx is not null and o.partner_tx is distinct from n.partner_tx)
       or (o.unanswered and not n.unanswered)
    limit 1;
    if bad is not null then
        raise exception 'illegal move of payment %', bad using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;

create function want_comparison() returns trigger language plpgsql as $$
begin
    insert into comparisons as k (subject_id, casino_id, result, times, wanted)
    select distinct b.bet_id, b.casino_id, 'drawn', 0, true from news n join bets b on b.bet_id = n.subject_id
    where n.unanswered order by b.bet_id
    on conflict (subject_id) do update set wanted = true where not k.wanted;
    return null;
end $$;
create trigger wanted_born after insert on payments referencing new table as news
    for each statement execute function want_comparison();
create trigger wanted after update on payments referencing new table as news
    for each statement execute function want_comparison();
