"""Sessions that this process has read, believed only while it follows every change of the rows that they are read from.

A trigger writes a row to `session_changes` in the transaction that changes a session, a player, a game or a switch (migration 0030).
`follow` reads those rows four times a second. If it did not succeed for three quarters of a second, nothing is believed, and each
session is read. So a change by any program holds in every process in less than a second, and at once where `forget` is told of it.
Owns: the remembered sessions, the rows of `session_changes`. Never: reads a session, or judges a bet. Spec: decision 0108.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from croupier.core.session import Session
from croupier.kit.clock import monotonic_s
from croupier.store.db import Db, Row

FOLLOW_S: Final = 0.25
BELIEVED_S: Final = 0.75
"""So long after the beginning of the last look at the changes."""
KEPT_S: Final = 60.0
"""So long after it was read, whatever the changes say."""
MOST: Final = 20_000
"""Sessions remembered; the one that was read longest ago makes room."""

# A row of a transaction that has not begun yet comes from another database server, whose copy this one is.
_LOOK = """
select pg_snapshot_xmin(s)::text::bigint as oldest, c.change_id, c.session_id, c.player_id, c.game_id
from pg_current_snapshot() s
left join session_changes c on c.xid >= $1 and c.xid < pg_snapshot_xmax(s)::text::bigint"""
_PURGE = """
with gone as (delete from session_changes
    where xid < $1 or xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint returning xid)
insert into session_changes (xid) select $1 - 1 from gone limit 1"""


class Mark(NamedTuple):
    """What a read must know of its beginning, so that its result is kept only if nothing changed meanwhile."""

    asked_s: float
    forgotten: int


@dataclass(frozen=True, slots=True)
class _Kept:
    session: Session
    read_s: float


class SessionMemory:
    """The sessions that were read last. Without `follow` none is believed."""

    def __init__(self, db: Db, now_s: Callable[[], float] = monotonic_s) -> None:
        self._db = db
        self._now_s = now_s
        self._kept: dict[str, _Kept] = {}
        self._forgotten = 0
        self._looked_s = float("-inf")
        self._from_xid = 0
        """The oldest transaction that was under way at the last look."""
        self._seen: frozenset[int] = frozenset()
        """The changes that the last look found: the next one finds again what is not older than the oldest under way."""
        self._purge_xid = 0

    def at_hand(self, session_id: str) -> Session | None:
        """Return the session if it is remembered and was current less than a second ago, else None: then it must be read."""
        kept = self._kept.get(session_id)
        if kept is None:
            return None
        now_s = self._now_s()
        current = now_s - self._looked_s < BELIEVED_S and now_s - kept.read_s < KEPT_S
        return kept.session if current else None

    def mark(self) -> Mark:
        """Return the beginning of a read, for `keep`."""
        return Mark(self._now_s(), self._forgotten)

    def keep(self, read: Mapping[str, Session], begun: Mark) -> None:
        """Remember sessions that a query found, unless something was forgotten since it began: it may have been too early."""
        if begun.forgotten != self._forgotten:
            return
        for session_id, session in read.items():
            self._kept.pop(session_id, None)
            self._kept[session_id] = _Kept(session, begun.asked_s)
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]

    @contextmanager
    def changed(self, *, session_id: str | None = None, player_id: int | None = None) -> Iterator[None]:
        """Forget after the block what it changes, also if it raises: a statement without an answer may have been written."""
        try:
            yield
        finally:
            self.forget(session_id=session_id, player_id=player_id)

    def forget(
        self, *, session_id: str | None = None, player_id: int | None = None, game_id: int | None = None
    ) -> None:
        """Forget the session, those of the player and those of the game, because this process has changed the row."""
        self._drop(lambda s: s.session_id == session_id or s.player_id == player_id or s.game_id == game_id)

    def forget_all(self) -> None:
        """Forget every session."""
        self._drop(lambda _: True)

    async def follow(self) -> None:
        """Read what changed since the last look, and forget the sessions that it is about. Raises DbError."""
        began_s = self._now_s()
        rows = await self._db.fetch(_LOOK, self._from_xid)
        oldest, found = rows[0]["oldest"], {row["change_id"]: row for row in rows if row["change_id"] is not None}
        changes = [row for number, row in found.items() if number not in self._seen]
        first = self._from_xid == 0
        # A server that has not come as far as the last look lost what came after: what is remembered may be part of it.
        if first or oldest < self._from_xid or any(_names_nothing(row) for row in changes):
            self.forget_all()
        elif changes:
            named = [{row[column] for row in changes} for column in ("session_id", "player_id", "game_id")]
            self._drop(lambda s: s.session_id in named[0] or s.player_id in named[1] or s.game_id in named[2])
        self._from_xid, self._looked_s, self._seen = oldest, began_s, frozenset(found)

    async def purge(self) -> None:
        """Delete the changes that every process has seen that looked since the purge before this one. Raises DbError.

        The row that takes their place tells a process that has not that it missed something.
        """
        before, self._purge_xid = self._purge_xid, self._from_xid
        if 0 < before < self._from_xid:
            await self._db.execute(_PURGE, before)

    def _drop(self, told: Callable[[Session], bool]) -> None:
        self._forgotten += 1
        for session_id in [key for key, kept in self._kept.items() if told(kept.session)]:
            del self._kept[session_id]


def _names_nothing(change: Row) -> bool:
    return change["session_id"] is None and change["player_id"] is None and change["game_id"] is None
