"""The ports of the flows: one gateway type per kind of counterparty, and the types of dispatcher and poller.

Owns: the types. The `client` modules of the protocol folders implement the gateways. A gateway of casinos never raises
for the behaviour of a casino; a gateway of providers raises PeerError.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from croupier.core.commands import Catalogue, LaunchOrder, Order
from croupier.core.counterparty import Casino, Provider
from croupier.core.draft import Decision
from croupier.core.readings import (
    Acknowledgement,
    AuthReading,
    BalanceReading,
    CloseReading,
    InfoReading,
    Received,
    Unknown,
)
from croupier.store.money.calls import Taken
from croupier.store.oversight.notifications import NotificationTarget


class CasinoGateway(Protocol):
    """Calls on a casino; each method makes one network call with a deadline.

    `before_ms`: the call is sent before that instant, or not at all; then it raises kit.wire.TooLate.
    """

    async def make(self, casino: Casino, order: Order, *, before_ms: int | None = None) -> Acknowledgement:
        """Order one payment of a bet."""
        ...

    async def make_list(
        self, casino: Casino, orders: Sequence[Order], *, before_ms: int | None = None
    ) -> Received | Unknown:
        """Order several payments in one call. Unknown says nothing about any of them."""
        ...

    async def make_cashback(self, casino: Casino, order: Order, *, before_ms: int | None = None) -> Acknowledgement:
        """Order a cashback payment or its cancel."""
        ...

    async def info(self, casino: Casino, bet_id: int, *, before_ms: int | None = None) -> InfoReading:
        """Query which payments of a bet the casino knows."""
        ...

    async def close(
        self,
        casino: Casino,
        bet_id: int,
        closed: bool,  # noqa: FBT001 - the wire's word
        *,
        before_ms: int | None = None,
    ) -> CloseReading:
        """Close a bet, or reopen it."""
        ...

    async def auth(self, casino: Casino, refresh_token: str, tag_id: int | None) -> AuthReading:
        """Authenticate the player behind a token."""
        ...

    async def balance(self, casino: Casino, player_ref: str) -> BalanceReading:
        """Query the player's balance."""
        ...


class ProviderGateway(Protocol):
    """Calls on a provider. Raises PeerError if there is no answer, an unreadable one, or a refusal."""

    async def catalogue(self, provider: Provider, secret: str) -> Catalogue:
        """Return the provider's games, and the entries that could not be read."""
        ...

    async def launch(self, provider: Provider, secret: str, order: LaunchOrder) -> str:
        """Open a game and return the URL of its frame."""
        ...


class NotDelivered(Exception):
    """A notification was not taken, or nobody knows whether it was. It is sent again with the same id."""


class Notifier(Protocol):
    """One way in which notifications travel."""

    async def deliver(self, target: NotificationTarget, secret: str | None, message_id: str, *, body: str) -> None:
        """Deliver one message once, within ten seconds. Raises NotDelivered."""
        ...


class DispatcherPort(Protocol):
    """The dispatcher of one process (flows.dispatcher)."""

    tasks: set[asyncio.Task[None]]
    """The tasks of calls in flight."""

    def committed(self, decision: Decision[Any]) -> None:
        """Send the calls that a commit of this process leased to it."""
        ...

    def perform(self, taken: Taken) -> asyncio.Task[None]:
        """Perform a call that was leased to this process."""
        ...

    async def finish(self, within_s: float) -> None:
        """Let calls in flight end within this time."""
        ...

    def die(self) -> None:
        """Simulate the end of the process: makes that wait to leave never do."""
        ...


class PollerPort(Protocol):
    """The poller of one process (flows.poller)."""

    def committed(self, decision: Decision[Any]) -> None:
        """Note the due times of the calls that a commit of this process planned."""
        ...

    def planned(self, ready_ms: int) -> None:
        """Note that a call becomes due at this instant."""
        ...

    async def stop(self, within_s: float) -> None:
        """Stop taking up calls, and let a poll in progress end within this time."""
        ...

    async def run(self) -> None:
        """Poll in a loop; never returns."""
        ...


class Unauthorized(Exception):
    """No bearer, or not a good one. `why` and `client`, whom it claimed to be, are for our log and never for the peer."""

    def __init__(self, why: str, client: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.client = client


@dataclass(frozen=True, slots=True)
class Admitted:
    """The casino whose access token was shown, and the Unix second at which the token ends."""

    casino: Casino
    expires_s: int


class Tokens(Protocol):
    """Access tokens of one scope: what the casinos' protocol offers to whoever else serves casinos (the feed)."""

    token_s: int
    """Seconds that a token is valid."""

    async def issue(self, casino_id: int, secret: str, address: str) -> str:
        """An access token for the casino with this secret, asked for from this address; raises Unauthorized."""
        ...

    async def admit(self, token: str, address: str | None = None) -> Admitted:
        """The casino behind a token; raises Unauthorized. Again after `expires_s` it is refused.

        `address` is the caller's, where only the casino's servers may call.
        """
        ...
