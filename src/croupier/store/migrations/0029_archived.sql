-- goes with 0028
-- Entries and events of old bets may be deleted once a signed archive holds them (docs/decisions/0104).

-- Each deletion of the entries and events of one archive file, named as its signature says. Bound by the audit trail.
create table archive_files (
    file_id   bigint generated always as identity primary key,
    at_ms     bigint not null,
    sha256    text collate "C" not null,        -- over all lines of the file
    before_ms bigint not null,                  -- the file holds what was over before then
    part      integer not null,
    key       text collate "C" not null,        -- the public key that signed it, in base64url
    author    text collate "C" not null,
    reason    text collate "C" not null,
    check (before_ms <= at_ms - 157680000000)   -- five years
);

-- The bets and cashbacks whose entries and events were deleted. Their own rows and their payments stay.
create table archived (
    subject_id bigint primary key,
    file_id    bigint not null references archive_files
);

-- The digests with which the links of the trail still verify.
create table archived_digests (
    strand   text collate "C" not null,         -- the table
    bucket   bigint not null,                   -- the number of a row, divided by 4096
    first_id bigint not null,
    ids      bigint[] not null,
    digests  bytea not null,                    -- of each the 32 bytes that the trail has bound
    file_id  bigint not null references archive_files,
    primary key (strand, bucket, first_id),
    check (octet_length(digests) = 32 * cardinality(ids))
);

-- What the deleted entries moved: balances, GGR and the casinos' days are computed from these and the entries that are there.
create table archived_sums (
    sum_id      bigint generated always as identity primary key,
    file_id     bigint not null references archive_files,
    day_ms      bigint not null,                -- the beginning of the day in UTC
    casino_id   bigint,
    provider_id bigint,
    game_id     bigint,
    country     text,                           -- of the player, at the deletion
    is_test     boolean,
    source      text collate "C" not null,
    target      text collate "C" not null,
    currency    text collate "C" not null,
    why         text collate "C" not null,
    entries     bigint not null,
    amount      numeric(38) not null            -- minor units
);
create index archived_sums_by_day on archived_sums (day_ms);

create trigger append_only before update or delete or truncate on archive_files
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on archived
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on archived_digests
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on archived_sums
    for each statement execute function refuse_change();

create function check_archived_deleted() returns trigger language plpgsql as $$
declare bad bigint;
begin
    select o.subject_id into bad from olds o where not exists (
        select from archived a join archive_files f using (file_id)
        where a.subject_id = o.subject_id and o.at_ms < f.before_ms)
    limit 1;
    if bad is not null then
        raise exception 'rows of % in % are in no archive', bad, tg_table_name
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;

drop trigger append_only on ledger;
create trigger append_only before update or truncate on ledger
    for each statement execute function refuse_change();
create trigger deleted_when_archived after delete on ledger referencing old table as olds
    for each statement execute function check_archived_deleted();
drop trigger append_only on events;
create trigger append_only before update or truncate on events
    for each statement execute function refuse_change();
create trigger deleted_when_archived after delete on events referencing old table as olds
    for each statement execute function check_archived_deleted();
