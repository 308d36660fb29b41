"""PostgreSQL's notifications: short texts from one process to all, on sessions of their own.

Owns: LISTEN and NOTIFY, and the bound of one payload. Never: what a text means, and never a session of the payment path: a
NOTIFY takes a lock of the whole database at its commit, so it stands in no transaction of ours. Nothing is stored: a
process that does not listen misses the text. Contract: feed.md 3.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from croupier.store.db import Db
from croupier.store.errors import DbDown, in_our_words
from croupier.store.pool import Pool

MAX_PAYLOAD: Final = 7_999
"""Largest text in bytes: PostgreSQL refuses 8000 and more."""
SESSIONS: Final = 2
"""Sessions: one listens, one sends."""
_SEND: Final = "select pg_notify($1, payload) from unnest($2::text[]) payload"
SEND_S: Final = 2.0
PROBE_S: Final = 10.0
"""Silence after which a listening session is checked."""


class Notifications:
    """Texts under one name, which all processes of the database share. Every method may raise DbDown."""

    def __init__(self, db: Db, name: str) -> None:
        self._pool: Pool = db.own_pool(SESSIONS)
        self._name = name

    async def send(self, texts: Sequence[str]) -> None:
        """Send texts of at most MAX_PAYLOAD bytes each, in one transaction and in this order."""
        connection = await self._take()
        sound = False
        try:
            await connection.execute(_SEND, self._name, list(texts), timeout=SEND_S)
            sound = True
        except Exception as error:
            raise _ours(error) from error
        finally:
            self._pool.give_back(connection, sound=sound)

    async def listen(self, heard: Callable[[str], None], listening: Callable[[], None]) -> None:
        """Call `heard` with every text that is sent from now on, until the session is lost: then raises DbDown.

        `listening` is called once the session receives every text.
        """
        connection = await self._take()
        lost = asyncio.Event()
        news = asyncio.Event()

        def told(*call: Any) -> None:  # noqa: ANN401 - connection, backend, name, text; the driver has no types
            news.set()
            heard(call[-1])

        def ended(_connection: Any) -> None:  # noqa: ANN401 - see above
            lost.set()
            news.set()

        try:
            connection.add_termination_listener(ended)
            await connection.add_listener(self._name, told)
            listening()
            while not lost.is_set():
                await _until_quiet(connection, news)
        except Exception as error:
            raise _ours(error) from error
        finally:
            self._pool.give_back(connection, sound=False)
        raise DbDown("the session that listens was lost")

    async def close(self) -> None:
        """End both sessions."""
        await self._pool.close()

    async def _take(self) -> Any:  # noqa: ANN401 - the driver has no types
        try:
            return await self._pool.take(SEND_S)
        except Exception as error:
            raise _ours(error) from error


async def _until_quiet(connection: Any, news: asyncio.Event) -> None:  # noqa: ANN401 - the driver has no types
    """Return with the next text. A session that is silent for a while must answer a query."""
    try:
        async with asyncio.timeout(PROBE_S):
            await news.wait()
    except TimeoutError:
        await connection.fetchval("select 1", timeout=SEND_S)
    news.clear()


def _ours(error: Exception) -> Exception:
    return in_our_words(error) or error
