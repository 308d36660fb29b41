-- Draws that ended long ago may be deleted, with what each of their versions held. The last finished draw of a game type stays.
alter table game_types add column forgotten_ms bigint not null default 0;  -- no new draw starts until then: it may be one that was deleted

alter table draw_versions drop constraint draw_versions_draw_id_fkey;
alter table draw_versions add constraint draw_versions_draw_id_fkey
    foreign key (draw_id) references draws on delete cascade;

drop trigger append_only on draw_versions;
create trigger append_only before update or truncate on draw_versions
    for each statement execute function refuse_change();

create function check_versions_deleted() returns trigger language plpgsql as $$
begin
    if exists (select from olds join draws using (draw_id)) then
        raise exception 'versions are deleted with their draw alone' using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger deleted_with_their_draw after delete on draw_versions referencing old table as olds
    for each statement execute function check_versions_deleted();

drop trigger never_deleted on draws;
create trigger never_truncated before truncate on draws for each statement execute function refuse_delete();

create function check_draws_deleted() returns trigger language plpgsql as $$
declare bad text;
begin
    select o.draw_id into bad
    from olds o join game_types g using (game_type)
    where o.ended_ms is null or o.state not in (3, 5) or o.starts_ms > g.forgotten_ms
       or (o.state = 3 and not exists (
           select from draws d
           where d.game_type = o.game_type and d.ended_ms is not null and d.state = 3
             and (d.ended_ms, d.draw_id) > (o.ended_ms, o.draw_id)))
    limit 1;
    if bad is not null then
        raise exception 'draw % must not be deleted', bad using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger deleted_when_old after delete on draws referencing old table as olds
    for each statement execute function check_draws_deleted();

create function check_draws_are_new() returns trigger language plpgsql as $$
declare bad text;
begin
    select n.game_type || '/' || n.edition into bad
    from news n join game_types g using (game_type) where n.starts_ms <= g.forgotten_ms limit 1;
    if bad is not null then
        raise exception 'draw % may have been deleted', bad using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger never_again after insert on draws referencing new table as news
    for each statement execute function check_draws_are_new();
