"""Draws and jackpot meters as their providers stated them last.

Owns: the rows of `draws`, `draw_versions` and `jackpot_meters`. Never: whether an update is taken (core.draws). Writes
stand in the caller's transaction, which has locked the game types. Spec: feed.md 2 and 4.1.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from croupier.core.draws import Draw, DrawKey, DrawState, JackpotMeter, PlayState
from croupier.kit.clock import Clock
from croupier.store.db import Db, Row, Tx

COLUMNS: Final = "draw_id, game_type, edition, version, state, play_state, round, starts_ms, betting_ends_ms, ends_ms, results, proof"
PLACES: Final = 2
"""So many publications of this process are written at once: the feed takes no more of the connections."""
MAX_TOTAL: Final = 10_000
"""More draws than this are not counted."""

_KNOWN = f"""
select {COLUMNS} from draws join unnest($1::integer[], $2::bigint[]) k(t, e) on game_type = k.t and edition = k.e"""
_PUT = """
insert into draws as d (game_type, edition, version, state, play_state, round, starts_ms, betting_ends_ms, ends_ms,
    results, proof, ended_ms)
select * from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::bigint[],
    $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::bigint[])
on conflict (game_type, edition) do update set version = excluded.version, state = excluded.state,
    play_state = excluded.play_state, round = excluded.round, starts_ms = excluded.starts_ms,
    betting_ends_ms = excluded.betting_ends_ms, ends_ms = excluded.ends_ms, results = excluded.results,
    proof = excluded.proof, ended_ms = coalesce(d.ended_ms, excluded.ended_ms)"""
_PUT_VERSIONS = """
insert into draw_versions (draw_id, version, digest)
select d.draw_id, v.version, v.digest
from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bytea[]) v(game_type, edition, version, digest)
join draws d using (game_type, edition)"""
_VERSIONS = """
select game_type, edition, v.version, v.digest
from draw_versions v join draws d using (draw_id)
join unnest($1::integer[], $2::bigint[], $3::bigint[]) k(t, e, n) on game_type = k.t and edition = k.e and v.version = k.n"""
_PUT_METER = """
insert into jackpot_meters as m (jackpot_ref, provider_id, name, amount, currency, changed_ms)
values ($1, $2, $3, $4, $5, $6)
on conflict (jackpot_ref) do update set name = excluded.name, amount = excluded.amount,
    currency = excluded.currency, changed_ms = excluded.changed_ms
where m.provider_id = excluded.provider_id"""
_OLD = """
select d.draw_id, d.game_type, d.starts_ms from game_types t, lateral (
    select draw_id, game_type, starts_ms, ended_ms from draws
    where game_type = t.game_type and ended_ms is not null and ended_ms < $1 and starts_ms < $1
      and draw_id is distinct from (
          select draw_id from draws where game_type = t.game_type and ended_ms is not null and state = 3
          order by ended_ms desc, draw_id desc limit 1)
    order by ended_ms limit $2) d
