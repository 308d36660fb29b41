"""The hub's jackpot pots: their rows, the stakes that feed them, and the one transaction that changes a pot.

Beside the group commit this is the only code that writes ledger entries: those of a pot itself. Its payments are written by the
group commit. A change is written by one conditional update on the version and the mark that were read; a lost race writes
nothing. Owns: the rows of `jackpots`, `jackpot_rounds` and `jackpot_contributions`. Never: decides (core.jackpot), or holds a
row while a payment waits: it reads committed ledger entries. The secret of a running round is sealed. Spec: decision 0050.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from croupier.core.jackpot import (
    METER,
    Contribution,
    Direction,
    Gathered,
    Pot,
    PotState,
    RoundState,
    Stake,
    commitment,
)
from croupier.kit.clock import Clock
from croupier.kit.seal import Sealer
from croupier.store.db import Db, Row, Tx
from croupier.store.storable import id_of, storable_text

_POTS: Final = """
select p.pot_id, p.name, p.currency, p.share_bp, p.seed, p.ceiling, p.casino_ids, p.game_ids, p.state, p.version, p.number,
    p.carry, p.upto_id, p.fed_after, p.secret, p.changed_ms, r.seed as round_seed, r.ceiling as round_ceiling,
    r.contributed, r.commitment
from jackpots p join jackpot_rounds r on r.pot_id = p.pot_id and r.number = p.number"""
_ALL: Final = f"{_POTS} order by p.name"
_ONE: Final = f"{_POTS} where p.pot_id = $1"
_NAMED: Final = f"{_POTS} where p.name = $1"
# Below the last bound entry none can appear any more (store.oversight.trail).
_BOUND: Final = "select upto_id from trail where strand = 'ledger' order by link desc limit 1"
_WRITTEN: Final = "select last_value - case when is_called then 0 else 1 end from ledger_entry_id_seq"
_STAKES: Final = """
select l.entry_id, b.bet_id, b.casino_id, b.provider_id, b.game_id, l.amount as stake,
    case when l.source like 'open-bets/%' then 'in' else 'back' end as direction
from ledger l join bets b on b.bet_id = l.subject_id
where l.entry_id > $1 and l.entry_id <= $2 and l.currency = $3
and (l.source like 'open-bets/%' and l.target like 'ggr/%' or l.source like 'ggr/%' and l.target like 'owed/%'
    and exists (select from events e where e.subject_id = l.subject_id and e.version = l.version and e.state = 'returned'))
