"""The HTTP client behind `kit.wire`, safe against hostile peers.

Each peer has its own connections and its own name look-ups, so that a peer that hangs delays no other. A connection is
reused only if its last answer ended as announced, no bytes came since, and `REST_S` has passed: a second copy of an
answer arrives in that time. A peer that sent unsolicited bytes gets a new connection for each call, for `DISTRUST_S`.

Owns: connections, limits, and the check of every address when a connection is made. Never: a redirect, a cookie, a
proxy from the environment, decompression, a retry, the meaning of an answer.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from croupier.kit.addresses import address_problem, check_url
from croupier.kit.connection import Connection, UnsolicitedBytes
from croupier.kit.log import get
from croupier.kit.os_words import os_words
from croupier.kit.resolver import Address, Lookup
from croupier.kit.tls_files import TlsFilesWrong, TlsIdentity, load_tls
from croupier.kit.wire import PeerError, PeerForbidden, WireAnswer, WireRequest

__all__ = ["HttpWire", "check_url"]

log = get("wire")

# Common servers close an idle connection after 5 s. Closing first keeps a POST off a connection that is being closed.
KEEP_S = 4.0
REST_S = 0.25
"""Seconds before a kept connection is reused: a second copy of an answer may arrive within them."""
DISTRUST_S = 600.0
"""Seconds for which a peer that sent unsolicited bytes gets a new connection for each call."""
MOST_IDLE = 256
MOST_WORDS = 300
"""Characters of a problem: it travels to logs and incidents."""
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Errors of this machine: it cannot open one more connection."""
_PORTS = {"http": 80, "https": 443}
_HEADERS = {"User-Agent": "croupier", "Accept": "*/*", "Accept-Encoding": "identity"}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_check_url = lru_cache(maxsize=1024)(check_url)


@dataclass(slots=True)
class _Progress:
    """The progress of one call."""

    tls: TlsIdentity | None
    """None for a peer without https."""
    sent: bool = False
    forbidden: str | None = None


class HttpWire:
    """HTTP client with persistent connections. Private addresses are refused unless `allow_private`.

    It belongs to the event loop of its first call; call `close` before that loop ends.
    """

    def __init__(self, *, allow_private: bool, rest_s: float = REST_S) -> None:
        self._allow_private = allow_private
        self._rest_s = rest_s
        self._peers: dict[str, _Peer] = {}

    async def send(self, request: WireRequest) -> WireAnswer:
        """Return the answer whatever its status; raise PeerError (PeerForbidden for an address not allowed).

        A TLS file of ours that cannot be used is a PeerError with `ours`: nothing was sent.
        """
        problem = _check_url(request.url, allow_private=self._allow_private)
        if problem:
            raise PeerForbidden(f"the URL {problem}")
        target = urlsplit(request.url)
        try:
            progress = _Progress(load_tls(request.tls) if target.scheme == "https" else None)
        except TlsFilesWrong as wrong:
            raise PeerError(str(wrong), sent=False, ours=True) from wrong
        try:
            async with asyncio.timeout(request.total_s):
                return await self._exchange(request, target, progress)
        except TimeoutError:
            raise PeerError("no whole answer in time", sent=progress.sent) from None
        except (OSError, ValueError) as problem_there:
            raise _peer_error(problem_there, progress) from problem_there

    async def close(self) -> None:
        """Close every kept connection. A later call opens new ones."""
        peers, self._peers = self._peers, {}
        for peer in peers.values():
            peer.drop_all()
        await asyncio.sleep(0)  # lets the loop close the dropped connections

    async def _exchange(self, request: WireRequest, target: SplitResult, progress: _Progress) -> WireAnswer:
        origin = f"{target.scheme}://{target.netloc}".lower()
        peer = self._peers.setdefault(request.peer or origin, _Peer(request.peer or origin, self._rest_s))
        if progress.tls is not None and progress.tls.version:
            origin = f"{origin} {progress.tls.version}"
        while True:
            kept = peer.take(origin)
            connection = kept or await self._connected(request, target, peer, progress=progress)
            try:
                # No await from here to the first byte.
                whole = _request_bytes(request.leaving(), target)
                progress.sent = True
                return await connection.exchange(whole, max_bytes=request.max_bytes, bodiless=request.method == "HEAD")
            except UnsolicitedBytes:
                progress.sent = False
                if kept is None:
                    raise OSError("the peer sent bytes before the request") from None
            finally:
                peer.put(origin, connection)

    async def _connected(
        self, request: WireRequest, target: SplitResult, peer: _Peer, *, progress: _Progress
    ) -> Connection:
        """Return a new connection to the first address that accepts one; raises OSError, TimeoutError."""
        host, port = target.hostname or "", target.port or _PORTS[target.scheme]
        async with asyncio.timeout(request.connect_s):
            until_s = asyncio.get_running_loop().time() + request.connect_s
            addresses = peer.best_first(await peer.lookup.addresses(host, port))
            failed = OSError(f"the name {host} has no address; check its spelling, and this machine's DNS")
            for tried, address in enumerate(addresses):
                left_s = until_s - asyncio.get_running_loop().time()
                try:
                    async with asyncio.timeout(left_s / (len(addresses) - tried)):
                        connection = await self._open(address, target, progress)
                except OSError as error:
                    failed = error
                else:
                    peer.best = address
                    return connection
            raise failed

    async def _open(self, address: Address, target: SplitResult, progress: _Progress) -> Connection:
        sock = self._checked_socket(address, progress)
        loop, secured = asyncio.get_running_loop(), progress.tls is not None
        try:
            await loop.sock_connect(sock, address[3])
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            sock.close()
            raise
        _, connection = await loop.create_connection(  # from here on the socket is the loop's
            lambda: Connection(sock, secured=secured),
            sock=sock,
            ssl=None if progress.tls is None else progress.tls.context,
            server_hostname=(target.hostname or "").rstrip(".") if secured else None,
        )
        return connection

    def _checked_socket(self, address: Address, progress: _Progress) -> socket.socket:
        # Between this check and the connection there is no further look-up, so a name cannot change its answer.
        family, kind, protocol, place = address
        problem = None if self._allow_private else address_problem(str(place[0]))
        if problem:
            progress.forbidden = f"{place[0]} {problem}"
            raise OSError(progress.forbidden)
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)  # noqa: FBT003 - the socket's own form
        return sock


