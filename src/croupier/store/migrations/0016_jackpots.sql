-- The hub's own jackpot pots (docs/decisions/0050). One row per pot; every change is one update of the version that was read.
create table jackpots (
    pot_id     bigint primary key,             -- of money_ids: a number names one thing
    name       text not null unique check (name ~ '^[^[:cntrl:]]{1,128}$'),
    currency   text not null,
    share_bp   integer not null check (share_bp between 1 and 10000),
    seed       bigint not null check (seed >= 0),
    ceiling    bigint not null check (ceiling > seed),
    casino_ids bigint[],                       -- null: all
    game_ids   bigint[],
    state      text not null check (state in ('open', 'frozen')),
    version    bigint not null,
    number     integer not null,               -- of the current round
    carry      numeric(40) not null,           -- ten-thousandths of a minor unit that are not in the pot yet
    upto_id    bigint not null,                -- the entries of the ledger up to here were read
    fed_after  bigint not null,                -- stakes of entries up to here do not feed it
    secret     bytea not null,                 -- sealed; of the current round
    changed_ms bigint not null
) with (fillfactor = 50);

create table jackpot_rounds (
    pot_id       bigint not null references jackpots,
    number       integer not null,
    state        text not null check (state in ('open', 'won', 'void')),
    seed         bigint not null check (seed >= 0),
    ceiling      bigint not null,
    contributed  bigint not null check (contributed >= 0),
    carry_before numeric(40) not null,
    from_version bigint not null,              -- of the pot, with which it began
    commitment   text not null,
    secret       text,                         -- in hex, once it has ended
    began_ms     bigint not null,
    ended_ms     bigint,
    won_by       bigint,                       -- the bet whose stake won it
    win_id       bigint unique,                -- the bet that pays the win
    awarded      boolean not null default false, -- that bet exists
    primary key (pot_id, number),
    check (seed + contributed <= ceiling),
    check ((state = 'open') = (ended_ms is null) and (state = 'open') = (secret is null)),
    check ((state = 'won') = (won_by is not null) and (state = 'won') = (win_id is not null)),
    check (state <> 'void' or contributed = 0)
) with (fillfactor = 50);
create unique index jackpot_rounds_open on jackpot_rounds (pot_id) where state = 'open';
create index jackpot_rounds_due on jackpot_rounds (pot_id, number) where state = 'won' and not awarded;

-- The share of each stake, and that of each stake that went back.
create table jackpot_contributions (
    pot_id    bigint not null references jackpots,
    bet_id    bigint not null,
    direction text not null check (direction in ('in', 'back')),
    number    integer not null,                -- the round
    version   bigint not null,                 -- of the pot: the transition it belongs to
    entry_id  bigint not null,                 -- the ledger entry of the bet
    stake     bigint not null check (stake > 0),
    share_bp  integer not null,
    amount    bigint not null check (case direction when 'in' then amount >= 0 else amount <= 0 end),
    primary key (pot_id, bet_id, direction)
);
create index jackpot_contributions_of on jackpot_contributions (pot_id, number, entry_id);

create trigger append_only before update or delete or truncate on jackpot_contributions
    for each statement execute function refuse_change();
create trigger never_deleted before delete or truncate on jackpots for each statement execute function refuse_delete();
create trigger never_deleted before delete or truncate on jackpot_rounds
    for each statement execute function refuse_delete();

create function check_jackpot_moves() returns trigger language plpgsql as $$
declare bad text;
begin
    select o.pot_id || ': version ' || o.version || ' to ' || n.version into bad
    from olds o join news n on n.pot_id = o.pot_id
    where n.version not in (o.version, o.version + 1) or n.upto_id < o.upto_id or n.fed_after < o.fed_after
       or n.number not in (o.number, o.number + 1) or n.currency <> o.currency or n.name <> o.name
       or (n.version = o.version and (n.number, n.carry, n.state, n.share_bp, n.seed, n.ceiling)
           is distinct from (o.number, o.carry, o.state, o.share_bp, o.seed, o.ceiling))
    limit 1;
    if bad is not null then
        raise exception 'illegal move of jackpot %', bad using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger moves after update on jackpots referencing old table as olds new table as news
    for each statement execute function check_jackpot_moves();

create function check_jackpot_round_moves() returns trigger language plpgsql as $$
declare bad text;
begin
    select o.pot_id || '/' || o.number || ': ' || o.state || ' to ' || n.state into bad
    from olds o left join news n on n.pot_id = o.pot_id and n.number = o.number
    where n.pot_id is null or (n.seed, n.ceiling, n.carry_before, n.from_version, n.commitment, n.began_ms)
           is distinct from (o.seed, o.ceiling, o.carry_before, o.from_version, o.commitment, o.began_ms)
       or (o.awarded and not n.awarded) or (n.awarded and n.state <> 'won')
       or (o.state <> 'open' and (n.state, n.contributed, n.secret, n.ended_ms, n.won_by, n.win_id)
           is distinct from (o.state, o.contributed, o.secret, o.ended_ms, o.won_by, o.win_id))
    limit 1;
    if bad is not null then
        raise exception 'illegal move of jackpot round %', bad using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger moves after update on jackpot_rounds referencing old table as olds new table as news
    for each statement execute function check_jackpot_round_moves();
