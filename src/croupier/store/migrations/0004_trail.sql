-- The audit trail: what is written for good, bound link by link into one chain of SHA-256 (docs/decisions/0015).

-- A row of events needs a number that rises in the order of writing. BRIN costs an insert almost nothing.
alter table events add column event_id bigint generated always as identity;
create index events_by_id on events using brin (event_id) with (pages_per_range = 32, autosummarize = on);

-- Incidents change: they are counted, closed and opened again. Each change is a line for good.
create table incident_log (
    log_id      bigint generated always as identity primary key,
    incident_id bigint not null,
    subject_id  bigint not null,
    name        text not null,
    note        text not null,
    times       integer not null,
    first_ms    bigint not null,
    last_ms     bigint not null,
    closed_ms   bigint,
    closed_by   text,
    close_note  text
);
create index incident_log_of on incident_log (incident_id, log_id);
create trigger append_only before update or delete or truncate on incident_log
    for each statement execute function refuse_change();

-- Per row, so that a commit train without an incident pays nothing.
create function log_incident() returns trigger language plpgsql as $$
begin
    insert into incident_log (incident_id, subject_id, name, note, times, first_ms, last_ms, closed_ms, closed_by,
        close_note)
    values (new.incident_id, new.subject_id, new.name, new.note, new.times, new.first_ms, new.last_ms, new.closed_ms,
        new.closed_by, new.close_note);
    return null;
end $$;
create trigger logged after insert or update on incidents for each row execute function log_incident();
insert into incident_log (incident_id, subject_id, name, note, times, first_ms, last_ms, closed_ms, closed_by, close_note)
    select incident_id, subject_id, name, note, times, first_ms, last_ms, closed_ms, closed_by, close_note
    from incidents order by incident_id;

-- One row per link: exactly these rows of one table, bound to everything before.
create table trail (
    link      bigint primary key,              -- 0, 1, 2, ... without a gap; 0 is the beginning and covers nothing
    strand    text not null,                   -- the table whose rows it covers
    after_id  bigint not null,                 -- of that table it covers every row with after_id < id <= upto_id
    upto_id   bigint not null,
    ids       bigint[] not null,               -- which these were, in order
    prints    bytea not null,                  -- of each the first 8 bytes of its digest, to name what was touched
    rows_upto bigint not null,                 -- how many rows the chain covers with this link
    at_ms     bigint not null,
    head      bytea not null                   -- SHA-256 over the head before, what the link says, its rows' digests
);
create index trail_strands on trail (strand, link);
create trigger append_only before update or delete or truncate on trail
    for each statement execute function refuse_change();

-- How far the continuous auditor is (docs/decisions/0016). One row; a turn ends with one update of the version it began with.
create table audit_progress (
    progress   integer primary key check (progress = 1),
    version    bigint not null,
    done_ms    bigint not null,
    event_id   bigint not null,                -- the subjects of events up to here were looked at as they changed
    subject_id bigint not null,                -- the pass over all subjects came so far
    link       bigint not null,                -- the pass over the trail came so far
    whole_ms   bigint                          -- when the pass over all subjects last came to its end
);
insert into audit_progress values (1, 0, 0, 0, 0, -1, null);

-- What the last question of each invariant said.
create table audit_results (
    invariant  text primary key,
    at_ms      bigint not null,
    took_ms    bigint not null,
    subjects   bigint not null
);

-- What the auditor knows to be wrong, so that a person is called once.
create table audit_violations (
    invariant  text not null,
    subject_id bigint not null,
    about      text not null,                  -- tells violations of no subject apart
    what       text not null,
    first_ms   bigint not null,
    last_ms    bigint not null,
    primary key (invariant, subject_id, about)
);
