"""What a provider's list changes in the catalogue: the difference is stored, can be reviewed before it is applied, and undone after.

Owns: the rows of `catalogue_diffs`, and the columns of `games` that a provider lists. What a person undid is not applied by itself again,
until the provider lists something else or a person applies it. Never: deletes a game, queries a provider. Spec: provider.md 3.1,
casino.md 3.1.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from croupier.core.commands import GameListing
from croupier.kit.clock import Clock
from croupier.store.db import Db, Row, Tx
from croupier.store.parties.switchings import Switching, note_switchings
from croupier.store.storable import storable_id

Fields = Mapping[str, str | None]
"""What a provider lists of one game: name, category, max_odd, image_url."""
_FIELDS: Final = ("name", "category", "max_odd", "image_url")
_LOCK = "select pg_advisory_xact_lock(hashtextextended('games/' || $1::bigint, 0))"
_KNOWN = """
select game_id, game_ref, name, category, max_odd, image_url, listed, undone from games where provider_id = $1"""
_LIST = """
insert into games as g (provider_id, game_ref, name, category, max_odd, image_url, enabled, changed_ms)
select $1, l.*, $7, $8 from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) l
on conflict (provider_id, game_ref) do update set name = excluded.name, category = excluded.category,
    max_odd = excluded.max_odd, image_url = excluded.image_url, listed = true, changed_ms = excluded.changed_ms
where (g.name, g.category, g.max_odd, g.image_url, g.listed)
    is distinct from (excluded.name, excluded.category, excluded.max_odd, excluded.image_url, true)
returning game_id, game_ref"""
_UNLIST = """
update games set listed = false, changed_ms = $3 where provider_id = $1 and listed and game_ref = any($2::text[])
returning game_id, game_ref"""
_UNDONE = """
update games g set undone = u.after from unnest($2::text[], $3::text[]) u(game_ref, after)
where g.provider_id = $1 and g.game_ref = u.game_ref"""
_STORE = """
insert into catalogue_diffs (provider_id, changes, state, at_ms, author) values ($1, $2, $3, $4, $5) returning diff_id"""
_DROP_WAITING = "update catalogue_diffs set state = 'dropped' where provider_id = $1 and state = 'waiting'"
_DECIDE = """
update catalogue_diffs set state = $2, decided_ms = $3, decided_by = $4 where diff_id = $1 and state = any($5::text[])
returning provider_id, changes"""
_READ = """
select d.diff_id, d.provider_id, p.name as provider, d.changes, d.state, d.at_ms, d.author, d.decided_ms, d.decided_by
from catalogue_diffs d join providers p using (provider_id)
where ($1::bigint is null or d.diff_id = $1) and ($2::bigint[] is null or d.provider_id = any($2))
order by d.diff_id desc limit $3"""
BY_LIST: Final = "the provider's list"


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of games that a listing changed, or would change (`waiting`). A game that came back counts as changed."""

    new: int = 0
    changed: int = 0
    vanished: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class GameChange:
    """One game in a difference. `before` None: it was not listed; `after` None: it vanished from the list."""

    game_ref: str
    before: Fields | None
    after: Fields | None


@dataclass(frozen=True, slots=True)
class CatalogueDiff:
    """A stored difference. `state`: waiting for a person, applied, undone, or dropped for a later one."""

    diff_id: int
    provider_id: int
    provider: str
    changes: tuple[GameChange, ...]
    state: str
    at_ms: int
    author: str
    decided_ms: int | None
    decided_by: str | None


class DiffUnknown(LookupError):
    """There is no such difference, or it is in no state for this."""


