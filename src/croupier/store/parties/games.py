"""The catalogue: the providers' games, and the switches of the operator and of each casino.

Owns: the rows of `games` and `casino_games`. Never: deletes a game, since bets refer to it. Never: queries a provider (flows).
Spec: provider.md 3.1, operate.md 3 (`--game`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from croupier.core.commands import GameListing
from croupier.core.session import Game
from croupier.kit.clock import Clock
from croupier.store.db import Db, Row, Tx
from croupier.store.parties.listings import Counts, take
from croupier.store.parties.profiles import BadProfile, check_limits
from croupier.store.parties.quirk_kinds import Unfit, amount, flag, whole, word, words
from croupier.store.parties.session_memory import SessionMemory
from croupier.store.parties.switchings import Switching, note_switchings
from croupier.store.storable import storable_id, storable_text
from croupier.store.ttl_cache import TtlCache

_NAMES = (
    "game_id", "provider_id", "game_ref", "name", "category", "enabled", "listed", "jackpot_wins", "min_bet",
    "max_bet", "max_odd", "image_url", "open_s", "large_win", "max_win", "own_max_odd", "features", "kind",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES) + ", texts::text as texts"
# A text with slashes has two readings: the whole is a gameId, or a provider stands before one of the slashes.
_FIND = f"""
select distinct on (g.game_id) {", ".join("g." + name for name in _NAMES)}, g.texts::text as texts,
    k.provider is not distinct from p.counterparty_id as certain, p.counterparty_id, p.name as provider
from unnest($1::text[], $2::text[]) k(provider, game_ref) join games g on g.game_ref = k.game_ref
join providers p on p.provider_id = g.provider_id
where k.provider is null or k.provider in (p.name, p.counterparty_id, p.provider_id::text)
order by g.game_id, certain desc"""
_SET = f"""
update games set enabled = $2, jackpot_wins = $3, min_bet = $4, max_bet = $5, changed_ms = $6,
    open_s = $7, large_win = $8, max_win = $9, own_max_odd = $10, features = $11, kind = $12
where game_id = $1 returning {_COLUMNS}"""
_DESCRIBE = f"""
update games set texts = case when $3::text is null then texts - $2::text
    else texts || jsonb_build_object($2::text, $3::text::jsonb) end, changed_ms = $4
where game_id = $1 returning {_COLUMNS}"""
_SWITCH = """
with known as (
    update games set changed_ms = $4 from casinos where game_id = $2 and casino_id = $1 returning casino_id, game_id)
insert into casino_games (casino_id, game_id, enabled) select casino_id, game_id, $3 from known
on conflict (casino_id, game_id) do update set enabled = excluded.enabled"""
_OFF = (
    "select game_id, array_agg(casino_id order by casino_id) as casinos from casino_games where not enabled group by 1"
)
_TOUCH = """
update games set changed_ms = $3 where game_id = $1
and ($2::bigint is null or exists (select from casinos where casino_id = $2))"""
_OFF_WHERE = """
insert into game_switches (game_id, casino_id, currency, country) values ($1, $2, $3, $4) on conflict do nothing"""
_ON = """
delete from game_switches where game_id = $1 and casino_id is not distinct from $2
and currency is not distinct from $3 and country is not distinct from $4"""
_LONGEST_OPEN_S = 366 * 86400
_SETTABLE = {
    "enabled": flag(),
    "jackpot_wins": flag(),
    "min_bet": amount(),
    "max_bet": amount(),
    "open_s": whole(1, _LONGEST_OPEN_S, none=True),
    "large_win": amount(),
    "max_win": amount(),
    "max_odd": amount(),
    "features": words(),
    "kind": word(none=True),
}
_COLUMN_OF = {"max_odd": "own_max_odd"}
"""Columns of the settings whose names the provider's listing uses itself."""


class GameAmbiguous(LookupError):
    """The text matches several games; `choices` names each unambiguously."""

    def __init__(self, text: str, choices: Sequence[str]) -> None:
        super().__init__(f"{text:.80} may be {' or '.join(choices)}: say which")
        self.choices = tuple(choices)


class GameUnknown(LookupError):
    """There is no such game, or no such casino to switch it for."""


