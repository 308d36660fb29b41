-- Words of a casino that were taken in and did not end the payment, by their contents: a repeat changes nothing.
alter table payments add column heard text;

-- Which payment has which PartnerTransactionId. An id that several had before stays with the one that was decided first.
create table partner_transactions (
    casino_id  bigint not null,
    partner_tx text collate "C" not null,
    subject_id bigint not null,
    kind       text not null,
    primary key (casino_id, partner_tx)
);
insert into partner_transactions (casino_id, partner_tx, subject_id, kind)
select s.casino_id, p.partner_tx, p.subject_id, p.kind
from payments p
join (select bet_id as subject_id, casino_id from bets
      union all select cashback_id, casino_id from cashbacks) s using (subject_id)
where p.partner_tx is not null
order by p.decided_ms, p.subject_id, p.kind
on conflict do nothing;
create trigger append_only before update or delete or truncate on partner_transactions
    for each statement execute function refuse_change();
