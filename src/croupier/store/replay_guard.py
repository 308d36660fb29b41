"""Replay protection: the providers' request ids inside the freshness window, across all processes.

Owns: the rows of `seen_requests`. Never: the meaning of a repeat (that depends on the call: provider.md 1.2). The
table is unlogged: after a crash of the database it is empty, and the timestamp check catches a repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from croupier.kit.clock import Clock
from croupier.store.db import Db
from croupier.store.read_batcher import ReadBatcher
from croupier.store.storable import storable_text

Seen = Literal["new", "same", "other"]

# Rows of a transaction that this statement waited for are not visible here, so a second one reads their digests.
_PUT = """
insert into seen_requests (provider_id, request_id, digest, at_ms)
select k.provider_id, k.request_id, k.digest, $4
from unnest($1::bigint[], $2::text[], $3::bytea[]) k(provider_id, request_id, digest)
on conflict (provider_id, request_id) do nothing returning provider_id, request_id"""
_READ = """
select provider_id, request_id, digest from seen_requests
join unnest($1::bigint[], $2::text[]) k(provider_id, request_id) using (provider_id, request_id)"""

_Key = tuple[int, str]


@dataclass(eq=False, slots=True)
class _Claim:
    """One request's claim, equal to itself alone: of two that say the same, only one is new."""

    key: _Key
    digest: bytes


class ReplayGuard:
    """The request ids that were seen, with the digests of their contents."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._batcher: ReadBatcher[_Claim, Seen] = ReadBatcher(self._claim)

    async def claim(self, provider_id: int, request_id: str, digest: bytes) -> Seen:
        """Return whether this request id is new, was seen with the same digest, or with another one.

        Of all concurrent claims of a new id, in any process, exactly one gets "new".
        """
        if not storable_text(request_id):
            raise ValueError("a request id that cannot be stored is not let in here")
        answer = await self._batcher.one(_Claim((provider_id, request_id), digest))
        assert answer is not None
        return answer

    async def purge(self, before_ms: int) -> int:
        """Delete the ids seen before that instant (milliseconds since the epoch); return how many."""
        return await self._db.execute("delete from seen_requests where at_ms < $1", before_ms)

    async def _claim(self, claims: Sequence[_Claim]) -> dict[_Claim, Seen]:
        first: dict[_Key, _Claim] = {}
        for claim in claims:
            first.setdefault(claim.key, claim)
        won = await self._put(list(first.values()))
        stored = {key: first[key].digest for key in won}
        stored.update(await self._digests([key for key in first if key not in won]))
        return {c: _answer(c, stored.get(c.key), is_new=c.key in won and c is first[c.key]) for c in claims}

    async def _put(self, claims: Sequence[_Claim]) -> set[_Key]:
        # Every process inserts in the same order, or two with the same ids would deadlock.
        ordered = sorted(claims, key=attrgetter("key"))
        rows = await self._db.batch_fetch(
            _PUT,
            [c.key[0] for c in ordered],
            [c.key[1] for c in ordered],
            [c.digest for c in ordered],
            self._clock.now_ms(),
        )
        return {(row["provider_id"], row["request_id"]) for row in rows}

    async def _digests(self, keys: Sequence[_Key]) -> dict[_Key, bytes]:
        if not keys:
            return {}
        rows = await self._db.batch_fetch(_READ, [k[0] for k in keys], [k[1] for k in keys])
        return {(row["provider_id"], row["request_id"]): row["digest"] for row in rows}


def _answer(claim: _Claim, stored: bytes | None, *, is_new: bool) -> Seen:
    if is_new:
        return "new"
    # It was purged between the two statements: it was seen, and its digest is unknown.
    return "same" if stored is not None and stored == claim.digest else "other"
