"""HTTP client for betcore_v2 casinos: each call is signed, its answer is bounded in size and time, and read once.

A call with a deadline (`before_ms`, milliseconds since the epoch) is sent before it, or raises TooLate.

Owns: the calls and their bounds. Never: retries, schedules, storage. An error answer or a missing answer is
returned as `Unknown`, never raised. Spec: casino.md 2, 2.1 and 2.6, money.md 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from croupier.casinos.betcore_v2 import codec, messages, signing
from croupier.core.commands import Order
from croupier.core.counterparty import Casino
from croupier.core.readings import (
    Acknowledgement,
    AuthReading,
    BalanceReading,
    CloseReading,
    InfoReading,
    Received,
    Unknown,
)
from croupier.kit.clock import Clock
from croupier.kit.jwt import SigningKey
from croupier.kit.tls_files import TlsFiles
from croupier.kit.tracing import with_context
from croupier.kit.wire import PeerError, TooLate, Wire, WireRequest

MAX_ANSWER_BYTES = 65536

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_T = TypeVar("_T")


class KeyRing(Protocol):
    """The signing keys, as the client needs them."""

    async def ready(self, alg: str) -> None:
        """Reload keys that other processes changed, and make sure that a key of this algorithm exists."""
        ...

    def signing_key(self, casino: Casino) -> SigningKey:
        """Return the loaded key that signs for this casino. During a rotation this is the key that the casino already has."""
        ...


class CasinoClient:
    """Outbound calls to any betcore_v2 casino. `issuer` is the hub's name in every JWT."""

    def __init__(self, wire: Wire, clock: Clock, keys: KeyRing, *, issuer: str) -> None:
        self._wire = wire
        self._clock = clock
        self._keys = keys
        self._issuer = issuer

    async def make(self, casino: Casino, order: Order, *, before_ms: int | None = None) -> Acknowledgement:
        """Send one payment of a bet (`payments/make`)."""
        return await self._make(casino, messages.PAYMENTS_MAKE, order, before_ms=before_ms)

    async def make_list(
        self, casino: Casino, orders: Sequence[Order], *, before_ms: int | None = None
    ) -> Received | Unknown:
        """Send several payments in one call. The result holds for each of them.

        Unknown says nothing about any element: each must be retried alone.
        """
        data = codec.list_data(orders)
        return await self._call(
            casino,
            (messages.PAYMENTS_MAKE_LIST, data),
            lambda status, body: codec.read_list_ack(status, body, casino),
            before_ms=before_ms,
        )

    async def info(self, casino: Casino, bet_id: int, *, before_ms: int | None = None) -> InfoReading:
        """Query every payment of the bet that the casino has (`payments/info`)."""
        data = codec.info_data(bet_id)
        return await self._call(
            casino,
            (messages.PAYMENTS_INFO, data),
            lambda status, body: codec.read_info(status, body, casino, bet_id=bet_id),
            before_ms=before_ms,
        )

    async def close(
        self,
        casino: Casino,
        bet_id: int,
        closed: bool,  # noqa: FBT001 - the port's form
        *,
        before_ms: int | None = None,
    ) -> CloseReading:
        """Close the bet to further payments at the casino, or reopen it with `closed` False."""
        data = codec.close_data(bet_id, closed=closed)
        return await self._call(
            casino,
            (messages.PAYMENTS_CLOSE, data),
            lambda status, body: codec.read_close(status, body, casino),
            before_ms=before_ms,
        )

    async def make_cashback(self, casino: Casino, order: Order, *, before_ms: int | None = None) -> Acknowledgement:
        """Send a cashback payment, or its cancellation."""
        return await self._make(casino, messages.CASHBACK_MAKE, order, before_ms=before_ms)

    async def auth(self, casino: Casino, refresh_token: str, tag_id: int | None) -> AuthReading:
        """Return the player to whom this refresh token belongs (`users/auth`)."""
        data = codec.auth_data(refresh_token, tag_id)
        return await self._call(
            casino, (messages.USERS_AUTH, data), lambda status, body: codec.read_auth(status, body, casino)
        )

    async def balance(self, casino: Casino, player_ref: str) -> BalanceReading:
        """Query the player's balance (`users/data`)."""
        data = codec.balance_data(player_ref)
        return await self._call(
            casino, (messages.USERS_DATA, data), lambda status, body: codec.read_balance(status, body, casino)
        )

    async def _make(self, casino: Casino, path: str, order: Order, *, before_ms: int | None) -> Acknowledgement:
        return await self._call(
            casino,
            (path, codec.make_data(order)),
            lambda status, body: codec.read_ack(status, body, casino, order=order),
            before_ms=before_ms,
        )

    async def _call(
        self,
        casino: Casino,
        what: tuple[str, str],
        read: Callable[[int, bytes], _T],
        *,
        before_ms: int | None = None,
    ) -> _T | Unknown:
        """Send the data and read the answer. No answer, a late one or a too large one is Unknown. Raises TooLate."""
        await self._keys.ready(casino.alg)
        try:
            answer = await self._wire.send(self._request(casino, what, before_ms))
        except TooLate:
            raise
        except PeerError as error:
            return Unknown(error.why, ours=error.ours, sent=error.sent)
        return read(answer.status, answer.body)

    def _request(self, casino: Casino, what: tuple[str, str], before_ms: int | None) -> WireRequest:
        path, data = what

        def seal() -> bytes:
            """Sign the call just before it is sent, so that time spent waiting does not shorten its validity."""
            now_ms = self._clock.now_ms()
            if before_ms is not None and now_ms >= before_ms:
                raise TooLate("its time, or the lease on it, was over before it could leave")
            key = self._keys.signing_key(casino)
            now_s = now_ms // 1000
            return signing.envelope(key, data, casino_id=casino.casino_id, issuer=self._issuer, now_s=now_s)

        return WireRequest(
            "POST",
            casino.url.rstrip("/") + path,
            with_context(_HEADERS) if casino.trace_header else _HEADERS,
            connect_s=casino.connect_s,
            total_s=casino.total_s,
            max_bytes=MAX_ANSWER_BYTES,
            peer=f"casino {casino.casino_id}",
            tls=TlsFiles(casino.client_cert, casino.client_key, casino.ca),
            seal=seal,
        )
