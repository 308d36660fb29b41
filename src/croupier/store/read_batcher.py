"""A batcher of reads: concurrent callers share one query.

Owns: the batches. A batch starts when the previous one has returned; an idle batcher queries at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

LONGEST = 200


class ReadBatcher(Generic[K, V]):
    """Answers `one(key)` for many callers by few calls of `read(keys)`."""

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._waiting: list[tuple[K, asyncio.Future[V | None]]] = []
        self._running: asyncio.Task[None] | None = None

    async def one(self, key: K) -> V | None:
        """Return the value of `key`, or None if the read did not find it. Raises the read's errors."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V | None] = loop.create_future()
        self._waiting.append((key, future))
        if self._running is None:
            self._running = loop.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            await asyncio.sleep(0)  # noqa: TID251 - yields, waits for nothing
            while self._waiting:
                batch = self._waiting[:LONGEST]
                del self._waiting[:LONGEST]
                await self._ask(batch)
        finally:
            self._running = None

    async def _ask(self, batch: list[tuple[K, asyncio.Future[V | None]]]) -> None:
        try:
            found = await self._read(list(dict.fromkeys([key for key, _ in batch])))
        except Exception as error:  # noqa: BLE001 - every caller gets it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for key, future in batch:
            if not future.done():
                future.set_result(found.get(key))