order by d.ended_ms limit $2"""
_FORGET_UNTIL = """
update game_types g set forgotten_ms = greatest(forgotten_ms, o.starts_ms)
from (select t, max(s) as starts_ms from unnest($1::integer[], $2::bigint[]) old(t, s) group by t) o where g.game_type = o.t"""
_WHERE = "($1::integer is null or game_type = $1) and starts_ms between $2 and $3"
_LISTED = f"select {COLUMNS} from draws where {_WHERE} order by starts_ms desc, draw_id desc offset $4 limit $5"
_TOTAL = f"select count(*) from (select from draws where {_WHERE} limit {MAX_TOTAL + 1}) counted"
LAST_FINISHED: Final = """
select t.game_type, d.draw_id from unnest($1::integer[]) t(game_type), lateral (
    select draw_id from draws where game_type = t.game_type and ended_ms is not null and state = 3
    order by ended_ms desc, draw_id desc limit 1) d"""


@dataclass(frozen=True, slots=True)
class StoredDraw:
    """A draw and its number in this hub."""

    draw_id: int
    draw: Draw


@dataclass(frozen=True, slots=True)
class StoredMeter:
    """A jackpot meter, and when it was stated last, in milliseconds."""

    meter: JackpotMeter
    changed_ms: int


@dataclass(frozen=True, slots=True)
class DrawPage:
    """A part of a list of draws."""

    draws: list[StoredDraw]
    last: dict[int, int]
    """Game type to the number of its last finished draw."""
    total: int | None
    """How many there are in all; None if they are too many to count."""


class Draws:
    """The draws of every game type."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._places = asyncio.Semaphore(PLACES)

    @asynccontextmanager
    async def publication(self) -> AsyncIterator[Tx]:
        """Open a transaction for one publication, once one of the feed's places is free."""
        async with self._places, self._db.transaction() as tx:
            yield tx

    async def known(self, tx: Tx, keys: Iterable[DrawKey]) -> dict[DrawKey, Draw]:
        """Those of these that are known."""
        wanted = list(keys)
        rows = await tx.fetch(_KNOWN, [key.game_type for key in wanted], [key.edition for key in wanted])
        return {stored.draw.key: stored.draw for stored in map(stored_draw, rows)}

    async def taken_before(self, tx: Tx, updates: Sequence[Draw]) -> dict[tuple[DrawKey, int], bytes]:
        """The digests of those versions that were taken before, by draw and version."""
        keys = [update.key for update in updates]
        rows = await tx.fetch(
            _VERSIONS, [key.game_type for key in keys], [key.edition for key in keys], [u.version for u in updates]
        )
        return {(DrawKey(row["game_type"], row["edition"]), row["version"]): row["digest"] for row in rows}

    async def put(self, tx: Tx, updates: Sequence[Draw]) -> None:
        """Write the updates, of each draw in the order of their versions, and what each version held."""
        newest = {update.key: update for update in updates}
        ended_ms = self._clock.now_ms()
        columns = zip(*(_row(draw, ended_ms) for draw in newest.values()), strict=True)
        await tx.execute(_PUT, *map(list, columns))
        keys = [update.key for update in updates]
        await tx.execute(
            _PUT_VERSIONS, [key.game_type for key in keys], [key.edition for key in keys],
            [update.version for update in updates], [digest_of(update) for update in updates],
        )  # fmt: skip

    async def forget(self, before_ms: int, most: int) -> int:
        """Delete up to so many draws that ended before this time, with their versions; return how many.

        The last finished draw of each game type stays. Publications of the game types wait for the moment that it takes.
        """
        async with self._places, self._db.transaction() as tx:
            old = await tx.fetch(_OLD, before_ms, most)
            if not old:
                return 0
            types = [row["game_type"] for row in old]
            await tx.fetch("select from game_types where game_type = any($1) order by game_type for update", types)
            await tx.execute(_FORGET_UNTIL, types, [row["starts_ms"] for row in old])
            return await tx.execute("delete from draws where draw_id = any($1)", [row["draw_id"] for row in old])

    async def put_meter(self, tx: Tx, provider_id: int, meter: JackpotMeter) -> bool:
        """Write one meter; False if it is another provider's."""
        told = (meter.jackpot_ref, provider_id, meter.name, meter.amount, meter.currency, self._clock.now_ms())
        return await tx.execute(_PUT_METER, *told) > 0

    async def page(self, game_type: int | None, *, from_ms: int, until_ms: int, offset: int, count: int) -> DrawPage:
        """Draws that start in this time, newest first."""
        rows = await self._db.fetch(_LISTED, game_type, from_ms, until_ms, offset, count)
        total = await self._db.fetchval(_TOTAL, game_type, from_ms, until_ms)
        draws = [stored_draw(row) for row in rows]
        return DrawPage(draws, await self._last(draws), None if total > MAX_TOTAL else total)

    async def one(self, draw_id: int | None = None, key: DrawKey | None = None) -> DrawPage:
        """The draw of this number, or of this type and edition: a page of one or none."""
        sql = f"select {COLUMNS} from draws where draw_id = $1 or (game_type = $2 and edition = $3)"
        game_type, edition = (None, None) if key is None else (key.game_type, key.edition)
        draws = [stored_draw(row) for row in await self._db.fetch(sql, draw_id, game_type, edition)]
        return DrawPage(draws, await self._last(draws), len(draws))

    async def _last(self, draws: Sequence[StoredDraw]) -> dict[int, int]:
        types = sorted({stored.draw.key.game_type for stored in draws})
        return {row["game_type"]: row["draw_id"] for row in await self._db.fetch(LAST_FINISHED, types)} if types else {}

    async def meters(self, currency: str | None = None) -> list[StoredMeter]:
        """Every jackpot meter, or those of one currency, by name."""
        rows = await self._db.fetch(
            "select * from jackpot_meters where $1::text is null or currency = $1 order by name, jackpot_ref", currency
        )
        return [
            StoredMeter(
                JackpotMeter(row["jackpot_ref"], row["name"], row["amount"], row["currency"]), row["changed_ms"]
            )
            for row in rows
        ]


def digest_of(draw: Draw) -> bytes:
    """Return a digest of the contents of one version."""
    told = [*_row(draw, 0)]
    return hashlib.sha256(json.dumps(told).encode()).digest()


def stored_draw(row: Row) -> StoredDraw:
    """The record of a row with COLUMNS."""
    draw = Draw(
        DrawKey(row["game_type"], row["edition"]),
        row["version"],
        DrawState(row["state"]),
        PlayState(row["play_state"]),
        row["round"],
        row["starts_ms"],
        row["betting_ends_ms"],
        row["ends_ms"],
        row["results"],
        tuple(sorted(json.loads(row["proof"]).items())),
    )
    return StoredDraw(row["draw_id"], draw)


def _row(draw: Draw, ended_ms: int) -> tuple[object, ...]:
    return (
        draw.key.game_type, draw.key.edition, draw.version, int(draw.state), int(draw.play_state), draw.round,
        draw.starts_ms, draw.betting_ends_ms, draw.ends_ms, draw.results, json.dumps(dict(draw.proof)),
        ended_ms if draw.state.ended else None,
    )  # fmt: skip
