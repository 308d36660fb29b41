"""Request ids of providers that were seen inside the freshness window, across all processes.

Owns: the rows of `seen_requests`. Never: what a repeat means (that depends on the call: provider.md 1.2). The
table is unlogged: after a crash of the database it is empty, and what is repeated then is caught by its timestamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from croupier.kit.clock import Clock
from croupier.store.db import Db
from croupier.store.read_batcher import ReadBatcher
from croupier.store.storable import storable_text

Seen = Literal["new", "same", "other"]

# Rows that a transaction we waited for has put are not visible here, so their digests are read by a second statement.
_PUT = """
insert into seen_requests (provider_id, request_id, digest, at_ms)
select k.provider_id, k.request_id, k.digest, $4
from unnest($1::bigint[], $2::text[], $3::bytea[]) k(provider_id, request_id, digest)
on conflict (provider_id, request_id) do nothing returning provider_id, request_id"""
_READ = """
select provider_id, request_id, digest from seen_requests
join unnest($1::bigint[], $2::text[]) k(provider_id, request_id) using (provider_id, request_id)"""

_Key = tuple[int, str]


class _Claim(NamedTuple):
    number: int
    """Tells apart two claims of the same in one process: only one of them is new."""
    provider_id: int
    request_id: str
    digest: bytes

    @property
    def key(self) -> _Key:
        return (self.provider_id, self.request_id)


class ReplayGuard:
    """Which request ids were seen, and with which contents."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._count = 0
        self._gather: ReadBatcher[_Claim, Seen] = ReadBatcher(self._claim)

    async def claim(self, provider_id: int, request_id: str, digest: bytes) -> Seen:
        """Whether this request id is new, was seen with the same digest, or with another one.

        Of all who claim a new id at once, in any process, exactly one is told that it is new.
        """
        if not storable_text(request_id):
            raise ValueError("a request id that cannot be stored is not let in here")
        self._count += 1
        answer = await self._gather.one(_Claim(self._count, provider_id, request_id, digest))
        assert answer is not None
        return answer

    async def purge(self, before_ms: int) -> int:
        """Forget what was seen before that instant (milliseconds since the epoch); returns how many."""
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
        # In one order everywhere, or two processes that put the same ids would wait for each other.
        ordered = sorted(claims, key=lambda c: c.key)
        rows = await self._db.batch_fetch(
            _PUT,
            [c.provider_id for c in ordered],
            [c.request_id for c in ordered],
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
    # It was purged between the two statements: it was seen, and nobody can tell with what.
    return "same" if stored is not None and stored == claim.digest else "other"
