"""What the flows need from the protocols above them: one gateway per casino and per provider protocol.

Owns: the port types. Implementations are the `client` modules of the protocol folders. A gateway of casinos
never raises for what a casino does; a gateway of providers raises PeerError.
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


class CasinoGateway(Protocol):
    """Calls on a casino; every method is one bounded network call.

    With `before_ms` it leaves before that instant or not at all, which raises kit.wire.TooLate.
    """

    async def make(self, casino: Casino, order: Order, *, before_ms: int | None = None) -> Acknowledgement:
        """Ask for one payment of a bet."""
        ...

    async def make_list(
        self, casino: Casino, orders: Sequence[Order], *, before_ms: int | None = None
    ) -> Received | Unknown:
        """Ask for several payments in one call; Unknown says nothing about any of them."""
        ...

    async def make_cashback(self, casino: Casino, order: Order, *, before_ms: int | None = None) -> Acknowledgement:
        """Ask for a cashback payment or its cancellation."""
        ...

    async def info(self, casino: Casino, bet_id: int, *, before_ms: int | None = None) -> InfoReading:
        """Ask what the casino knows of a bet."""
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
        """Who is the player behind this token?"""
        ...

    async def balance(self, casino: Casino, player_ref: str) -> BalanceReading:
        """What does the player have?"""
        ...


class ProviderGateway(Protocol):
    """Calls on a provider; raises PeerError for no answer, nonsense or a refusal."""

    async def catalogue(self, provider: Provider, secret: str) -> Catalogue:
        """The provider's games, with what could not be read of them."""
        ...

    async def launch(self, provider: Provider, secret: str, order: LaunchOrder) -> str:
        """Open a game; the URL of its frame."""
        ...


class DispatcherPort(Protocol):
    """Performs the calls of one process (flows.dispatcher)."""

    tasks: set[asyncio.Task[None]]
    """What is under way."""

    def committed(self, decision: Decision[Any]) -> None:
        """A commit of this process: send at once what it leased to us."""
        ...

    def perform(self, taken: Taken) -> asyncio.Task[None]:
        """Perform a call that was leased to us."""
        ...

    async def finish(self, within_s: float) -> None:
        """Let calls in flight end, at most so long."""
        ...


class PollerPort(Protocol):
    """Finds what is due (flows.sweep)."""

    def committed(self, decision: Decision[Any]) -> None:
        """A commit of this process may have planned something."""
        ...

    def planned(self, ready_ms: int) -> None:
        """Something can be taken up from this instant on."""
        ...

    async def stop(self, within_s: float) -> None:
        """Take up nothing more; what is being taken up now is, at most so long."""
        ...

    async def run(self) -> None:
        """For ever."""
        ...


class Unauthorized(Exception):
    """No bearer, or not a good one. `why` and `client`, whom it claimed to be, are for our log and never for the peer."""

    def __init__(self, why: str, client: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.client = client


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whose access token was shown, and the Unix second at which it ends."""

    casino: Casino
    expires_s: int


class Tokens(Protocol):
    """Access tokens of one scope: what the casinos' protocol offers to whoever else serves casinos (the feed)."""

    token_s: int
    """Seconds that a token is valid."""

    async def issue(self, casino_id: int, secret: str) -> str:
        """An access token for the casino with this secret; raises Unauthorized."""
        ...

    async def admit(self, token: str) -> Admitted:
        """The casino behind a token; raises Unauthorized. Again after `expires_s` it is refused."""
        ...
