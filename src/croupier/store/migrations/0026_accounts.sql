-- goes with 0025
-- Accounts of persons, and proposals that a second person approves (docs/decisions/0101).

create table accounts (
    account_id   bigint generated always as identity primary key,
    name         text collate "C" not null unique,
    role         text collate "C" not null check (role in ('look', 'operate', 'decide', 'administer')),
    token_digest bytea not null unique,           -- SHA-256 of the token; the token itself is stored nowhere
    created_ms   bigint not null,
    created_by   text collate "C" not null,
    closed_ms    bigint,
    closed_by    text collate "C"
);

create table proposals (
    proposal_id bigint generated always as identity primary key,
    act         text collate "C" not null,        -- payment accept, payment give-up, bet return, bet settle
    subject_id  bigint not null,
    kind        text collate "C" not null,        -- the kind of the payment; empty for a bet
    win         text collate "C" not null,        -- in major units; empty where there is none
    above_limits boolean not null,
    reason      text collate "C" not null,
    made_by     text collate "C" not null,
    made_ms     bigint not null,
    expires_ms  bigint not null,
    state       text collate "C" not null check (state in ('open', 'approved', 'done', 'failed', 'refused')),
    decided_by  text collate "C",
    decided_ms  bigint,
    outcome     text collate "C"                  -- what came of it, or why it was refused
);
-- Of the same act about the same payment or bet one at a time waits.
create unique index proposals_waiting on proposals (subject_id, kind, act) where state in ('open', 'approved');
create index proposals_by_time on proposals (made_ms desc, proposal_id desc);
