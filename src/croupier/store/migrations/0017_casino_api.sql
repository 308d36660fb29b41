-- The casinos' own API: how games are found and described, who switched what, launch codes, exclusions, play limits.

-- `changed_xid` is the transaction that changed a row last. A reader that begins again at the oldest transaction under way
-- when it read misses no change, whatever the order of the commits.
alter table games
    add column features    text[] not null default '{}',
    add column kind        text,                        -- null: by its category
    add column texts       jsonb not null default '{}', -- language to {"name", "description"}
    add column search      tsvector not null default '',
    add column undone      text,                        -- what a person undid of its provider's list; it is not applied by itself again
    add column changed_xid bigint not null default 0;
alter table casinos add column changed_xid bigint not null default 0;
alter table providers add column changed_xid bigint not null default 0;

create function note_change() returns trigger language plpgsql as $$
begin
    new.changed_xid := pg_current_xact_id()::text::bigint;
    return new;
end $$;
create function note_game_change() returns trigger language plpgsql as $$
begin
    new.search := to_tsvector('simple', concat_ws(' ', new.name, new.game_ref, new.category, array_to_string(new.features, ' ')))
        || jsonb_to_tsvector('simple', new.texts, '["string"]');
    new.changed_xid := pg_current_xact_id()::text::bigint;
    return new;
end $$;
create trigger changed before insert or update on games for each row execute function note_game_change();
create trigger changed before update of enabled, closed_ms, currencies, profile on casinos
    for each row execute function note_change();
create trigger changed before update of enabled, closed_ms, profile, name on providers
    for each row execute function note_change();
update games set changed_ms = changed_ms;
create index games_search on games using gin (search);

-- A game that is off: for a casino, in a currency, in a country; null means every one. A game switched on again loses its row.
create table game_switches (
    game_id   bigint not null references games,
    casino_id bigint references casinos,
    currency  text,
    country   text,
    check (currency is not null or country is not null)
);
create unique index game_switches_key
    on game_switches (game_id, coalesce(casino_id, 0), coalesce(currency, ''), coalesce(country, ''));

-- Who switched what, when and why; each a line for good.
create table switchings (
    switching_id bigint generated always as identity primary key,
    thing        text not null check (thing in ('casino', 'provider', 'game')),
    thing_id     bigint not null,
    casino_id    bigint,                       -- of a game: for this casino; null: for every one
    currency     text,
    country      text,
    switch       text not null,
    value        text not null,
    reason       text,
    author       text not null,
    at_ms        bigint not null
);
create index switchings_thing on switchings (thing, thing_id, switching_id desc);
create trigger append_only before update or delete or truncate on switchings
    for each statement execute function refuse_change();

-- What a provider's list changed, or would change: to be reviewed, applied, undone.
create table catalogue_diffs (
    diff_id     bigint generated always as identity primary key,
    provider_id bigint not null references providers,
    changes     text not null,                 -- JSON: gameId, before, after
    state       text not null check (state in ('waiting', 'applied', 'undone', 'dropped')),
    at_ms       bigint not null,
    author      text not null,
    decided_ms  bigint,
    decided_by  text
);
create index catalogue_diffs_provider on catalogue_diffs (provider_id, diff_id desc);

-- A launch code opens one game for one player once, within a minute. Only its digest is stored.
create table launch_codes (
    digest     bytea primary key,
    casino_id  bigint not null references casinos,
    player_id  bigint not null references players,
    game_id    bigint not null references games,
    session_id text not null,
    expires_ms bigint not null,
    used_ms    bigint
);
create index launch_codes_expiry on launch_codes (expires_ms);

-- Until when the casino excluded a player; null: not excluded. `limits` is JSON of the casino's limits on the player's play.
alter table players
    add column excluded_until_ms bigint,
    add column limits            text;
create table player_exclusions (
    exclusion_id bigint generated always as identity primary key,
    player_id    bigint not null references players,
    until_ms     bigint,                       -- null: lifted
    reason       text not null,
    author       text not null,
    at_ms        bigint not null
);
create index player_exclusions_player on player_exclusions (player_id, exclusion_id desc);
create trigger append_only before update or delete or truncate on player_exclusions
    for each statement execute function refuse_change();

-- How a session was launched, and who ended it. Limits are minor units of its currency.
alter table sessions
    add column language        text,
    add column country         text,
    add column mobile          boolean,
    add column lobby_url       text,
    add column exit_url        text,
    add column own_max_bet     bigint,
    add column max_stakes      bigint,
    add column max_loss        bigint,
    add column reality_check_s integer,
    add column ended_ms        bigint,
    add column ended_by        text,
    add column end_reason      text;

-- The stakes of sessions with a limit on stakes or losses, taken down before each bet, so that two at once cannot pass it.
create table session_stakes (
    session_id  text not null,
    provider_id bigint not null,
    bet_ref     text collate "C" not null,
    stake       bigint not null check (stake >= 0),
    at_ms       bigint not null,
    primary key (session_id, provider_id, bet_ref)
);
