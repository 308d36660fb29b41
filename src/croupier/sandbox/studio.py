"""The sandbox studio: a provider of invented games with its connection to the hub.

Owns: the wiring, and the names a test or the demo uses. Never: behaviour of its own. A studio may start without
credentials, because the hub needs its address before it issues them.
"""

from __future__ import annotations

from starlette.applications import Starlette

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.wire import Wire
from croupier.sandbox import studio_app
from croupier.sandbox.draws.control import DrawControl
from croupier.sandbox.draws.draw_studio import DrawStudio
from croupier.sandbox.journal import Journal
from croupier.sandbox.studio_calls import ReceivedAnswer, StudioCalls
from croupier.sandbox.studio_control import StudioControl
from croupier.sandbox.studio_games import GAMES, CatalogueGame, LaunchedSession
from croupier.sandbox.studio_rounds import Rounds


class SandboxStudio:
    """A provider that plays by the contract. `calls` makes single calls, `rounds` plays like a live provider,
    `draws` runs draw games by schedule once it is started.
    """

    def __init__(
        self,
        *,
        wire: Wire,
        clock: Clock,
        chance: Chance,
        hub_url: str,
        counterparty_id: str = "",
        secret: str = "",
    ) -> None:
        self.journal = Journal(clock)
        self.calls = StudioCalls(wire=wire, clock=clock, chance=chance, journal=self.journal, hub_url=hub_url)
        self.rounds = Rounds(calls=self.calls, clock=clock, chance=chance)
        self.draws = DrawStudio(calls=self.calls, clock=clock, chance=chance, journal=self.journal)
        self.games: list[CatalogueGame] = [dict(game) for game in GAMES]
        self.sessions: dict[str, LaunchedSession] = {}
        self.set_credentials(counterparty_id, secret)
        self.app: Starlette = studio_app.build(
            self, clock=clock, chance=chance, control=[*StudioControl(self).routes(), *DrawControl(self).routes()]
        )

    def set_credentials(self, counterparty_id: str, secret: str) -> None:
        """Use the credentials that `croupier provider add` printed."""
        self.calls.counterparty_id = counterparty_id
        self.calls.secret = secret
        self.draws.begin_if_planned(has_credentials=bool(secret))

    async def balance(self, session: str) -> ReceivedAnswer:
        """Query the player's balance. Raises PeerError if the hub does not answer, as all of these do."""
        return await self.calls.balance(session)

    async def pay_in(self, session: str, bet: str, round_id: str, *, amount: str) -> ReceivedAnswer:
        """Take a stake. Amounts are decimal text in major units."""
        return await self.calls.pay_in(session, bet, round_id, amount=amount)

    async def pay_out(self, session: str, bet: str, round_id: str, *, win: str) -> ReceivedAnswer:
        """Settle a bet; a win of 0 is a loss."""
        return await self.calls.pay_out(session, bet, round_id, win=win)

    async def pay_in_out(self, session: str, bet: str, round_id: str, *, amount: str, win: str) -> ReceivedAnswer:
        """Take a stake and settle it in one call."""
        return await self.calls.pay_in_out(session, bet, round_id, amount=amount, win=win)

    async def refund(self, session: str, bet: str) -> ReceivedAnswer:
        """Undo a bet."""
        return await self.calls.refund(session, bet)
