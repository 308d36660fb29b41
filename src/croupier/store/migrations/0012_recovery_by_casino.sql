-- Recovery ends casino by casino: one that is reconciled takes new bets while another is still open. How far lost ids are
-- asked after is each casino's own, because one that knows ids nobody gave out must not keep the others.
alter table recovery_probes add column ids_to bigint;
create table recovery_ends (
    recovery_id bigint not null references recoveries,
    casino_id   bigint not null,
    ended_ms    bigint not null,
    ended_by    text not null,
    end_reason  text not null,
    primary key (recovery_id, casino_id)
);
