-- Which installation this is, where its database was made, and a beat that only rises: a copy that came back from a
-- backup is told by them.
create table installation (
    one             boolean primary key default true check (one),
    installation_id text not null,
    birthplace      text not null,             -- the server's system identifier and the database's oid
    beat            bigint not null,
    beat_ms         bigint not null
);

-- Recovery mode: from the moment the database is known to be older than what was, until all that was open is compared.
create table recoveries (
    recovery_id bigint generated always as identity primary key,
    why         text not null,
    begun_by    text not null,
    begun_ms    bigint not null,
    since_ms    bigint not null,               -- the last commit that the backup holds, as far as is known
    ids_from    bigint not null,               -- ids from here ...
    ids_to      bigint not null,               -- ... to here may have been used and lost; it moves on while any is found
    ids_next    bigint not null,               -- where ids go on
    ended_ms    bigint,
    ended_by    text,
    end_reason  text
);
create unique index recoveries_one on recoveries ((true)) where ended_ms is null;

-- Every bet that was open in the backup or changed shortly before it, and when it was compared since.
create table recovery_bets (
    recovery_id bigint not null references recoveries,
    subject_id  bigint not null,
    casino_id   bigint not null,
    done_ms     bigint,
    primary key (recovery_id, subject_id)
);
create index recovery_bets_left on recovery_bets (recovery_id, casino_id, subject_id) where done_ms is null;

-- How far each casino was asked after ids that the hub has lost.
create table recovery_probes (
    recovery_id bigint not null references recoveries,
    casino_id   bigint not null,
    next_id     bigint not null,
    primary key (recovery_id, casino_id)
);
