-- Who excluded a player, or let one in again, and why. Each is a line for good.
create table player_blocks (
    block_id  bigint generated always as identity primary key,
    player_id bigint not null references players,
    blocked   boolean not null,
    reason    text not null,
    author    text not null,
    at_ms     bigint not null
);
create index player_blocks_player on player_blocks (player_id, block_id);
create trigger append_only before update or delete or truncate on player_blocks
    for each statement execute function refuse_change();
