"""The only access to PostgreSQL's driver: statements, transactions, and the time limit of each.

Owns: which pool a statement goes to, its limit, the mark that a transaction is open. Never: SQL of its own but a look at
the clock and at itself. SQL never calls `now()`: time travels as a parameter (money.md 3.10).

There are three pools: one for general use, a few *pinned* connections for group commits and batched reads, whose plans
are pinned to indexes (decision 0004), and one session that only checks that the database answers. Statements are
prepared once per connection and stay prepared. A statement that exceeds its limit is abandoned together with its
connection, and its outcome is unknown (decision 0036).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import asyncpg

from croupier.kit.clock import Clock
from croupier.store.array_literal import Scalar, array_literal
from croupier.store.errors import (
    DbConflict,
    DbDown,
    DbError,
    DbLocked,
    DbUnfit,
    DbViolation,
    in_our_words,
    spoils,
)
from croupier.store.pool import READ_ONLY, Pool, check_together

__all__ = [
    "Db",
    "DbConflict",
    "DbDown",
    "DbError",
    "DbLocked",
    "DbSession",
    "DbUnfit",
    "DbViolation",
    "Limits",
    "Row",
    "Tx",
    "assert_no_tx",
    "patience",
    "tx_is_open",
]

Row: TypeAlias = Mapping[str, Any]
"""One row of a result, read by column name."""

QUICK_MS = 100
FOR_EVER = 2**62
ALIVE_S = 1.0
"""Time limit of the check that the database answers."""
ROLL_BACK_S = 1.0
SPARE_PINNED = 4
"""Pinned connections beyond the configured number: a group commit that waits for a lock takes none from the others."""

SETTINGS: Final = {
    "timezone": "UTC",
    "jit": "off",
    # A worker that is paused in a transaction must not hold its locks.
    "idle_in_transaction_session_timeout": "30s",
}
PINNED_SETTINGS: Final = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}
FORCED: Final = {
    # These hold whatever the defaults of an external database are. `default_transaction_read_only` is not among them: it is how an
    # operator fences a database off, and a session that finds it on is given up (pool).
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
    "idle_session_timeout": "0",
    # The server notices a hub that is gone and releases its locks.
    "client_connection_check_interval": "1s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "8000",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits, in seconds."""

    statement_s: float = 60.0
    """A statement outside `patience`."""
    pinned_s: float = 10.0
    """A statement of the payment path: a group commit or a batched read."""
    lock_s: float = 0.25
    """Lock timeout of a pinned connection. Every other connection waits six times as long."""
    longest_s: float = 3600.0
    """Limit after which the server itself ends a statement, even if the hub is gone."""

    def general(self) -> dict[str, str]:
        """Return the server settings of a general session."""
        return {"statement_timeout": _ms(self.longest_s), "lock_timeout": _ms(6 * self.lock_s)}

    def pinned(self) -> dict[str, str]:
        """Return the server settings of a pinned connection."""
        return {"statement_timeout": _ms(self.pinned_s), "lock_timeout": _ms(self.lock_s)}


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