def changes_from_text(told: Mapping[str, str]) -> dict[str, Any]:
    """Return the changes of `set KEY=VALUE...`, typed for `Games.set`. Raises BadSettings with every problem."""
    found: dict[str, Any] = {}
    for name, text in told.items():
        kind = _SETTABLE.get(name)
        try:
            found[name] = text if kind is None else kind.from_text(text.strip())
        except Unfit:
            found[name] = text
    _check(found)
    return found


class Games:
    """The games of all providers."""

    def __init__(self, db: Db, clock: Clock, *, memory: SessionMemory | None = None) -> None:
        self._db = db
        self._clock = clock
        self._memory = memory or SessionMemory(db)
        self._recent: TtlCache[int, Game] = TtlCache(self._read, clock)
        self.at_hand = self._recent.at_hand
        """The game of this id if it was read in the last half second, else None: then `recent` reads it."""

    async def take_listing(
        self,
        provider_id: int,
        listings: Sequence[GameListing],
        *,
        enabled_for_new: bool,
        skipped_refs: Sequence[str] = (),
        review: bool = False,
    ) -> Counts:
        """Replace the provider's catalogue by its new listing. Of two entries with one gameId the last holds.

        `skipped_refs` are games whose entries could not be read: they stay as they are. With `review` the difference is
        stored, and a person applies it (store.parties.listings).
        """
        latest = {listing.game_ref: listing for listing in listings}
        async with self._db.transaction() as tx:
            counts = await take(
                tx, provider_id, latest.values(), kept=skipped_refs, enabled_for_new=enabled_for_new, review=review,
                now_ms=self._clock.now_ms(),
            )  # fmt: skip
        self._forget()
        return counts

    async def find(self, text: str) -> Game | None:
        """Return the game of this gameId, or of `provider/gameId` with the provider's name or id.

        Raises GameAmbiguous if several providers have it, or if a gameId itself reads like a provider and its game.
        The whole CounterpartyId before the slash is always unambiguous.
        """
        if not storable_text(text):
            return None
        cuts = [i for i, c in enumerate(text) if c == "/"]
        readings = [(None, text), *((text[:i], text[i + 1 :]) for i in cuts)]
        rows = await self._db.fetch(_FIND, [r[0] for r in readings], [r[1] for r in readings])
        meant = [row for row in rows if row["certain"]] or rows
        if len(meant) > 1:
            raise GameAmbiguous(text, _choices(text, meant))
        return _game(meant[0]) if meant else None

    async def get(self, game_id: int) -> Game | None:
        """Return the game of this id of the hub."""
        if not storable_id(game_id):
            return None
        row = await self._db.fetchrow(f"select {_COLUMNS} from games where game_id = $1", game_id)
        return None if row is None else _game(row)

    async def recent(self, game_id: int) -> Game | None:
        """Return the game, at most half a second old."""
        return self.at_hand(game_id) or (await self._recent.get(game_id) if storable_id(game_id) else None)

    async def all(self, provider_id: int | None = None) -> list[Game]:
        """Return every game, of one provider or of all, also those that are switched off or vanished."""
        sql = f"select {_COLUMNS} from games where $1::bigint is null or provider_id = $1 order by game_id"
        return [_game(row) for row in await self._db.fetch(sql, provider_id)]

    async def switched_off(self) -> dict[int, list[int]]:
        """Return the casinos for which a game was switched off, by game."""
        return {row["game_id"]: row["casinos"] for row in await self._db.fetch(_OFF)}

    async def set(self, game_id: int, **changes: bool | int | str | Sequence[str] | None) -> Game:
        """Change `enabled`, `jackpot_wins`, `open_s`, or a limit in decimal text, major units.

        The limits are `min_bet`, `max_bet`, `large_win`, `max_win` and the operator's own `max_odd`; None is no limit.
        Raises BadSettings, GameUnknown.
        """
        _check(changes)
        async with self._db.transaction() as tx:
            before = await _locked(tx, game_id)
            after = {**before, **{_COLUMN_OF.get(name, name): value for name, value in changes.items()}}
            check_limits(after)
            row = await tx.fetchrow(
                _SET, game_id, after["enabled"], after["jackpot_wins"], after["min_bet"], after["max_bet"],
                self._clock.now_ms(), after["open_s"], after["large_win"], after["max_win"], after["own_max_odd"],
                list(after["features"]), after["kind"],
            )  # fmt: skip
            if "enabled" in changes:
                switched = Switching("game", game_id, "enabled", _yes(after["enabled"]))
                await note_switchings(tx, [switched], self._clock.now_ms())
        assert row is not None
        self._forget(game_id)
        return _game(row)

    async def describe(self, game_id: int, language: str, text: Mapping[str, str] | None) -> Game:
        """Set the name and description in one language, or remove them with None. Raises GameUnknown."""
        told = None if text is None else json.dumps(dict(text), ensure_ascii=False)
        row = await self._db.fetchrow(_DESCRIBE, game_id, language, told, self._clock.now_ms())
        if row is None:
            raise GameUnknown(f"there is no game {game_id}")
        self._forget(game_id)
        return _game(row)

    async def switch(
        self,
        casino_id: int | None,
        game_id: int,
        enabled: bool,  # noqa: FBT001 - what it sets
        *,
        currency: str | None = None,
        country: str | None = None,
    ) -> None:
        """Switch a game on or off for one casino, in a currency or in a country; None is every casino. Raises GameUnknown.

        What is off for a wider circle stays off: on for one casino lifts no switch of every casino.
        """
        where, now_ms = (casino_id, currency, country), self._clock.now_ms()
        async with self._db.transaction() as tx:
            if currency is None and country is None:
                assert casino_id is not None, "for every casino it is the setting `enabled`"
                known = await tx.execute(_SWITCH, casino_id, game_id, enabled, now_ms)
            else:
                known = await tx.execute(_TOUCH, game_id, casino_id, now_ms)
                if known:
                    await tx.execute(_ON if enabled else _OFF_WHERE, game_id, *where)
            if not known:
                raise GameUnknown(f"there is no game {game_id} or no casino {casino_id}")
            await note_switchings(tx, [Switching("game", game_id, "enabled", _yes(enabled), *where)], now_ms)
        self._forget(game_id)

    async def off_where(self) -> dict[int, list[tuple[int | None, str | None, str | None]]]:
        """Return where games are off in a currency or a country, by game: casino (None: every one), currency, country."""
        found: dict[int, list[tuple[int | None, str | None, str | None]]] = {}
        for row in await self._db.fetch("select * from game_switches order by game_id, casino_id, currency, country"):
            found.setdefault(row["game_id"], []).append((row["casino_id"], row["currency"], row["country"]))
        return found

    def _forget(self, game_id: int | None = None) -> None:
        """Drop what was read of games, and the sessions of this game, or of all."""
        self._recent.forget()
        if game_id is None:
            self._memory.forget_all()
        else:
            self._memory.forget(game_id=game_id)

    async def _read(self, keys: Sequence[int]) -> dict[int, Game]:
        rows = await self._db.fetch(f"select {_COLUMNS} from games where game_id = any($1)", list(keys))
        return {row["game_id"]: _game(row) for row in rows}


