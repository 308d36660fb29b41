"""Streams of snapshots: who publishes a game type, and the number of its last snapshot.

Owns: the rows of `feed_streams`, and what a snapshot is made of. A lease and its number stand in one row, so that a
publisher that slept through its lease numbers nothing. Never: the form of a snapshot. Spec: feed.md 3.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from croupier.kit.clock import Clock
from croupier.store.db import Db
from croupier.store.feed.draws import COLUMNS, LAST_FINISHED, StoredDraw, stored_draw

LEASE_MS: Final = 3_000
"""A publisher that numbers nothing for so long is replaced."""
LIVE: Final = 20
"""So many draws that have not ended are in a snapshot, those that start last."""
ENDED: Final = 3
"""So many draws that have ended are in it, the last ones."""

_OPEN = """
insert into feed_streams (game_type) select game_type from game_types g
where provider_id is not null and not exists (select from feed_streams s where s.game_type = g.game_type)
on conflict do nothing"""
_TAKE = """
update feed_streams s set owner = $1, until_ms = $3
from game_types g where g.game_type = s.game_type and g.provider_id is not null
and (s.until_ms <= $2 or s.owner = $1 and s.game_type <> all($4::integer[]))
returning s.game_type, s.sequence"""
_NUMBER = """
update feed_streams s set sequence = n.sequence, snapshot = n.snapshot, made_ms = $5, until_ms = $6
from unnest($2::integer[], $3::bigint[], $4::text[]) n(game_type, sequence, snapshot)
where s.game_type = n.game_type and s.owner = $1 and s.sequence = n.sequence - 1
returning s.game_type"""
_GIVE_BACK = "update feed_streams set owner = null, until_ms = 0 where owner = $1"
_TYPES = "select game_type, change, maintenance from game_types where game_type = any($1::integer[]) and provider_id is not null"
_LIVE = f"""
select {COLUMNS} from unnest($1::integer[]) t(t), lateral (
    select * from draws where game_type = t.t and ended_ms is null order by starts_ms desc limit {LIVE}) d"""
_ENDED = f"""
select {COLUMNS} from unnest($1::integer[]) t(t), lateral (
    select * from draws where game_type = t.t and ended_ms is not null
    order by ended_ms desc, draw_id desc limit {ENDED}) d"""


@dataclass(slots=True)
class StreamState:
    """The contents of a snapshot of one game type."""

    change: int
    """Rises with every change."""
    maintenance: bool
    draws: list[StoredDraw] = field(default_factory=list)
    """Those that have not ended and the last that have, the latest start first."""
    last_finished: int | None = None


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """The last snapshot of a game type, with the text of its argument."""

    game_type: int
    sequence: int
    made_ms: int
    text: str


class Streams:
    """The streams of every game type, as one process sees them."""

    def __init__(self, db: Db, clock: Clock, process: str) -> None:
        self._db = db
        self._clock = clock
        self._process = process

    async def take(self, held: Iterable[int] = ()) -> dict[int, int]:
        """Become the publisher of every game type that has none; the last number of each one that was taken.

        What is this process's and not among the `held` is taken again: the process lost count of it.
        """
        await self._db.execute(_OPEN)
        now_ms = self._clock.now_ms()
        rows = await self._db.fetch(_TAKE, self._process, now_ms, now_ms + LEASE_MS, list(held))
        return {row["game_type"]: row["sequence"] for row in rows}

    async def changes(self, game_types: Sequence[int]) -> dict[int, int]:
        """Return the change counter of each of these. Those that nobody publishes any more are left out."""
        return {row["game_type"]: row["change"] for row in await self._db.fetch(_TYPES, list(game_types))}

    async def state(self, game_types: Iterable[int]) -> dict[int, StreamState]:
        """Return the current contents of the snapshots of these. `change` is read first, so that it never hides a later one."""
        wanted = list(game_types)
        rows = await self._db.fetch(_TYPES, wanted)
        states = {row["game_type"]: StreamState(row["change"], row["maintenance"]) for row in rows}
        found = [*await self._db.fetch(_LIVE, wanted), *await self._db.fetch(_ENDED, wanted)]
        for row in sorted(found, key=lambda row: (row["starts_ms"], row["draw_id"]), reverse=True):
            # A draw that ended between the two statements was read twice; the second reading is newer.
            state = states.get(row["game_type"])
            if state is not None:
                state.draws = [kept for kept in state.draws if kept.draw_id != row["draw_id"]] + [stored_draw(row)]
        for row in await self._db.fetch(LAST_FINISHED, wanted):
            if row["game_type"] in states:
                states[row["game_type"]].last_finished = row["draw_id"]
        return states

    async def number(self, snapshots: Mapping[int, tuple[int, str]], made_ms: int) -> set[int]:
        """Store these (number and text by game type) and keep their leases; those that this process may publish."""
        types = sorted(snapshots)
        numbers, texts = [snapshots[t][0] for t in types], [snapshots[t][1] for t in types]
        until_ms = self._clock.now_ms() + LEASE_MS
        rows = await self._db.fetch(_NUMBER, self._process, types, numbers, texts, made_ms, until_ms)
        return {row["game_type"] for row in rows}

    async def give_back(self) -> None:
        """Let others publish at once what this process published."""
        await self._db.execute(_GIVE_BACK, self._process)

    async def latest(self) -> list[StoredSnapshot]:
        """The last snapshot of every game type that has one."""
        rows = await self._db.fetch(
            "select game_type, sequence, made_ms, snapshot from feed_streams where snapshot is not null order by 1"
        )
        return [StoredSnapshot(row["game_type"], row["sequence"], row["made_ms"], row["snapshot"]) for row in rows]
