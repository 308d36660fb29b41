-- Who is told of incidents, what each was told, and the messages that are on their way. No money depends on these rows.
create table notification_targets (
    target_id  bigint generated always as identity primary key,
    name       text collate "C" not null unique check (name ~ '^[^[:cntrl:]]{1,128}$'),
    kind       text not null check (kind in ('webhook', 'mail')),
    address    text not null,                  -- the URL, or the mail server
    sender     text,                           -- of mail
    recipients text[],                         -- of mail
    secret     bytea,                          -- sealed; of mail: the server's password, null without one
    enabled    boolean not null default true,
    told_ms    bigint not null default 0,      -- when its last message was made
    added_by   text not null,
    added_ms   bigint not null,
    check ((kind = 'mail') = (sender is not null and recipients is not null))
);

create table notified_incidents (
    target_id   bigint not null references notification_targets on delete cascade,
    incident_id bigint not null,
    times       integer not null,              -- how often it had been raised when it was told
    at_ms       bigint not null,
    primary key (target_id, incident_id)
);

create table notifications (
    message_id text collate "C" primary key,   -- the same at every try, so that a receiver knows a repeat
    target_id  bigint not null references notification_targets on delete cascade,
    body       text not null,
    state      text not null check (state in ('waiting', 'delivered', 'given_up')),
    made_ms    bigint not null,
    due_ms     bigint not null,
    tries      integer not null default 0,
    problem    text,                           -- of the last try
    ended_ms   bigint
);
create index notifications_due on notifications (due_ms) where state = 'waiting';
create index notifications_by_target on notifications (target_id, made_ms);
