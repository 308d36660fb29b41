"""A pool of database sessions with a size limit and some spare ones. Each is checked when new, and ended when in doubt.

Owns: making, lending and ending sessions. Never: a statement of its own except the check of a new session, or a
wait for a session that does not answer: it is cut off and replaced.

The driver's own pool waits for a statement to be cancelled before it takes a connection back, which on a silent
network connection is for ever. Spec: money.md 4.5, decision 0036.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import asyncpg

from croupier.store.errors import DbDown, DbUnfit, in_our_words

CONNECT_S = 5.0
HELD_UP_S = 0.05
HANG_UP_S = 1.0
"""Time limit for cancelling the statement of a cut session; its backend ends with the connection at the latest."""
STATEMENTS = 500
"""Prepared statements kept per connection: enough for all (group commits have one for each set of parts)."""
ENCODING: Final = "UTF8"
LEFT: Final = "this process has left the database"
READ_ONLY: Final = "the database lets nobody write: it is a standby, or set to read-only"

# One query checks the session and applies our settings, which a pooler would refuse at its start. Settings that this
# server does not know are skipped. A stronger durability setting of the server is kept, a weaker one is raised.
_LOOK = """
select pg_backend_pid() as pid, current_setting('transaction_read_only') = 'on' as read_only,
    current_setting('server_encoding') as encoding, set_config('synchronous_commit',
    case when current_setting('synchronous_commit') = 'remote_apply' then 'remote_apply' else 'on' end, false),
    (select count(set_config(s.name, s.value, false)) from unnest($1::text[], $2::text[]) s(name, value)
        where exists (select from pg_settings p where p.name = s.name))"""

_SOCKET: Final = (
    ("SOL_SOCKET", "SO_KEEPALIVE", 1),
    ("IPPROTO_TCP", "TCP_KEEPIDLE", 5),
    ("IPPROTO_TCP", "TCP_KEEPINTVL", 2),
    ("IPPROTO_TCP", "TCP_KEEPCNT", 3),
    ("IPPROTO_TCP", "TCP_USER_TIMEOUT", 8000),
)
"""Socket options that do for our end what `tcp_user_timeout` does for the server's; a system skips unknown ones."""


class Pool:
    """At most `size` sessions with these settings, made when they are needed."""

    def __init__(self, address: Mapping[str, Any], size: int, session: Mapping[str, str], *, spare: int = 0) -> None:
        self._address = {**address, **_target(address)}
        self._session = dict(session)
        self._slots = asyncio.Semaphore(size)
        self._spare = asyncio.Semaphore(spare)
        self._has_spare = spare > 0
        self._free: list[Any] = []
        self._lent: dict[Any, asyncio.Semaphore] = {}
        self._heard_s: dict[Any, float] = {}
        self._opening: set[asyncio.Future[None]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._looked: Any = None
        self._closed = False

    def like(self, size: int) -> Pool:
        """Another pool with the same address and settings."""
        return Pool(self._address, size, self._session)

    async def take(self, within_s: float) -> Any:  # noqa: ANN401 - the driver has no types
        """Lend a session exclusively until `give_back`. Raises the driver's errors, and DbDown when it takes too long."""
        if self._closed:
            raise DbDown(LEFT)
        if self._free and not self._slots.locked():
            # The usual case waits for nothing, so it needs no timer.
            await self._slots.acquire()
            connection = self._standing()
            if connection is not None:
                self._lent[connection] = self._slots
                return connection
            self._slots.release()
        try:
            async with asyncio.timeout(within_s):
                slot = await self._slot()
                try:
                    connection = self._standing() or await self._open()
                except BaseException:
                    slot.release()
                    raise
        except TimeoutError as late:
            raise DbDown("no connection within the time for it") from late
        self._lent[connection] = slot
        return connection

    async def _slot(self) -> asyncio.Semaphore:
        """Take a slot for one session; a spare one if the others are held up."""
        slots = self._slots
        if self._has_spare and slots.locked():
            try:
                async with asyncio.timeout(HELD_UP_S):
                    await slots.acquire()
            except TimeoutError:
                await self._spare.acquire()
                slots = self._spare
            return slots
        await slots.acquire()
        return slots

    def give_back(self, connection: Any, *, sound: bool) -> None:  # noqa: ANN401 - see above
        """Return a session to the pool. One that is not `sound`, or inside a transaction, is ended. Never waits."""
        self._lent.pop(connection).release()
        if connection.is_closed():
            self._heard_s.pop(connection, None)
        elif sound and not connection.is_in_transaction() and not connection._cancellations:  # noqa: SLF001 - no other way
            self._heard_s[connection] = self._now_s()
            self._free.append(connection)
        else:
            self._end(connection)

    def doubt(self, since_s: float) -> None:
        """Doubt the idle sessions after one went silent: their connections may be dead too."""
        for connection in [c for c in self._free if self._heard_s.get(c, 0.0) < since_s]:
            self._free.remove(connection)
            self._end(connection)

    async def close(self) -> None:
        """Close all sessions, in order where that is quick."""
        self._closed = True
        for connection in [*self._free, *self._lent]:
            with suppress(Exception):
                async with asyncio.timeout(HANG_UP_S):
                    await connection.close()
            connection.terminate()
        self._free.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * HANG_UP_S):
                await self._ended()

    async def _ended(self) -> None:
        """Wait for the sessions that are being opened or ended, including those that begin meanwhile."""
        while left := [*self._opening, *self._ending]:
            await asyncio.wait(left)

    async def warm(self) -> tuple[int, str]:
        """Open one session and return its backend's pid and the database's encoding."""
        self.give_back(await self.take(CONNECT_S), sound=True)
        return self._looked["pid"], self._looked["encoding"]

    def _standing(self) -> Any:  # noqa: ANN401 - see above
        """Return the idle session that was used last and is still open, or None."""
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
            self._heard_s.pop(connection, None)
        return None

    async def _open(self) -> Any:  # noqa: ANN401 - see above
        """Connect a new session. `close` waits until this has ended. Raises DbDown if the pool was closed meanwhile."""
        opening = asyncio.get_running_loop().create_future()
        self._opening.add(opening)
        try:
            connection = await self._connect()
            if not self._closed:
                return connection
            connection.terminate()
        finally:
            self._opening.discard(opening)
            opening.set_result(None)
        raise DbDown(LEFT)

    async def _connect(self) -> Any:  # noqa: ANN401 - see above
        connection = await asyncpg.connect(
            **self._address,
            statement_cache_size=STATEMENTS,
            max_cached_statement_lifetime=0,
            server_settings={"application_name": "croupier"},
            timeout=CONNECT_S,
        )
        try:
            _keep_alive(connection)
            await self._look_at(connection)
        except BaseException:
            self._end(connection)
            raise
        return connection

    async def _look_at(self, connection: Any) -> None:  # noqa: ANN401 - see above
        names, values = list(self._session), list(self._session.values())
        self._looked = await connection.fetchrow(_LOOK, names, values, timeout=CONNECT_S)
        if self._looked["read_only"]:
            raise DbUnfit(READ_ONLY)

    def _end(self, connection: Any) -> None:  # noqa: ANN401 - see above
        """Cut a session off. A statement under way is cancelled first, if that is possible at once."""
        self._heard_s.pop(connection, None)
        if not connection._cancellations:  # noqa: SLF001 - the driver's tasks that ask the server to cancel
            connection.terminate()
            return
        task = asyncio.get_running_loop().create_task(_hang_up(connection))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


