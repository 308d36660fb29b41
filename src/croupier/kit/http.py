"""The real network behind `kit.wire`: one aiohttp client that a hostile peer cannot lead anywhere or hold up.

Owns: connections, limits, and the check of every address at the moment of connecting to it. Never: a redirect, a
cookie, a proxy from the environment, decompression, a second try of a POST. What an answer means is the caller's.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace

import aiohttp
from yarl import URL

from croupier.kit.addresses import address_problem, check_url
from croupier.kit.wire import PeerError, PeerForbidden, WireAnswer, WireRequest

__all__ = ["HttpWire", "check_url"]

# Common servers close an idle connection after 5 s. Letting go first keeps a POST off a connection that is dying.
_KEEP_S = 4.0
_CONNECTIONS = 1024
_DEFAULT_HEADERS = {"User-Agent": "croupier", "Accept-Encoding": "identity"}


@dataclass(slots=True)
class _Progress:
    """How far one call got. Follows it into aiohttp's own tasks by context."""

    connected: bool = False
    forbidden: str | None = None


_progress: ContextVar[_Progress] = ContextVar("progress")
_check_url = lru_cache(maxsize=1024)(check_url)


class HttpWire:
    """Sends requests over kept connections. Private addresses are refused unless `allow_private`.

    Belongs to the event loop of its first call. `close` it before that loop ends.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: WireRequest) -> WireAnswer:
        """Return the answer whatever its status; raise PeerError (PeerForbidden for an address not allowed)."""
        problem = _check_url(request.url, allow_private=self._allow_private)
        if problem:
            raise PeerForbidden(f"the URL {problem}")
        progress = _Progress()
        token = _progress.set(progress)
        try:
            async with asyncio.timeout(request.total_s):
                return await self._exchange(request)
        except TimeoutError:
            raise PeerError("no whole answer in time", sent=progress.connected) from None
        except (aiohttp.ClientError, OSError, ValueError) as problem_there:
            raise _peer_error(problem_there, progress) from problem_there
        finally:
            _progress.reset(token)

    async def close(self) -> None:
        """Close every connection. A later call opens a new client."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, request: WireRequest) -> WireAnswer:
        async with self._client().request(
            request.method,
            URL(request.url, encoded=True),  # the bytes of the URL are the caller's, nothing is quoted again
            data=request.body or None,
            headers=request.headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=request.connect_s),
        ) as response:
            body = await _read(response, request.max_bytes)
            return WireAnswer(response.status, _lowered(response.headers), body)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=_CONNECTIONS,
                    keepalive_timeout=_KEEP_S,
                    resolver=aiohttp.ThreadedResolver(),  # the system's own, whatever else is installed
                    socket_factory=self._checked_socket,
                ),
                headers=_DEFAULT_HEADERS,
                skip_auto_headers=("Content-Type",),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                trace_configs=[_trace()],
            )
        return self._session

    def _checked_socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        # aiohttp asks for a socket once per address that it is about to connect to, literals included. Between
        # this check and the connection there is no further look-up, so a name cannot change its answer.
        family, kind, protocol, _, place = address
        problem = None if self._allow_private else address_problem(str(place[0]))
        if problem:
            _progress.get().forbidden = f"{place[0]} {problem}"
            raise OSError(_progress.get().forbidden)
        return socket.socket(family, kind, protocol)


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    if (response.content_length or 0) > max_bytes:
        raise _too_long(response, max_bytes)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            raise _too_long(response, max_bytes)
    return bytes(body)


def _too_long(response: aiohttp.ClientResponse, max_bytes: int) -> PeerError:
    response.close()
    return PeerError(f"an answer of more than {max_bytes} bytes")


def _lowered(headers: Mapping[str, str]) -> Mapping[str, str]:
    lowered: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        lowered[key] = f"{lowered[key]}, {value}" if key in lowered else value
    return lowered


def _peer_error(problem: Exception, progress: _Progress) -> PeerError:
    if progress.forbidden and not progress.connected:
        return PeerForbidden(progress.forbidden)
    return PeerError(f"{type(problem).__name__}: {problem}"[:200], sent=progress.connected)


def _trace() -> aiohttp.TraceConfig:
    async def connected(*_: object) -> None:
        _progress.get().connected = True

    trace = aiohttp.TraceConfig(trace_config_ctx_factory=SimpleNamespace)
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace
