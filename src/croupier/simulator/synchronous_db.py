"""A database for virtual time: nothing else runs while it answers.

A statement is sent and its answer read at once, inside the caller's turn: no task, no timer, no pool, and so one order
of answers, always. One connection of each sort, to a server that need not survive a crash: what was committed need not
reach the disk before it is answered.

Owns: driving the driver by hand. Never: SQL. For the simulator; a hub has `db.Db`. Spec: money.md 5.
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import asyncpg

from croupier.store.db import PINNED_SETTINGS, SETTINGS, Db, DbDown, Tx, tx_is_open
from croupier.store.errors import in_our_words
from croupier.store.pool import CONNECT_S, STATEMENTS

_QUICK: Final = {"synchronous_commit": "off"}
ANSWER_MS = 60_000


class _Wire:
    """One connection that is used synchronously."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - the driver has no types
        self.connection = connection
        self._transport = connection._transport  # noqa: SLF001 - the driver offers no way to wait by hand
        self._poll = select.poll()
        self._poll.register(self._transport.get_extra_info("socket"), select.POLLIN)

    def now(self, question: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever the driver answers
        """Wait for the result of the statement. Raises the driver's errors."""
        try:
            waiter = question.send(None)
            while True:
                while not waiter.done():
                    self._hear()
                waiter = question.send(None)
        except StopIteration as answer:
            return answer.value

    def _hear(self) -> None:
        """Read the next data from the server, and send data that did not fit into one write."""
        if self._transport.get_write_buffer_size():
            self._transport._write_ready()  # noqa: SLF001 - see above
        if self._poll.poll(1 if self._transport.get_write_buffer_size() else ANSWER_MS):
            self._transport._read_ready()  # noqa: SLF001 - see above
        elif not self._transport.get_write_buffer_size():
            raise DbDown("the database does not answer")


class _SynchronousTx(Tx):
    """A transaction in which every statement is answered at once."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    async def fetch(self, sql: str, *args: object) -> list[Mapping[str, Any]]:
        """Return all rows."""
        return list(self._ask(self._wire.connection.fetch(sql, *args)))

    async def fetchrow(self, sql: str, *args: object) -> Mapping[str, Any] | None:
        """Return the first row, or None."""
        row: Mapping[str, Any] | None = self._ask(self._wire.connection.fetchrow(sql, *args))
        return row

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column is
        """Return the first column of the first row, or None."""
        return self._ask(self._wire.connection.fetchval(sql, *args))

    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement and return the number of changed rows. Without arguments it may be several statements."""
        count = str(self._ask(self._wire.connection.execute(sql, *args))).rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def _ask(self, question: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever the driver answers
        try:
            return self._wire.now(question)
        except Exception as error:
            ours = in_our_words(error)
            if ours is None:
                raise
            raise ours from error


class SynchronousDb(Db):
    """A replacement of `Db` for one task at a time."""

    def __init__(self, general: _Wire, pinned: _Wire) -> None:
        self._general = _SynchronousTx(general)
        self._pinned_tx = _SynchronousTx(pinned)
        self._wires = (general, pinned)
        self.outstanding = 0

    @classmethod
    async def connect(cls, where: str | Mapping[str, Any], **_: object) -> Self:
        """Connect to a URL, or with the driver's arguments."""
        address = {"dsn": where} if isinstance(where, str) else dict(where)
        return cls(await _open(address, SETTINGS), await _open(address, {**SETTINGS, **PINNED_SETTINGS}))

    def backends(self) -> list[int]:
        """Return the process ids of the server's sides of the connections."""
        return [wire.connection.get_server_pid() for wire in self._wires]

    async def close(self) -> None:
        """Disconnect."""
        for wire in self._wires:
            await wire.connection.close()

    async def fetch(self, sql: str, *args: object) -> list[Mapping[str, Any]]:
        """Return all rows of one statement, committed when this returns."""
        return await self._general.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Mapping[str, Any] | None:
        """Return the first row of one statement, or None."""
        return await self._general.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column is
        """Return the first column of the first row of one statement, or None."""
        return await self._general.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        """Run one statement and return the number of changed rows."""
        return await self._general.execute(sql, *args)

    async def batch_fetch(self, sql: str, *args: object) -> list[Mapping[str, Any]]:
        """Return all rows of one set-based statement, on the connection whose plans are pinned to indexes."""
        return await self._pinned_tx.fetch(sql, *args)

    @asynccontextmanager
    async def transaction(self, *, snapshot: bool = False) -> AsyncIterator[Tx]:
        """Open a transaction. Its statements never wait, so no other task runs between them."""
        wire = self._wires[0]
        begun = wire.connection.transaction(isolation="repeatable_read" if snapshot else None, readonly=snapshot)
        with tx_is_open():
            wire.now(begun.start())
            try:
                yield self._general
            except BaseException:
                wire.now(begun.rollback())
                raise
            wire.now(begun.commit())


async def _open(address: Mapping[str, Any], session: Mapping[str, str]) -> _Wire:
    return _Wire(
        await asyncpg.connect(
            **address,
            server_settings={**session, **_QUICK},
            statement_cache_size=STATEMENTS,
            max_cached_statement_lifetime=0,
            timeout=CONNECT_S,
        )
    )
