"""Reads of whole bets and cashbacks: the record with its payments and next actions.

Owns: every query for one, and the bets that this process committed last, each at the version that it committed. Never: writes
them (group commit). Concurrent reads are batched as the group commit batches commits.

A committed bet in memory saves a read where the conditional update proves it current. Another process may have changed the row
since, so nothing is answered or left undone on its word alone (decision 0061).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.draft import Decision
from croupier.kit.recent_map import RecentMap
from croupier.store.db import Db
from croupier.store.money.rows import BET_QUERY, CASHBACK_QUERY, read_bet, read_cashback
from croupier.store.read_batcher import ReadBatcher

_BY_REF = BET_QUERY + " join unnest($1::bigint[], $2::text[]) k(provider_id, bet_ref) using (provider_id, bet_ref)"
_BY_ID = BET_QUERY + " join unnest($1::bigint[]) k(bet_id) using (bet_id)"
_WAITED = "select bet_id, version from bets join unnest($1::bigint[]) k(bet_id) using (bet_id)"

MOST_COMMITTED = 5_000
"""Committed bets that a process keeps: a few seconds of the highest load."""


class Bets:
    """Finds bets."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._refs: ReadBatcher[tuple[int, str], Bet] = ReadBatcher(self._read_refs)
        self._ids: ReadBatcher[int, Bet] = ReadBatcher(self._read_ids)
        self._committed: RecentMap[int, Bet] = RecentMap(MOST_COMMITTED)
        self._committed_refs: RecentMap[tuple[int, str], int] = RecentMap(MOST_COMMITTED)

    def committed(self, decision: Decision[Any]) -> None:
        """Note a decision that this process committed."""
        bet = decision.after
        if not isinstance(bet, Bet):
            return
        last = self._committed.get(bet.bet_id)
        if last is None or last.version < bet.version:
            self._committed.put(bet.bet_id, bet)
            if decision.before is None:
                self._committed_refs.put((bet.provider_id, bet.bet_ref), bet.bet_id)

    def recall(self, bet_id: int) -> Bet | None:
        """Return the bet as this process committed it last; None if it did not, or a while ago."""
        return self._committed.get(bet_id)

    def recall_ref(self, provider_id: int, bet_ref: str) -> Bet | None:
        """Return the bet of a provider's betId as `recall` does."""
        bet_id = self._committed_refs.get((provider_id, bet_ref))
        return None if bet_id is None else self._committed.get(bet_id)

    async def by_ref(self, provider_id: int, bet_ref: str) -> Bet | None:
        """Return the bet of a provider's betId."""
        return await self._refs.one((provider_id, bet_ref))

    async def by_id(self, bet_id: int) -> Bet | None:
        """Return the bet of a BetId."""
        return await self._ids.one(bet_id)

    async def versions(self, bet_ids: Sequence[int]) -> dict[int, int]:
        """Return the stored version of each bet: the poll that makes up for lost wake-ups."""
        rows = await self._db.batch_fetch(_WAITED, list(bet_ids))
        return {row["bet_id"]: row["version"] for row in rows}

    async def _read_refs(self, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Bet]:
        rows = await self._db.batch_fetch(_BY_REF, [k[0] for k in keys], [k[1] for k in keys])
        bets = [read_bet(row) for row in rows]
        return {(b.provider_id, b.bet_ref): b for b in bets}

    async def _read_ids(self, keys: Sequence[int]) -> dict[int, Bet]:
        rows = await self._db.batch_fetch(_BY_ID, list(keys))
        return {b.bet_id: b for b in map(read_bet, rows)}


class Cashbacks:
    """Finds cashbacks."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def by_id(self, cashback_id: int) -> Cashback | None:
        """Return the cashback of a CashbackId."""
        row = await self._db.fetchrow(CASHBACK_QUERY + " where b.cashback_id = $1", cashback_id)
        return None if row is None else read_cashback(row)

    async def by_ref(self, casino_id: int, ref: str) -> Cashback | None:
        """Return the cashback of a caller's reference at this casino."""
        sql = CASHBACK_QUERY + " where b.casino_id = $1 and b.ref = $2"
        row = await self._db.fetchrow(sql, casino_id, ref)
        return None if row is None else read_cashback(row)
