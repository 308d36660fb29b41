"""The one door to PostgreSQL's driver: connections, statements, transactions, and what can go wrong with them.

Owns: the pools, the closed list of errors, the mark that a transaction is open. Never: SQL of its own but a look at
the clock. SQL never calls `now()`: time travels as a parameter (house.md, "seams for the simulator").

Two pools: one for everything, and a few *lines* for the commit train and the reads that travel with it, whose plans
are pinned to indexes (performance.md, rule 1). Statements are prepared once per connection and stay prepared.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import asyncpg

from croupier.kit.clock import Clock

Row: TypeAlias = Mapping[str, Any]
"""One row of an answer, read by column name."""

ACQUIRE_S = 5.0
"""Past this a request for a connection gives up: whoever waits has a deadline of its own."""
STATEMENT_S = 60.0
CONNECT_S = 10.0
QUICK_MS = 100
FOR_EVER = 2**62
STATEMENTS = 500
"""How many prepared statements a connection keeps: all there are (trains have one for each set of parts)."""

SETTINGS: Final = {
    "application_name": "croupier",
    "timezone": "UTC",
    "jit": "off",
    # A worker that is paused in a transaction must not hold its locks.
    "idle_in_transaction_session_timeout": "30s",
}
LINE_SETTINGS: Final = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}

_open: ContextVar[bool] = ContextVar("transaction open", default=False)


class DbError(Exception):
    """What the database may answer instead of rows. Exactly the three below; anything else is a bug."""


class DbDown(DbError):
    """The database cannot be reached or the connection was lost: it is not known whether the statement took effect."""


class DbConflict(DbError):
    """Another transaction was in the way (serialization, deadlock, lock): nothing was written, try the whole again."""


class DbViolation(DbError):
    """The database refused: an invariant would not have held. `constraint` is its name, or empty for a trigger."""

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


def assert_no_tx() -> None:
    """Called by whoever is about to wait for the network: no transaction may be open in this task."""
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


class _Line(asyncpg.Connection):  # type: ignore[misc] # the driver has no types
    """A connection that is not reset when it goes back to its pool: nothing here changes a session's settings."""

    def get_reset_query(self) -> str:
        return ""


class _Call:
    """One call in flight: counted, and its errors put into our words."""

    __slots__ = ("_connection", "_db")

    def __init__(self, db: Db, connection: Any = None) -> None:  # noqa: ANN401 - the driver has no types
        self._db = db
        self._connection = connection

    def __enter__(self) -> None:
        self._db.outstanding += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.outstanding -= 1
        if error is not None:
            ours = None if self._misused(error) else in_our_words(error)
            if ours is not None:
                raise ours from error

    def _misused(self, error: BaseException) -> bool:
        """Whether the driver complains about us (wrong arguments, two statements at once): the connection lives."""
        if self._connection is None or not isinstance(error, asyncpg.InterfaceError):
            return False
        try:
            return not self._connection.is_closed()
        except asyncpg.InterfaceError:
            return False


class Tx:
    """An open transaction. Its statements run one after the other."""

    __slots__ = ("_connection", "_db")

    def __init__(self, db: Db, connection: Any) -> None:  # noqa: ANN401 - the driver has no types
        self._db = db
        self._connection = connection

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """All rows."""
        with _Call(self._db, self._connection):
            rows: list[Row] = await self._connection.fetch(sql, *args)
            return rows

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        """The first row, or None."""
        with _Call(self._db, self._connection):
            row: Row | None = await self._connection.fetchrow(sql, *args)
            return row

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column is
        """The first column of the first row, or None."""
        with _Call(self._db, self._connection):
            return await self._connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        """Run it and return how many rows it changed. Without arguments it may be several statements."""
        with _Call(self._db, self._connection):
            status: str = await self._connection.execute(sql, *args)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0


