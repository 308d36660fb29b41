"""The catalogue: the providers' games, and the switches of the operator and of each casino.

Owns: the rows of `games` and `casino_games`. Never: deletes a game, since bets refer to it. Never: queries a provider (flows).
Spec: provider.md 3.1, operate.md 3 (`--game`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from croupier.core.commands import GameListing
from croupier.core.session import Game
from croupier.kit.clock import Clock
from croupier.store.db import Db, Row, Tx
from croupier.store.parties.profiles import BadProfile, check_limits
from croupier.store.parties.quirk_kinds import Unfit, amount, flag, whole, word, words
from croupier.store.storable import storable_id, storable_text
from croupier.store.ttl_cache import TtlCache

_NAMES = (
    "game_id", "provider_id", "game_ref", "name", "category", "enabled", "listed", "jackpot_wins", "min_bet",
    "max_bet", "max_odd", "image_url", "open_s", "large_win", "max_win", "own_max_odd", "features", "kind",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES) + ", texts::text as texts"
_LOCK = "select pg_advisory_xact_lock(hashtextextended('games/' || $1::bigint, 0))"
_LIST = f"""
insert into games as g (provider_id, game_ref, name, category, max_odd, image_url, enabled, changed_ms)
select $1, l.*, $7, $8 from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) l
on conflict (provider_id, game_ref) do update set name = excluded.name, category = excluded.category,
    max_odd = excluded.max_odd, image_url = excluded.image_url, listed = true, changed_ms = excluded.changed_ms
where (g.name, g.category, g.max_odd, g.image_url, g.listed)
    is distinct from (excluded.name, excluded.category, excluded.max_odd, excluded.image_url, true)
returning {_COLUMNS}"""
_VANISH = """
update games set listed = false, changed_ms = $3 where provider_id = $1 and listed and not game_ref = any($2::text[])"""

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


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of games that a listing changed. A game that came back counts as changed."""

    new: int = 0
    changed: int = 0
    vanished: int = 0


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

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._recent: TtlCache[int, Game] = TtlCache(self._read, clock)

    async def take_listing(
        self,
        provider_id: int,
        listings: Sequence[GameListing],
        *,
        enabled_for_new: bool,
        skipped_refs: Sequence[str] = (),
    ) -> Counts:
        """Replace the provider's catalogue by its new listing. Of two entries with one gameId the last holds.

        `skipped_refs` are games whose entries could not be read: they stay as they are.
        """
        latest = {listing.game_ref: listing for listing in listings}
        now_ms = self._clock.now_ms()
        async with self._db.transaction() as tx:
            await tx.execute(_LOCK, provider_id)
            before = await tx.fetch("select game_ref from games where provider_id = $1", provider_id)
            touched = await tx.fetch(_LIST, provider_id, *_arrays(latest.values()), enabled_for_new, now_ms)
            vanished = await tx.execute(_VANISH, provider_id, [*latest, *skipped_refs], now_ms)
        self._recent.forget()
        new = {row["game_ref"] for row in touched} - {row["game_ref"] for row in before}
        return Counts(len(new), len(touched) - len(new), vanished)

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
        return await self._recent.get(game_id) if storable_id(game_id) else None

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
        assert row is not None
        self._recent.forget()
        return _game(row)

    async def describe(self, game_id: int, language: str, text: Mapping[str, str] | None) -> Game:
        """Set the name and description in one language, or remove them with None. Raises GameUnknown."""
        told = None if text is None else json.dumps(dict(text), ensure_ascii=False)
        row = await self._db.fetchrow(_DESCRIBE, game_id, language, told, self._clock.now_ms())
        if row is None:
            raise GameUnknown(f"there is no game {game_id}")
        self._recent.forget()
        return _game(row)

    async def switch(self, casino_id: int, game_id: int, enabled: bool) -> None:  # noqa: FBT001 - what it sets
        """Switch a game on or off for one casino. Raises GameUnknown."""
        if not await self._db.execute(_SWITCH, casino_id, game_id, enabled, self._clock.now_ms()):
            raise GameUnknown(f"there is no game {game_id} or no casino {casino_id}")

    async def _read(self, keys: Sequence[int]) -> dict[int, Game]:
        rows = await self._db.fetch(f"select {_COLUMNS} from games where game_id = any($1)", list(keys))
        return {row["game_id"]: _game(row) for row in rows}


def _arrays(listings: Collection[GameListing]) -> list[list[Any]]:
    names = ("game_ref", "name", "category", "max_odd", "image_url")
    return [[getattr(listing, name) for listing in listings] for name in names]


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
