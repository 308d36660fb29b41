-- The live feed. A game type belongs to one provider; draws and meters are what that provider stated last.
create table game_types (
    game_type   integer primary key check (game_type >= 0),
    provider_id bigint references providers,    -- null: nobody's now; what was published stays
    maintenance boolean not null default false,
    change      bigint not null default 0       -- rises with whatever subscribers should see at once
);
insert into game_types (game_type, provider_id)
select game_type::integer, min(provider_id)
from providers, jsonb_array_elements_text(coalesce(profile -> 'game_types', '[]'::jsonb)) game_type
group by game_type;

create table draws (
    draw_id         bigint generated always as identity primary key,
    game_type       integer not null references game_types,
    edition         bigint not null,
    version         bigint not null,
    state           smallint not null check (state between 1 and 5),
    play_state      smallint not null check (play_state in (1, 2)),
    round           bigint not null,
    starts_ms       bigint not null,
    betting_ends_ms bigint not null,
    ends_ms         bigint,
    results         text,                       -- a JSON array
    proof           text not null,              -- a JSON object
    ended_ms        bigint,                     -- when the hub heard that it had ended
    unique (game_type, edition)
);
create index draws_live on draws (game_type, starts_ms desc) where ended_ms is null;
create index draws_ended on draws (game_type, ended_ms desc, draw_id desc) where ended_ms is not null;
create index draws_by_start on draws (starts_ms desc, draw_id desc);
create index draws_of_type on draws (game_type, starts_ms desc, draw_id desc);

-- What each version held, so that one that is sent again gets its answer again, however late.
create table draw_versions (
    draw_id bigint not null references draws,
    version bigint not null,
    digest  bytea not null,
    primary key (draw_id, version)
);
create trigger append_only before update or delete or truncate on draw_versions
    for each statement execute function refuse_change();

create table jackpot_meters (
    jackpot_ref text collate "C" primary key,
    provider_id bigint not null references providers,
    name        text not null,
    amount      bigint not null check (amount >= 0),
    currency    text not null,
    changed_ms  bigint not null
);

-- One publisher per game type: who it is, until when, and the number of its last snapshot.
create table feed_streams (
    game_type integer primary key references game_types,
    sequence  bigint not null default -1,
    snapshot  text,
    made_ms   bigint,
    owner     text,
    until_ms  bigint not null default 0
) with (fillfactor = 50);

create function check_draw_moves() returns trigger language plpgsql as $$
declare bad text;
begin
    select o.draw_id || ': ' || o.state || ' to ' || n.state into bad
    from olds o join news n on n.draw_id = o.draw_id
    where n.version <= o.version or (o.state in (3, 5) and n.state <> o.state) or (o.state <> 1 and n.state = 1)
       or n.game_type <> o.game_type or n.edition <> o.edition or n.round < o.round
       or (o.state in (3, 5) and o.results is not null and n.results is distinct from o.results)
    limit 1;
    if bad is not null then
        raise exception 'illegal move of draw %', bad using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger moves after update on draws referencing old table as olds new table as news
    for each statement execute function check_draw_moves();
create trigger never_deleted before delete or truncate on draws for each statement execute function refuse_delete();

create function check_stream_moves() returns trigger language plpgsql as $$
declare bad text;
begin
    select o.game_type || ': ' || o.sequence || ' to ' || n.sequence into bad
    from olds o join news n on n.game_type = o.game_type
    where n.sequence not in (o.sequence, o.sequence + 1) limit 1;
    if bad is not null then
        raise exception 'a number of the feed is lost or twice, game type %', bad
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger moves after update on feed_streams referencing old table as olds new table as news
    for each statement execute function check_stream_moves();
