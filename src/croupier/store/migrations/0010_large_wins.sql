-- A large win is an incident: what the operator sets of a game. `max_odd` stays what its provider lists.
alter table games
    add column large_win text,
    add column max_win text,
    add column own_max_odd text;
