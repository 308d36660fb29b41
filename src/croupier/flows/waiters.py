"""Requests that wait for a bet to change, and the notifications that wake them.

A commit of this process wakes its own waiters at once. For commits of other processes one query every 50 ms fetches the
versions of all bets that are waited for. A notification may be lost or late, so a request that wakes reads the row again.
Owns: the waiting. Never: the meaning of a change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from croupier.core.draft import Decision
from croupier.kit.clock import Clock

LEAST_S = 0.0005
"""A deadline closer than this counts as reached: floats cannot represent smaller differences reliably."""

Versions = Callable[[Sequence[int]], Awaitable[dict[int, int]]]


class Waiters:
    """The waiting requests by bet, each with the version that it has read."""

    def __init__(self, clock: Clock, versions: Versions, poll_s: float) -> None:
        self._clock = clock
        self._versions = versions
        self._poll_s = poll_s
        self._waiting: dict[int, list[tuple[int, asyncio.Future[int | None]]]] = {}
        self._somebody = asyncio.Event()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def over(self, until_s: float) -> bool:
        """Return whether this instant of the monotonic clock has passed."""
        return until_s - self._clock.monotonic_s() < LEAST_S

    async def wait(self, subject_id: int, seen_version: int, until_s: float) -> int | None:
        """Return the version when the subject is newer than `seen_version`; None at `until_s` of the monotonic clock."""
        left = until_s - self._clock.monotonic_s()
        if left <= 0:
            return None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int | None] = loop.create_future()
        place = (seen_version, future)
        places = self._waiting.get(subject_id)
        if places is None:
            if not self._waiting:
                self._somebody.set()
            self._waiting[subject_id] = [place]
        else:
            places.append(place)
        # One timer of the loop costs a fifth of `asyncio.timeout`, and every bet waits here.
        deadline = loop.call_later(left, _end_wait, future)
        try:
            return await future
        finally:
            deadline.cancel()
            self._leave(subject_id, place)

    def committed(self, decision: Decision[Any]) -> None:
        """Wake the requests that wait for this subject, after a commit of this process."""
        self._wake(decision.after.subject_id, decision.after.version)

    async def poll(self) -> None:
        """Poll for commits of other processes while requests wait. Never returns."""
        while True:
            await self._somebody.wait()
            await self._clock.sleep(self._poll_s)
            await self.look()

    async def look(self) -> None:
        """Poll once."""
        if not self._waiting:
            self._somebody.clear()
            return
        for subject_id, version in (await self._versions(list(self._waiting))).items():
            self._wake(subject_id, version)

    def wake_all(self) -> None:
        """Wake all requests at shutdown: each answers now."""
        for subject_id in list(self._waiting):
            self._wake(subject_id, 2**62)

    def _wake(self, subject_id: int, version: int) -> None:
        for seen, future in self._waiting.get(subject_id, ()):
            if version > seen and not future.done():
                future.set_result(version)

    def _leave(self, subject_id: int, place: tuple[int, asyncio.Future[int | None]]) -> None:
        places = self._waiting[subject_id]
        places.remove(place)
        if not places:
            del self._waiting[subject_id]


def _end_wait(future: asyncio.Future[int | None]) -> None:
    if not future.done():
        future.set_result(None)