def _yes(on: bool) -> str:  # noqa: FBT001 - what is written
    return "true" if on else "false"


def _choices(text: str, rows: Sequence[Row]) -> list[str]:
    """Name each game unambiguously: with its provider's name, or with the whole id if that name is ambiguous."""
    named = [f"{row['provider']}/{row['game_ref']}" for row in rows]
    if text not in named and len(set(named)) == len(named):
        return named
    return [f"{row['counterparty_id']}/{row['game_ref']}" for row in rows]


def _check(changes: dict[str, Any]) -> None:
    problems = []
    for name, value in changes.items():
        kind = _SETTABLE.get(name)
        if kind is None:
            problems.append(f"{name} is not a setting of a game; those are: {', '.join(_SETTABLE)}")
            continue
        try:
            kind.check(value)
        except Unfit:
            problems.append(f"{name} must be {kind.allowed}, not {str(value)[:40]!r}")
    if problems:
        raise BadProfile(problems)


async def _locked(tx: Tx, game_id: int) -> Row:
    row = None
    if storable_id(game_id):
        row = await tx.fetchrow(f"select {_COLUMNS} from games where game_id = $1 for update", game_id)
    if row is None:
        raise GameUnknown(f"there is no game {game_id}")
    return row


def _game(row: Row) -> Game:
    named = {name: row[name] for name in _NAMES}
    return Game(**{**named, "features": tuple(row["features"]), "texts": json.loads(row["texts"])})