class CatalogueDiffs:
    """The differences of all providers' catalogues."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def latest(
        self, *, diff_id: int | None = None, provider_ids: Sequence[int] | None = None, most: int = 20
    ) -> list[CatalogueDiff]:
        """Return differences of these providers or of all, newest first."""
        if diff_id is not None and not storable_id(diff_id):
            return []
        return [_diff(row) for row in await self._db.fetch(_READ, diff_id, provider_ids, most)]

    async def apply(self, diff_id: int, *, author: str, enabled_for_new: bool = True) -> int:
        """Apply a difference that waits or was undone; return the number of its games. Raises DiffUnknown."""
        async with self._db.transaction() as tx:
            provider_id, changes = await self._decided(
                tx, diff_id, "applied", author=author, were=("waiting", "undone")
            )
            wanted = {change.game_ref: change.after for change in changes}
            await _set(tx, provider_id, wanted, enabled_for_new=enabled_for_new, now_ms=self._clock.now_ms())
            await tx.execute(_UNDONE, provider_id, list(wanted), [None] * len(wanted))
        return len(changes)

    async def undo(self, diff_id: int, *, author: str) -> tuple[int, list[str]]:
        """Undo an applied difference. Return the number of games, and those that changed since and stay. Raises DiffUnknown."""
        async with self._db.transaction() as tx:
            provider_id, changes = await self._decided(tx, diff_id, "undone", author=author, were=("applied",))
            now = {row["game_ref"]: _listed(row) for row in await tx.fetch(_KNOWN, provider_id)}
            same = [change for change in changes if now.get(change.game_ref) == change.after]
            wanted = {change.game_ref: change.before for change in same}
            await _set(tx, provider_id, wanted, enabled_for_new=True, now_ms=self._clock.now_ms())
            await tx.execute(_UNDONE, provider_id, list(wanted), [_text(change.after) for change in same])
        return len(same), [change.game_ref for change in changes if change not in same]

    async def _decided(
        self, tx: Tx, diff_id: int, state: str, *, author: str, were: Sequence[str]
    ) -> tuple[int, tuple[GameChange, ...]]:
        row = await tx.fetchrow("select provider_id from catalogue_diffs where diff_id = $1", diff_id)
        if row is not None:
            await tx.execute(_LOCK, row["provider_id"])
            row = await tx.fetchrow(_DECIDE, diff_id, state, self._clock.now_ms(), author, list(were))
        if row is None:
            raise DiffUnknown(
                f"there is no difference {diff_id} that is {' or '.join(were)}: `croupier game diff` shows them"
            )
        return row["provider_id"], _changes(row["changes"])


async def take(
    tx: Tx,
    provider_id: int,
    listings: Collection[GameListing],
    *,
    kept: Collection[str],
    enabled_for_new: bool,
    review: bool,
    now_ms: int,
) -> Counts:
    """Apply a provider's list, or with `review` store what it would change. `kept` games count as listed as they are."""
    await tx.execute(_LOCK, provider_id)
    rows = await tx.fetch(_KNOWN, provider_id)
    latest = {listing.game_ref: {name: getattr(listing, name) for name in _FIELDS} for listing in listings}
    changes = _compare(rows, latest, kept)
    known = {row["game_ref"] for row in rows}
    await tx.execute(_DROP_WAITING, provider_id)
    if changes:
        state = "waiting" if review else "applied"
        await tx.execute(_STORE.removesuffix(" returning diff_id"), provider_id, _json(changes), state, now_ms, BY_LIST)
    if review:
        return Counts(waiting=len(changes))
    await _set(tx, provider_id, {c.game_ref: c.after for c in changes}, enabled_for_new=enabled_for_new, now_ms=now_ms)
    there = [change.game_ref for change in changes if change.after is not None]
    new = len([ref for ref in there if ref not in known])
    return Counts(new, len(there) - new, len(changes) - len(there))


def _compare(rows: Sequence[Row], latest: Mapping[str, Fields], kept: Collection[str]) -> list[GameChange]:
    """Return what the list changes, without what a person undid."""
    before = {row["game_ref"]: _listed(row) for row in rows}
    undone = {row["game_ref"]: row["undone"] for row in rows}
    refs = [*latest, *(ref for ref in before if ref not in latest and ref not in kept)]
    found = [GameChange(ref, before.get(ref), latest.get(ref)) for ref in refs]
    return [one for one in found if one.before != one.after and undone.get(one.game_ref) != _text(one.after)]


async def _set(
    tx: Tx, provider_id: int, wanted: Mapping[str, Fields | None], *, enabled_for_new: bool, now_ms: int
) -> None:
    """Make these games as they are wanted; None is not listed. Who did it is noted."""
    there = {ref: fields for ref, fields in wanted.items() if fields is not None}
    gone = [ref for ref, fields in wanted.items() if fields is None]
    columns = [list(there), *([fields[name] for fields in there.values()] for name in _FIELDS)]
    listed = await tx.fetch(_LIST, provider_id, *columns, enabled_for_new, now_ms)
    unlisted = await tx.fetch(_UNLIST, provider_id, gone, now_ms)
    await note_switchings(tx, [*_switched(listed, "true"), *_switched(unlisted, "false")], now_ms)


def _switched(rows: Iterable[Row], value: str) -> list[Switching]:
    return [Switching("game", row["game_id"], "listed", value) for row in rows]


def _listed(row: Row) -> Fields | None:
    return {name: row[name] for name in _FIELDS} if row["listed"] else None


def _text(fields: Fields | None) -> str:
    return json.dumps(fields, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _json(changes: Sequence[GameChange]) -> str:
    told = [{"game_ref": c.game_ref, "before": c.before, "after": c.after} for c in changes]
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def _changes(stored: str) -> tuple[GameChange, ...]:
    told: list[dict[str, Any]] = json.loads(stored)
    return tuple(GameChange(one["game_ref"], one["before"], one["after"]) for one in told)


def _diff(row: Row) -> CatalogueDiff:
    return CatalogueDiff(**{**row, "changes": _changes(row["changes"])})