class _Peer:
    """Idle connections of one peer by origin, and its name look-ups."""

    def __init__(self, name: str, rest_s: float) -> None:
        self.lookup = Lookup()
        self.best: Address | None = None
        """The address of the last connection."""
        self._name = name
        self._rest_s = rest_s
        self._idle: dict[str, deque[Connection]] = {}
        self._distrusted_until_s = 0.0

    def take(self, origin: str) -> Connection | None:
        """Return the connection that has been idle for longest, if it may be reused; else None."""
        now, idle = asyncio.get_running_loop().time(), self._idle.get(origin, deque())
        while idle and now - idle[0].idle_since_s >= self._rest_s:
            connection = idle.popleft()
            if now - connection.idle_since_s < KEEP_S and connection.silent():
                return connection
            self._discard(connection)
        return None

    def put(self, origin: str, connection: Connection) -> None:
        """Keep a connection for a later call if it may be reused; else close it."""
        loop = asyncio.get_running_loop()
        if not connection.silent() or loop.time() < self._distrusted_until_s:
            self._discard(connection)
            return
        connection.idle_since_s = loop.time()
        idle = self._idle.setdefault(origin, deque())
        idle.append(connection)
        if len(idle) > MOST_IDLE:
            self._discard(idle.popleft())
        loop.call_later(KEEP_S, self._close_stale, origin)

    def best_first(self, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        """Return the addresses in the order of attempts: the last good one first."""
        return tuple(sorted(addresses, key=lambda address: address != self.best))

    def drop_all(self) -> None:
        """Close every idle connection."""
        for idle in self._idle.values():
            for connection in idle:
                connection.drop()
        self._idle.clear()

    def _close_stale(self, origin: str) -> None:
        """Close connections that were idle for too long, were closed by the peer, or received bytes."""
        idle, oldest_s = self._idle.get(origin, deque()), asyncio.get_running_loop().time() - KEEP_S
        while idle and (idle[0].idle_since_s <= oldest_s or not idle[0].silent()):
            self._discard(idle.popleft())
        if not idle:
            self._idle.pop(origin, None)

    def _discard(self, connection: Connection) -> None:
        connection.drop()
        if not connection.unsolicited:
            return
        now = asyncio.get_running_loop().time()
        if now >= self._distrusted_until_s:
            log.warning("wire.spoke_unasked", peer=self._name, new_connections_for_s=DISTRUST_S)
        self._distrusted_until_s = now + DISTRUST_S
        self.drop_all()


def _request_bytes(request: WireRequest, target: SplitResult) -> bytes:
    """Return the bytes of the request; raises ValueError for a header that would inject another one."""
    host = target.netloc.removesuffix(f":{_PORTS[target.scheme]}")
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    given = {name.lower() for name in request.headers}
    headers = {name: value for name, value in _HEADERS.items() if name.lower() not in given} | dict(request.headers)
    if request.body or request.method == "POST":
        headers["Content-Length"] = str(len(request.body))
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            msg = f"a header that cannot be sent: {name!r}"
            raise ValueError(msg)
    lines = [f"{request.method} {path} HTTP/1.1", f"Host: {host}", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + request.body


def _peer_error(problem: Exception, progress: _Progress) -> PeerError:
    if progress.forbidden and not progress.sent:
        return PeerForbidden(progress.forbidden)
    ours = not progress.sent and isinstance(problem, OSError) and problem.errno in _OURS
    return PeerError(_words(problem)[:MOST_WORDS], sent=progress.sent, ours=ours)


def _words(problem: Exception) -> str:
    if isinstance(problem, UnicodeError):
        return "the URL or a header holds characters that HTTP cannot send; check the address"
    return os_words(problem) if isinstance(problem, OSError) else str(problem)