order by l.entry_id"""
_KNOWN: Final = """
select c.*, b.casino_id, b.provider_id, b.game_id from jackpot_contributions c join bets b using (bet_id)
where c.pot_id = $1 and c.bet_id = any($2::bigint[]) and c.direction = 'in' and not exists (
    select from jackpot_contributions k where k.pot_id = c.pot_id and k.bet_id = c.bet_id and k.direction = 'back')"""
_INSERT: Final = """
insert into jackpots (pot_id, name, currency, share_bp, seed, ceiling, casino_ids, game_ids, state, version, number, carry,
    upto_id, fed_after, secret, changed_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict (name) do nothing"""
_UPDATE: Final = """
update jackpots set share_bp = $4, seed = $5, ceiling = $6, casino_ids = $7, game_ids = $8, state = $9, version = $10,
    number = $11, carry = $12, upto_id = $13, fed_after = $14, secret = coalesce($15, secret), changed_ms = $16
where pot_id = $1 and version = $2 and upto_id = $3"""
_READ_ON: Final = "update jackpots set upto_id = $4 where pot_id = $1 and version = $2 and upto_id = $3"
_FED: Final = "update jackpot_rounds set contributed = $3 where pot_id = $1 and number = $2 and state = 'open'"
_END: Final = """
update jackpot_rounds set state = $3, contributed = $4, secret = $5, ended_ms = $6, won_by = $7, win_id = $8
where pot_id = $1 and number = $2 and state = 'open'"""
_BEGIN: Final = """
insert into jackpot_rounds (pot_id, number, state, seed, ceiling, contributed, carry_before, from_version, commitment, began_ms)
values ($1, $2, 'open', $3, $4, 0, $5, $6, $7, $8)"""
_SHARES: Final = """
insert into jackpot_contributions (pot_id, bet_id, direction, number, version, entry_id, stake, share_bp, amount)
select $1, * from unnest($2::bigint[], $3::text[], $4::integer[], $5::bigint[], $6::bigint[], $7::bigint[], $8::integer[],
    $9::bigint[])"""
_EVENT: Final = """
insert into events (subject_id, version, at_ms, event, state, detail, author, process, mark)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
_ENTRIES: Final = """
insert into ledger (subject_id, source, target, amount, currency, why, author, version, at_ms)
select $1, e.source, e.target, e.amount, $2, e.why, $3, $4, $5
from unnest($6::text[], $7::text[], $8::bigint[], $9::text[]) with ordinality e(source, target, amount, why, n) order by e.n"""
_ROUNDS: Final = """
select r.*, p.currency, b.player_ref, b.casino_id, x.state as payment
from jackpot_rounds r join jackpots p using (pot_id) left join bets b on b.bet_id = r.win_id
left join payments x on x.subject_id = r.win_id and x.kind = 'jackpot'
where r.pot_id = $1 and ($2::integer is null or r.number = $2) order by r.number desc limit $3"""
_SHARES_OF: Final = """
select bet_id, direction, stake, share_bp, amount from jackpot_contributions
where pot_id = $1 and number = $2 order by entry_id"""
_DUE: Final = """
select r.pot_id, r.number, r.seed + r.contributed as amount, r.won_by, r.win_id, p.name
from jackpot_rounds r join jackpots p using (pot_id) where r.state = 'won' and not r.awarded order by r.ended_ms, r.pot_id, r.number"""
_AWARDED: Final = "update jackpot_rounds set awarded = true where pot_id = $1 and number = $2 and state = 'won'"


@dataclass(frozen=True, slots=True)
class StoredPot:
    """A pot as it was read, with the commitment to its current round."""

    pot: Pot
    commitment: str
    changed_ms: int
    sealed: bytes = field(repr=False)
    """The sealed secret of the current round."""


@dataclass(frozen=True, slots=True)
class StoredRound:
    """A round of a pot. Amounts are minor units."""

    pot_id: int
    number: int
    state: RoundState
    currency: str
    seed: int
    ceiling: int
    contributed: int
    commitment: str
    secret: str | None
    """In hex, once the round has ended."""
    began_ms: int
    ended_ms: int | None
    won_by: int | None
    """The bet whose stake won it."""
    win_id: int | None
    """The bet that pays the win."""
    player_ref: str | None
    casino_id: int | None
    payment: str | None
    """The state of the payment of the win."""


@dataclass(frozen=True, slots=True)
class DueWin:
    """A round that was won and whose win is not owed yet."""

    pot_id: int
    name: str
    number: int
    amount: int
    won_by: int
    win_id: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a new round needs beside its rules."""

    secret: bytes = field(repr=False)
    """The secret of the next round."""
    ended: bytes = field(repr=False, default=b"")
    """The secret of the round that ends, which is published."""
    win_id: int | None = None
    """The BetId of the win, if the round was won."""


class PotNameTaken(Exception):
    """Another pot has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a pot {name} already: give the new one another name")


class _Lost(Exception):
    """The pot has changed since it was read."""


class Jackpots:
    """The pots of one database."""

    def __init__(self, db: Db, sealer: Sealer, clock: Clock, *, process: str) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._process = process

    # --- reading -------------------------------------------------------------------------------------------

    async def all(self) -> list[StoredPot]:
        """Return every pot, by name."""
        return [_stored(row) for row in await self._db.fetch(_ALL)]

    async def get(self, pot_id: int) -> StoredPot | None:
        """Return a pot, or None."""
        row = await self._db.fetchrow(_ONE, pot_id)
        return None if row is None else _stored(row)

    async def find(self, text: str) -> StoredPot | None:
        """Return the pot with this name, number or JackpotId, or None."""
        if not storable_text(text):
            return None
        row = await self._db.fetchrow(_NAMED, text)
        number = id_of(text.removeprefix(METER))
        return _stored(row) if row is not None else None if number is None else await self.get(number)

    async def secret_of(self, stored: StoredPot) -> bytes:
        """Open the secret of the current round. Raises SealBroken."""
        return await self._sealer.opened(stored.sealed, _place(stored.pot.pot_id))

    async def bound_upto(self) -> int:
        """Return the ledger entry up to which none can appear any more."""
        return await self._db.fetchval(_BOUND) or 0

    async def written_upto(self) -> int:
        """Return the last number that a ledger entry has got."""
        return int(await self._db.fetchval(_WRITTEN))

    async def stakes(self, currency: str, after: int, upto: int) -> list[Stake]:
        """Return the entries with after < id <= upto that settle a bet of this currency, or give the stake of a settled one back."""
        rows = await self._db.fetch(_STAKES, after, upto, currency)
        return [Stake(**{**row, "direction": Direction(row["direction"])}) for row in rows]

    async def known(self, pot_id: int, bet_ids: Collection[int]) -> dict[int, Contribution]:
        """Return the shares of these bets that are in the pot."""
        return {row["bet_id"]: _contribution(row) for row in await self._db.fetch(_KNOWN, pot_id, list(bet_ids))}

    async def rounds(self, pot_id: int, *, number: int | None = None, most: int = 100) -> list[StoredRound]:
        """Return the rounds of a pot, the newest first."""
        return [_round(row) for row in await self._db.fetch(_ROUNDS, pot_id, number, most)]

    async def shares(self, pot_id: int, number: int) -> list[Row]:
        """Return bet_id, direction, stake, share_bp and amount of every share of a round, in order."""
        return await self._db.fetch(_SHARES_OF, pot_id, number)

    async def due(self) -> list[DueWin]:
        """Return the wins whose bet is not known to be open yet, the oldest first."""
        return [DueWin(**row) for row in await self._db.fetch(_DUE)]

    # --- writing -------------------------------------------------------------------------------------------

    async def awarded(self, win: DueWin) -> None:
        """Note that the bet of a win is open."""
        await self._db.execute(_AWARDED, win.pot_id, win.number)

    async def add(self, done: Gathered, fresh: Fresh) -> None:
        """Write a new pot with its first round. Raises PotNameTaken."""
        now_ms, pot = self._clock.now_ms(), done.after
        row = (pot.pot_id, pot.name, pot.currency, *self._rules(pot), await self._sealed(pot, fresh), now_ms)
        async with self._db.transaction() as tx:
            if await tx.execute(_INSERT, *row) != 1:
                raise PotNameTaken(pot.name)
            await self._begin(tx, pot, fresh, now_ms=now_ms)
            await self._story(tx, done, now_ms)

    async def write(self, done: Gathered, fresh: Fresh | None = None) -> bool:
        """Write a change of a pot in one transaction. False: the pot had changed, nothing was written, read it again.

        `fresh` is needed for a change that ends a round.
        """
        before, pot = done.before, done.after
        if pot.version == before.version:
            key = (before.pot_id, before.version, before.upto_id)
            return await self._db.execute(_READ_ON, *key, pot.upto_id) == 1
        try:
            async with self._db.transaction() as tx:
                await self._write(tx, done, fresh)
        except _Lost:
            return False
        return True

    async def _write(self, tx: Tx, done: Gathered, fresh: Fresh | None) -> None:
        now_ms, before, pot = self._clock.now_ms(), done.before, done.after
        sealed = None if fresh is None else await self._sealed(pot, fresh)
        key = (before.pot_id, before.version, before.upto_id)
        if await tx.execute(_UPDATE, *key, *self._rules(pot), sealed, now_ms) != 1:
            raise _Lost
        if done.new_round:
            assert fresh is not None, "a new round needs a secret"
            await self._end(tx, done, fresh, now_ms=now_ms)
            await self._begin(tx, pot, fresh, now_ms=now_ms)
        else:
            await _one(tx, _FED, pot.pot_id, pot.number, pot.contributed)
        await self._story(tx, done, now_ms)

    async def _end(self, tx: Tx, done: Gathered, fresh: Fresh, *, now_ms: int) -> None:
        before, win = done.before, done.win
        state = RoundState.VOID if win is None else RoundState.WON
        contributed = 0 if win is None else win.amount - before.round_seed
        won_by = None if win is None else win.bet_id
        told = (state.value, contributed, fresh.ended.hex(), now_ms, won_by, fresh.win_id)
        await _one(tx, _END, before.pot_id, before.number, *told)

    async def _begin(self, tx: Tx, pot: Pot, fresh: Fresh, *, now_ms: int) -> None:
        rules = (pot.round_seed, pot.round_ceiling, pot.carry, pot.version)
        await _one(tx, _BEGIN, pot.pot_id, pot.number, *rules, commitment(pot, fresh.secret), now_ms)

    async def _story(self, tx: Tx, done: Gathered, now_ms: int) -> None:
        """Write shares, event and ledger entries of one transition."""
        pot, shares, entries = done.after, done.contributions, done.entries
        if shares:
            rows = [
                (s.stake.bet_id, s.stake.direction.value, s.number, pot.version, s.stake.entry_id, s.stake.stake,
                 s.share_bp, s.amount)
                for s in shares
            ]  # fmt: skip
            await tx.execute(_SHARES, pot.pot_id, *map(list, zip(*rows, strict=True)))
        detail = json.dumps(dict(done.detail), separators=(",", ":"))
        mark = f"jackpot-{pot.pot_id}-{pot.version}"
        told = (done.event, pot.state.value, detail, done.author, self._process, mark)
        await _one(tx, _EVENT, pot.pot_id, pot.version, now_ms, *told)
        if entries:
            columns = zip(*((e.source, e.target, e.amount, e.why) for e in entries), strict=True)
            await tx.execute(_ENTRIES, pot.pot_id, pot.currency, done.author, pot.version, now_ms, *map(list, columns))

    def _rules(self, pot: Pot) -> tuple[Any, ...]:
        """Return the columns that may change, in the order of both statements."""
        scope = (_ids(pot.casino_ids), _ids(pot.game_ids))
        place = (pot.version, pot.number, pot.carry, pot.upto_id, pot.fed_after)
        return (pot.share_bp, pot.seed, pot.ceiling, *scope, pot.state.value, *place)

    async def _sealed(self, pot: Pot, fresh: Fresh) -> bytes:
        return await self._sealer.sealed(fresh.secret, _place(pot.pot_id))


def _place(pot_id: int) -> str:
    return f"jackpots.secret.{pot_id}"


def _ids(ids: frozenset[int] | None) -> list[int] | None:
    return None if ids is None else sorted(ids)


async def _one(tx: Tx, sql: str, *args: object) -> None:
    if await tx.execute(sql, *args) != 1:
        raise AssertionError("a row of a jackpot is not as it was read")


def _stored(row: Row) -> StoredPot:
    plain: dict[str, Any] = {
        name: row[name]
        for name in (
            "pot_id", "name", "currency", "share_bp", "seed", "ceiling", "version", "number", "round_seed",
            "round_ceiling", "contributed", "upto_id", "fed_after",
        )
    }  # fmt: skip
    plain |= {name: None if row[name] is None else frozenset(row[name]) for name in ("casino_ids", "game_ids")}
    pot = Pot(**plain, state=PotState(row["state"]), carry=int(row["carry"]))
    return StoredPot(pot, row["commitment"], row["changed_ms"], row["secret"])


def _contribution(row: Mapping[str, Any]) -> Contribution:
    ids = {name: row[name] for name in ("entry_id", "bet_id", "casino_id", "provider_id", "game_id", "stake")}
    stake = Stake(**ids, direction=Direction(row["direction"]))
    return Contribution(stake, row["number"], row["share_bp"], row["amount"])


def _round(row: Row) -> StoredRound:
    names = [name for name in StoredRound.__slots__ if name != "state"]
    return StoredRound(**{name: row[name] for name in names}, state=RoundState(row["state"]))
