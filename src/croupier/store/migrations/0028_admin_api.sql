-- goes with 0027
-- What an account may see, and every use of the admin API (docs/decisions/0102).

-- Null: every casino, every provider.
alter table accounts add column casino_ids bigint[];
alter table accounts add column provider_ids bigint[];

create table admin_uses (
    use_id     bigint generated always as identity primary key,
    at_ms      bigint not null,
    account    text collate "C" not null,       -- the person's name
    command    text collate "C" not null,       -- the words of the command, such as bet list
    parameters text collate "C" not null,       -- JSON without secrets, cut at 2,000 characters
    address    text collate "C" not null,
    refused    text collate "C"                 -- why it was refused, or null
);
create index admin_uses_by_account on admin_uses (account, use_id);
create trigger append_only before update or delete or truncate on admin_uses
    for each statement execute function refuse_change();
