-- What reconciliation found and nobody has explained yet; never deleted, closed by a person or by a later comparison.
create table findings (
    finding_id bigint generated always as identity primary key,
    casino_id  bigint not null,
    subject_id bigint not null,                -- BetId as the casino has it; 0: the hub has no number for it
    about      text not null,                  -- the payment's kind, `bet`, or what a provider asked
    name       text not null,
    words      text not null,
    evidence   text not null,                  -- JSON: what each side says
    times      integer not null default 1,
    first_ms   bigint not null,
    last_ms    bigint not null,
    closed_ms  bigint,
    closed_by  text,                           -- null beside a closed_ms: a later comparison agreed
    close_note text,
    unique (casino_id, subject_id, about, name)
);
create index findings_open on findings (last_ms) where closed_ms is null;
create trigger never_deleted before delete or truncate on findings for each statement execute function refuse_delete();

-- When a bet was last compared with its casino's list, and how that ended. Drawn and not yet asked: at_ms is null.
create table comparisons (
    subject_id bigint primary key,
    casino_id  bigint not null,
    at_ms      bigint,
    result     text not null,
    why        text,
    times      integer not null
);
create index comparisons_drawn on comparisons (casino_id) where at_ms is null;

-- Chores that one process at a time does. `mark_ms`: how far it has come.
create table turns (
    name     text primary key,
    owner    text not null,
    until_ms bigint not null,
    mark_ms  bigint not null default 0
);

create index bets_by_time on bets using brin (created_ms) with (autosummarize = on);
alter table games add column open_s integer check (open_s > 0);