_patience_s: ContextVar[float | None] = ContextVar("how long a statement may take", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Allow each statement in this block so many seconds: reports, audits, migrations. Pinned connections ignore it."""
    mark = _patience_s.set(seconds)
    try:
        yield
    finally:
        _patience_s.reset(mark)


_open: ContextVar[bool] = ContextVar("transaction open", default=False)


def assert_no_tx() -> None:
    """Raise AssertionError if a transaction is open in this task. Called before every wait for the network."""
    if _open.get():
        raise AssertionError("a transaction is open: the network is never awaited in one")


@contextmanager
def tx_is_open() -> Iterator[None]:
    """Mark that a transaction is open in this task; there may be no other."""
    assert_no_tx()
    mark = _open.set(True)
    try:
        yield
    finally:
        _open.reset(mark)


class _DbCall:
    """One call in flight: it is counted, and the driver's errors become those of `store.errors`."""

    __slots__ = ("_db", "_one")

    def __init__(self, db: Db, one: Tx | None = None) -> None:
        self._db = db
        self._one = one

    def __enter__(self) -> None:
        self._db.outstanding += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.outstanding -= 1
        if error is None or self._misused(error):
            return
        if self._one is not None and spoils(error):
            self._one.sound = False
        ours = in_our_words(error)
        if ours is not None and ours is not error:
            raise ours from error

    def _misused(self, error: BaseException) -> bool:
        """Return whether the error is a misuse of the driver (wrong arguments, two statements at once) on a live connection."""
        if self._one is None or not isinstance(error, asyncpg.InterfaceError):
            return False
        try:
            return not self._one.connection.is_closed()
        except asyncpg.InterfaceError:
            return False


class Tx:
    """An open transaction. Its statements run one after the other, each within `limit_s`."""

    __slots__ = ("_connection", "_db", "_limit_s", "sound")

    def __init__(self, db: Db, connection: Any, limit_s: float) -> None:  # noqa: ANN401 - the driver has no types
        self._db = db
        self._connection = connection
        self._limit_s = limit_s
        self.sound = True
        """False from the moment that the connection is in doubt."""

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """Return all rows."""
        with self._call():
            rows: list[Row] = await self._connection.fetch(sql, *args, timeout=self._limit_s)
            return rows

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        """Return the first row, or None."""
        with self._call():
            row: Row | None = await self._connection.fetchrow(sql, *args, timeout=self._limit_s)
            return row

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column is
        """Return the first column of the first row, or None."""
        with self._call():
            return await self._connection.fetchval(sql, *args, timeout=self._limit_s)

    async def execute(self, sql: str, *args: object) -> int:
        """Run it and return how many rows it changed. Without arguments it may be several statements."""
        count = (await self._status(sql, *args)).rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def begin(self, *, snapshot: bool) -> None:
        """Open the transaction."""
        await self._status("begin isolation level repeatable read read only" if snapshot else "begin")

    async def commit(self) -> None:
        """Commit it. Raises DbConflict if it had failed before: it was rolled back."""
        if await self._status("commit") != "COMMIT":
            raise DbConflict("the transaction had failed and was rolled back")

    async def roll_back(self) -> None:
        """Roll back. A lost connection was rolled back by the server, and a connection in doubt is cut off."""
        if not self.sound or self._connection.is_closed():
            return
        self.sound = False
        with _quiet():
            await self._connection.execute("rollback", timeout=ROLL_BACK_S)
            self.sound = True

    async def _status(self, sql: str, *args: object) -> str:
        with self._call():
            return str(await self._connection.execute(sql, *args, timeout=self._limit_s))

    def _call(self) -> _DbCall:
        return _DbCall(self._db, self)

    @property
    def connection(self) -> Any:  # noqa: ANN401 - the driver has no types
        """Return the driver's connection."""
        return self._connection


class DbSession:
    """One connection outside a transaction. Its statements run one after the other."""

    __slots__ = ("_one",)

    def __init__(self, one: Tx) -> None:
        self._one = one

    @property
    def sound(self) -> bool:
        """Return whether the connection still answers."""
        return self._one.sound and not self._one.connection.is_closed()

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """Run one statement outside a transaction and return its rows."""
        return await self._one.fetch(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column is
        """Return the first column of the first row, or None."""
        return await self._one.fetchval(sql, *args)

    async def execute(self, sql: str) -> None:
        """Run statements without arguments. PostgreSQL runs several of them as one transaction."""
        await self._one.execute(sql)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction on this connection: committed when the block ends, rolled back when it raises."""
        async with _transaction(self._one, snapshot=False) as tx:
            yield tx

    async def close(self) -> None:
        """End the connection. One that is in doubt is left to the pool, which cuts it off."""
        if self.sound:
            with _quiet():
                await self._one.connection.close(timeout=ROLL_BACK_S)


@asynccontextmanager
async def _transaction(one: Tx, *, snapshot: bool) -> AsyncIterator[Tx]:
    with tx_is_open():
        await one.begin(snapshot=snapshot)
        try:
            yield one
        except BaseException:
            await one.roll_back()
            raise
        await one.commit()


@contextmanager
def _quiet() -> Iterator[None]:
    """Ignore the driver's errors about a connection that is abandoned anyway."""
    try:
        yield
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        return


class Db:
    """The database of this process. Of the errors of `store.errors`, every method may raise DbDown, DbConflict or DbViolation."""

    def __init__(self, pool: Pool, *, pinned: Pool, probe: Pool, limits: Limits) -> None:
        self._pool = pool
        self._pinned = pinned
        self._probe = probe
        self._limits = limits
        self._asked_alive: asyncio.Task[None] | None = None
        self.outstanding = 0
        """Calls in flight right now. The simulator moves its clock only while this is 0."""

    @classmethod
    async def connect(
        cls, where: str | Mapping[str, Any], *, size: int = 10, pinned: int = 2, limits: Limits | None = None
    ) -> Self:
        """Connect to a URL, or to the driver's arguments, with at most `size` connections and `pinned` pinned ones.

        Raises DbDown, and DbUnfit for a database that no connection could use.
        """
        address = {"dsn": where} if isinstance(where, str) else dict(where)
        limits = limits or Limits()
        general = Pool(address, size, {**SETTINGS, **FORCED, **limits.general()})
        pinned_pool = Pool(
            address, pinned, {**SETTINGS, **FORCED, **PINNED_SETTINGS, **limits.pinned()}, spare=SPARE_PINNED
        )
        probe = Pool(address, 1, {**SETTINGS, **FORCED, **limits.pinned()})
        db = cls(general, pinned=pinned_pool, probe=probe, limits=limits)
        try:
            await check_together([general, pinned_pool])
        except DbUnfit:
            await db.close()
            raise
        except (DbDown, OverflowError, ValueError) as error:
            await db.close()
            raise DbDown(f"cannot connect to the database: {error}") from error
        return db

    def own_pool(self, size: int) -> Pool:
        """Return a separate pool, for work that must not delay the payment path. The caller closes it."""
        return self._pool.like(size)

    async def close(self) -> None:
        """Disconnect."""
        for pool in (self._probe, self._pinned, self._pool):
            await pool.close()

    async def alive(self) -> None:
        """Return within a second if the database answers and takes writes; raises DbError if not.

        It uses a session of its own, so that it waits behind no other statement. Concurrent callers share one query.
        """
        if self._asked_alive is None or self._asked_alive.done():
            self._asked_alive = asyncio.get_running_loop().create_task(self._ask_alive())
        await asyncio.shield(self._asked_alive)

    async def _ask_alive(self) -> None:
        try:
            async with asyncio.timeout(ALIVE_S), self._connection(self._probe, ALIVE_S) as one:
                read_only = await one.fetchval("select current_setting('transaction_read_only') = 'on'")
                one.sound = not read_only
        except TimeoutError as late:
            raise DbDown(f"no answer within {ALIVE_S:g} s") from late
        if read_only:
            raise DbUnfit(READ_ONLY)

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """Return all rows of one statement, which is committed when this returns."""
        async with self._connection() as one:
            return await one.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        """Return the first row of one statement, or None."""
        async with self._connection() as one:
            return await one.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column is
        """Return the first column of the first row of one statement, or None."""
        async with self._connection() as one:
            return await one.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        """Run one statement and return how many rows it changed."""
        async with self._connection() as one:
            return await one.execute(sql, *args)

    async def batch_fetch(self, sql: str, *args: object) -> list[Row]:
        """Return all rows of one set-based statement, run on a connection whose plans are pinned to indexes."""
        async with self._connection(self._pinned, self._limits.pinned_s) as one:
            return await one.fetch(sql, *args)

    async def commit_group(self, sql: str, *columns: Sequence[Scalar]) -> list[Row]:
        """Run the group commit's statement on a pinned connection: the only place through which money is written.

        Each parameter is a column of rows, read by the statement as `$1::text::bigint[]` or another array.
        """
        return await self.batch_fetch(sql, *map(array_literal, columns))

    @asynccontextmanager
    async def transaction(self, *, snapshot: bool = False) -> AsyncIterator[Tx]:
        """Open a transaction: committed when the block ends, rolled back when it raises.

        With `snapshot` it only reads, and sees one moment throughout. DbDown at the end of the block leaves open
        whether it was committed: read again by key before anything else.
        """
        async with self._connection() as one, _transaction(one, snapshot=snapshot) as tx:
            yield tx

    @asynccontextmanager
    async def session(self) -> AsyncIterator[DbSession]:
        """Lend one connection for advisory locks and for statements that cannot run in a transaction.

        It is closed at the end of the block, so its locks and its settings end there, however the block ends.
        """
        async with self._connection() as one:
            session = DbSession(one)
            try:
                yield session
            finally:
                await session.close()

    async def clock_offset_ms(self, clock: Clock) -> int | None:
        """Return the milliseconds by which the database's clock is ahead of `clock`, from the quickest of three queries.

        None if even that query was too slow to tell: a machine under load must not move its clock by its own delays.
        """
        best = (FOR_EVER, 0)
        for _ in range(3):
            asked = clock.now_ms()
            theirs = await self.fetchval("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
            answered = clock.now_ms()
            best = min(best, (answered - asked, theirs - (asked + answered) // 2))
        return best[1] if best[0] <= QUICK_MS else None

    @asynccontextmanager
    async def _connection(self, pool: Pool | None = None, limit_s: float | None = None) -> AsyncIterator[Tx]:
        """Borrow a connection."""
        pool = pool or self._pool
        limit_s = limit_s or _patience_s.get() or self._limits.statement_s
        began_s = asyncio.get_running_loop().time()
        with _DbCall(self):
            one = Tx(self, await pool.take(limit_s), limit_s)
        try:
            yield one
        finally:
            pool.give_back(one.connection, sound=one.sound)
            if not one.sound:
                for doubted in (self._pool, self._pinned, self._probe):
                    doubted.doubt(began_s)