class Db:
    """The database of this process. Every method may raise DbDown, DbConflict or DbViolation and no other of its own."""

    def __init__(self, pool: asyncpg.Pool, lines: asyncpg.Pool) -> None:
        self._pool = pool
        self._lines = lines
        self.outstanding = 0
        """Calls in flight right now. The simulator moves its clock only while this is 0."""

    @classmethod
    async def connect(cls, where: str | Mapping[str, Any], *, size: int = 10, lines: int = 2) -> Self:
        """Connect to a URL, or to the driver's arguments, with at most `size` connections and `lines` pinned ones."""
        address = {"dsn": where} if isinstance(where, str) else dict(where)
        try:
            pool = await _make_pool(address, size, SETTINGS)
            return cls(pool, await _make_pool(address, lines, {**SETTINGS, **LINE_SETTINGS}))
        except (OSError, OverflowError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise DbDown(f"cannot connect to the database: {error}") from error

    async def close(self) -> None:
        """Wait for what is in flight and disconnect."""
        await self._lines.close()
        await self._pool.close()

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """All rows of one statement, committed when this returns."""
        async with self._connection() as one:
            return await one.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        """The first row of one statement, or None."""
        async with self._connection() as one:
            return await one.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column is
        """The first column of the first row of one statement, or None."""
        async with self._connection() as one:
            return await one.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        """Run one statement and return how many rows it changed."""
        async with self._connection() as one:
            return await one.execute(sql, *args)

    async def train_fetch(self, sql: str, *args: object) -> list[Row]:
        """All rows of one set-based statement on a line whose plans are pinned to indexes."""
        async with self._connection(self._lines) as one:
            return await one.fetch(sql, *args)

    async def commit_train(self, sql: str, *args: object) -> list[Row]:
        """The commit train's statement, on a line: the one place through which money is written."""
        return await self.train_fetch(sql, *args)

    @asynccontextmanager
    async def transaction(self, *, snapshot: bool = False) -> AsyncIterator[Tx]:
        """Open a transaction: committed when the block ends, rolled back when it raises.

        With `snapshot` it only reads, and sees one moment throughout. DbDown at the end of the block leaves open
        whether it was committed: read again by key before anything else.
        """
        async with self._connection() as one:
            with tx_is_open():
                begun = one._connection.transaction(  # noqa: SLF001 - same file
                    isolation="repeatable_read" if snapshot else None, readonly=snapshot
                )
                with _Call(self, one._connection):  # noqa: SLF001 - same file
                    await begun.start()
                try:
                    yield one
                except BaseException:
                    await _roll_back(begun)
                    raise
                with _Call(self, one._connection):  # noqa: SLF001 - same file
                    await begun.commit()

    async def clock_offset_ms(self, clock: Clock) -> int | None:
        """Milliseconds by which the database's clock is ahead of `clock`, from the quickest of three questions.

        None if even that took too long to tell: a machine under load must not move its clock by its own delays.
        """
        best = (FOR_EVER, 0)
        for _ in range(3):
            asked = clock.now_ms()
            theirs = await self.fetchval("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
            answered = clock.now_ms()
            best = min(best, (answered - asked, theirs - (asked + answered) // 2))
        return best[1] if best[0] <= QUICK_MS else None

    @asynccontextmanager
    async def _connection(self, pool: asyncpg.Pool | None = None) -> AsyncIterator[Tx]:
        """Borrow a connection."""
        pool = pool or self._pool
        with _Call(self):
            connection = await pool.acquire(timeout=ACQUIRE_S)
        try:
            yield Tx(self, connection)
        finally:
            with _Call(self):
                await pool.release(connection)


async def _make_pool(address: Mapping[str, Any], size: int, session: Mapping[str, str]) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        **address,
        min_size=1,
        max_size=size,
        # Connections and their prepared statements stay for as long as they work.
        max_queries=FOR_EVER,
        max_inactive_connection_lifetime=0,
        max_cached_statement_lifetime=0,
        statement_cache_size=STATEMENTS,
        connection_class=_Line,
        server_settings=dict(session),
        command_timeout=STATEMENT_S,
        timeout=CONNECT_S,
    )


async def _roll_back(begun: Any) -> None:  # noqa: ANN401 - the driver's transaction, which exports no type
    """Undo it. A lost connection has done so by itself."""
    try:
        await begun.rollback()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return


_DOWN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What the driver says of a statement on a connection whose end PostgreSQL has announced and that still stands.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.StatementCompletionUnknownError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_CONFLICT = (asyncpg.TransactionRollbackError, asyncpg.LockNotAvailableError)


def in_our_words(error: BaseException) -> DbError | None:
    """Our name for a driver's error, or None for one that is a bug (or no error of the database at all)."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError | asyncpg.RaiseError):
        return DbViolation(str(error), error.constraint_name or "")
    if isinstance(error, _DOWN):
        return DbDown(str(error) or type(error).__name__)
    if isinstance(error, _CONFLICT):
        return DbConflict(str(error))
    return None
