"""The sandbox casino: its wallet, its endpoint, its connection to the hub and its app.

Owns: the wiring, and the names a test or the demo uses. Never: behaviour of its own. A casino may start without
credentials, because the hub needs its address before it issues them.
"""

from __future__ import annotations

from starlette.applications import Starlette

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.wire import Wire
from croupier.sandbox import casino_app
from croupier.sandbox.behaviour import BehaviourRule, Dial, parse
from croupier.sandbox.casino_endpoint import CasinoEndpoint
from croupier.sandbox.hub_connection import HubConnection
from croupier.sandbox.journal import Journal
from croupier.sandbox.wallet import Wallet

OPENING = "1000"
"""Opening balance of a new player, in major units."""


class SandboxCasino:
    """A casino with demo money. It is honest unless its dial sets another behaviour."""

    def __init__(
        self,
        *,
        wire: Wire,
        clock: Clock,
        chance: Chance,
        hub_url: str,
        client_id: int | None = None,
        secret: str | None = None,
        currency: str = "EUR",
    ) -> None:
        self.journal = Journal(clock)
        self.wallet = Wallet(currency, OPENING)
        self.hub = HubConnection(wire=wire, clock=clock, journal=self.journal, hub_url=hub_url)
        self.hub.set_credentials(client_id, secret)
        self.endpoint = CasinoEndpoint(
            wallet=self.wallet, hub=self.hub, journal=self.journal, clock=clock, chance=chance
        )
        self.app: Starlette = casino_app.build(self.endpoint, clock)

    @property
    def dial(self) -> Dial:
        """Return the dial with the active behaviours."""
        return self.endpoint.dial

    def behave(
        self,
        words: str,
        *,
        player: str | None = None,
        path: str | None = None,
        kind: int | None = None,
        times: int | None = None,
    ) -> None:
        """Set a behaviour: `casino.behave("late:3", player="anna", times=1)`. Raises UnknownBehaviour."""
        self.dial.turn(BehaviourRule(parse(words), player=player, path=path, kind=kind, remaining=times))

    def set_credentials(self, client_id: int, secret: str) -> None:
        """Use the credentials that `croupier casino add` printed."""
        self.hub.set_credentials(client_id, secret)

    async def close(self) -> None:
        """Cancel every accept that is being sent or scheduled."""
        await self.endpoint.close()
