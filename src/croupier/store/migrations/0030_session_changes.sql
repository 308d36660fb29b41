-- goes with 0029
-- What changed of the rows that a session is read from: serving processes remember sessions and follow these (docs/decisions/0108).

-- A row names what to forget: one session, the sessions of a player, or those of a game. One that names nothing stands for rows that
-- were deleted: whoever comes from before it forgets everything.
create table session_changes (
    change_id  bigint generated always as identity primary key,
    xid        bigint not null,             -- the transaction of the change; a reader that begins again at the oldest under way misses none
    session_id text collate "C",
    player_id  bigint,
    game_id    bigint
);
create index session_changes_xid on session_changes (xid);

create function tell_session_change() returns trigger language plpgsql as $$
begin
    insert into session_changes (xid, session_id) select pg_current_xact_id()::text::bigint, session_id from changed;
    return null;
end $$;
create trigger told after update on sessions referencing new table as changed
    for each statement execute function tell_session_change();
create trigger told_gone after delete on sessions referencing old table as changed
    for each statement execute function tell_session_change();

-- Each launch registers its player, mostly as the player is.
create function tell_player_change() returns trigger language plpgsql as $$
begin
    insert into session_changes (xid, player_id) select pg_current_xact_id()::text::bigint, player_id
    from news n join olds o using (player_id) where n.* is distinct from o.*;
    return null;
end $$;
create trigger told after update on players referencing old table as olds new table as news
    for each statement execute function tell_player_change();

create function tell_game_change() returns trigger language plpgsql as $$
begin
    insert into session_changes (xid, game_id) select distinct pg_current_xact_id()::text::bigint, game_id from changed;
    return null;
end $$;
create trigger told after update on games referencing new table as changed
    for each statement execute function tell_game_change();
create trigger told_new after insert on casino_games referencing new table as changed
    for each statement execute function tell_game_change();
create trigger told after update on casino_games referencing new table as changed
    for each statement execute function tell_game_change();
create trigger told_gone after delete on casino_games referencing old table as changed
    for each statement execute function tell_game_change();
create trigger told_new after insert on game_switches referencing new table as changed
    for each statement execute function tell_game_change();
create trigger told after update on game_switches referencing new table as changed
    for each statement execute function tell_game_change();
create trigger told_gone after delete on game_switches referencing old table as changed
    for each statement execute function tell_game_change();
