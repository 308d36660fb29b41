"""What the hub asks of a betcore_v2 casino over the network: one signed call, one bounded answer, one meaning.

Calls that are bound to a time (`before_ms`, milliseconds since the epoch) leave before it or not at all: TooLate.

Owns: the calls and their bounds. Never: retries, schedules, storage; and it never raises for what a casino
answers or fails to answer, which is `Unknown`. Spec: casino.md 2, 2.1 and 2.6, money.md 2.2.
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
from croupier.kit.wire import PeerError, TooLate, Wire, WireRequest

MAX_ANSWER_BYTES = 65536

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_T = TypeVar("_T")


class KeyRing(Protocol):
    """Who knows the keys."""

    async def ready(self, alg: str) -> None:
        """Know what other processes changed up to a moment ago, and have a key of this algorithm."""
        ...

    def signing_key(self, casino: Casino) -> SigningKey:
        """The loaded key that signs for this casino: of its algorithm, and during a rotation the one it knows."""
        ...


class CasinoClient:
    """Outbound calls to any casino that speaks betcore_v2. `issuer` is the hub's name in every JWT."""

    def __init__(self, wire: Wire, clock: Clock, keys: KeyRing, *, issuer: str) -> None:
        self._wire = wire
        self._clock = clock
        self._keys = keys
        self._issuer = issuer

    async def make(self, casino: Casino, order: Order, *, before_ms: int | None = None) -> Acknowledgement:
        """Ask for one payment of a bet."""
        return await self._make(casino, messages.PAYMENTS_MAKE, order, before_ms=before_ms)

    async def make_list(
        self, casino: Casino, orders: Sequence[Order], *, before_ms: int | None = None
    ) -> Received | Unknown:
        """Ask for several payments in one call; the meaning holds for each of them.

        Unknown says nothing about any element, whatever the casino wrote: each is to be sent again alone.
        """
        data = codec.list_data(orders)
        return await self._call(
            casino,
            (messages.PAYMENTS_MAKE_LIST, data),
            lambda status, body: codec.read_list_ack(status, body, casino),
            before_ms=before_ms,
        )

    async def info(self, casino: Casino, bet_id: int, *, before_ms: int | None = None) -> InfoReading:
        """Ask for every payment the casino knows of the bet."""
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
        """Say that no more payments come for the bet, or with `closed` False that more do."""
        data = codec.close_data(bet_id, closed=closed)
        return await self._call(
            casino,
            (messages.PAYMENTS_CLOSE, data),
            lambda status, body: codec.read_close(status, body, casino),
            before_ms=before_ms,
        )

    async def make_cashback(self, casino: Casino, order: Order, *, before_ms: int | None = None) -> Acknowledgement:
        """Ask for a cashback payment, or its cancellation."""
        return await self._make(casino, messages.CASHBACK_MAKE, order, before_ms=before_ms)

    async def auth(self, casino: Casino, refresh_token: str, tag_id: int | None) -> AuthReading:
        """Ask who the player behind this token is."""
        data = codec.auth_data(refresh_token, tag_id)
        return await self._call(
            casino, (messages.USERS_AUTH, data), lambda status, body: codec.read_auth(status, body, casino)
        )

    async def balance(self, casino: Casino, player_ref: str) -> BalanceReading:
        """Ask what the player's wallet holds."""
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
        """Send the data to the path, read the answer; no answer in time and size is unknown. Raises TooLate."""
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
            """Signed anew, and dated, as the last thing before it leaves: what waited before costs it no validity."""
            now_ms = self._clock.now_ms()
            if before_ms is not None and now_ms >= before_ms:
                raise TooLate("its time, or the lease on it, was over before it could leave")
            key = self._keys.signing_key(casino)
            now_s = now_ms // 1000
            return signing.envelope(key, data, casino_id=casino.casino_id, issuer=self._issuer, now_s=now_s)

        return WireRequest(
            "POST",
            casino.url.rstrip("/") + path,
            _HEADERS,
            connect_s=casino.connect_s,
            total_s=casino.total_s,
            max_bytes=MAX_ANSWER_BYTES,
            peer=f"casino {casino.casino_id}",
            seal=seal,
        )
