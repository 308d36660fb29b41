"""Snapshots over Redis pub/sub, for a hub that has a Redis between its hosts.

Owns: the connection and its bounds of time. The library comes with the extra `croupier[redis]` and is loaded only here.
Never: keeps anything in Redis.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from croupier.feed.carried import NotCarried, from_bytes, to_bytes
from croupier.feed.channel import NAME, Heard, LineDown
from croupier.feed.snapshot import Snapshot
from croupier.kit.log import get

log = get("feed")

ANSWER_S: Final = 2.0
PROBE_S: Final = 10.0
"""A connection that heard nothing for so long is asked whether it stands."""


class RedisMissing(Exception):
    """The library is not installed."""


class RedisLine:
    """One channel of one Redis server."""

    name = "redis"

    def __init__(self, url: str) -> None:
        """Raises RedisMissing, and ValueError for a URL that the library cannot read."""
        try:
            library: Any = importlib.import_module("redis.asyncio")
        except ImportError as problem:
            raise RedisMissing(
                "CROUPIER_FEED_CHANNEL=redis needs the extra: pip install 'croupier[redis]'"
            ) from problem
        self._errors: tuple[type[Exception], ...] = (importlib.import_module("redis").RedisError, OSError, TimeoutError)
        self._redis: Any = library.Redis.from_url(
            url, socket_connect_timeout=ANSWER_S, socket_timeout=ANSWER_S, socket_keepalive=True
        )

    async def send(self, snapshots: Sequence[Snapshot]) -> None:
        """In one round trip."""
        try:
            async with self._redis.pipeline(transaction=False) as several:
                for snapshot in snapshots:
                    several.publish(NAME, to_bytes(snapshot))
                await several.execute()
        except self._errors as problem:
            raise LineDown(_words(problem)) from problem

    async def hear(self, heard: Heard, listening: Callable[[], None]) -> None:
        """Until the connection is lost."""
        async with self._redis.pubsub() as listener:
            try:
                await listener.subscribe(NAME)
                await self._hand_over(listener, heard, listening)
            except self._errors as problem:
                raise LineDown(_words(problem)) from problem

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()

    async def _hand_over(self, listener: Any, heard: Heard, listening: Callable[[], None]) -> None:  # noqa: ANN401 - loaded late
        quiet = False
        while True:
            message = await listener.get_message(timeout=ANSWER_S if quiet else PROBE_S)
            if message is None:
                if quiet:
                    raise LineDown("no answer to a ping")
                await listener.ping()
                quiet = True
                continue
            quiet = False
            if message["type"] == "subscribe":
                listening()
            elif message["type"] == "message":
                _take(message["data"], heard)


def _take(data: bytes, heard: Heard) -> None:
    try:
        snapshot = from_bytes(data)
    except NotCarried as problem:
        log.warning("feed.unreadable_snapshot", channel=RedisLine.name, problem=str(problem))
        return
    heard(snapshot)


def _words(problem: Exception) -> str:
    return str(problem) or type(problem).__name__