async def _hang_up(connection: Any) -> None:  # noqa: ANN401 - the driver has no types
    await asyncio.wait(set(connection._cancellations), timeout=HANG_UP_S)  # noqa: SLF001 - see _end
    connection.terminate()


def _target(address: Mapping[str, Any]) -> dict[str, str]:
    """Return the option that chooses, of several hosts, the one that accepts writes, unless the address has it."""
    dsn = str(address.get("dsn", ""))
    hosts = dsn.partition("://")[2].partition("/")[0].rpartition("@")[2]
    several = "," in hosts or "%2C" in dsn.partition("host=")[2].partition("&")[0]
    return {"target_session_attrs": "read-write"} if several and "target_session_attrs" not in dsn else {}


def _keep_alive(connection: Any) -> None:  # noqa: ANN401 - the driver has no types
    """Set TCP keep-alive, so that a silently lost peer is noticed in seconds whatever the system's defaults are."""
    sock = connection._transport.get_extra_info("socket")  # noqa: SLF001 - the driver offers no other way
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    for level, name, value in _SOCKET:
        if hasattr(socket, name):
            with suppress(OSError):
                sock.setsockopt(getattr(socket, level), getattr(socket, name), value)


async def check_together(pools: list[Pool]) -> None:
    """Refuse an unusable database: another encoding, or a pooler that shares sessions. Raises DbUnfit, DbDown."""
    try:
        seen = [await pool.warm() for pool in pools]
    except Exception as error:
        if isinstance(error, asyncpg.DuplicatePreparedStatementError | asyncpg.InvalidSQLStatementNameError):
            raise DbUnfit(f"{POOLED} ({error})") from error
        ours = in_our_words(error)
        raise error if ours is None else ours from error
    if seen[0][1] != ENCODING:
        raise DbUnfit(
            f"the database's encoding is {seen[0][1]}, which cannot hold every text: make one with "
            "`create database croupier encoding 'UTF8' template template0`, and name it in CROUPIER_DATABASE_URL"
        )
    if len({pid for pid, _ in seen}) < len(seen):
        raise DbUnfit(POOLED)


POOLED: Final = (
    "a pooler stands in front of the database that does not keep one session for one connection: name PostgreSQL itself "
    "in CROUPIER_DATABASE_URL, or set the pooler to pool_mode=session"
)
