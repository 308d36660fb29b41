"""A whole hub over real rows for tests of single parts: its clock is moved by hand, on the network is nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from croupier.apps.hub_app import hub_app
from croupier.apps.wiring import Seams, build
from croupier.core import bet_requests
from croupier.core.bet import Bet
from croupier.core.draft import Decision
from croupier.flows.advance import terms_of
from croupier.flows.hub import Hub
from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.kit.wire import WireAnswer, WireRequest
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.stage import settings_for
from croupier.store.db import Db
from croupier.store.parties.sessions import Sessions
from tests.core.samples import new_bet
from tests.store.cast import SEALER, Cast, HandClock, make_cast

HUB = "http://hub.test"


@dataclass
class Desk:
    """The hub, a casino, a provider and a player with an open session, and a way to call the hub."""

    hub: Hub
    cast: Cast
    clock: HandClock
    db: Db
    line: InProcessWire

    async def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> WireAnswer:
        """What the hub's app answers."""
        given = {"Content-Type": "application/json"} if body else {}
        return await self.line.send(WireRequest(method, HUB + path, {**given, **headers}, body, max_bytes=1_000_000))

    async def bet(self, bet_id: int = 1001) -> Bet:
        """A bet whose stake is in flight."""
        cast = self.cast
        born = new_bet(
            bet_id=bet_id, bet_ref=f"b-{bet_id}", casino_id=cast.casino.casino_id, session_id=cast.session.session_id,
            provider_id=cast.provider.provider_id, player_id=cast.player.player_id, game_id=cast.game.game_id,
            player_ref=cast.player.player_ref,
        )  # fmt: skip
        decision: Decision[Bet] = bet_requests.open_bet(born, await terms_of(self.hub, born))
        assert await self.hub.group_commit.commit(decision)
        return decision.after

    async def again(self, bet: Bet) -> Bet:
        """The bet as it is stored now."""
        found = await self.hub.store.bets.by_id(bet.bet_id)
        assert found is not None
        return found

    async def open_incidents(self) -> set[str]:
        return {incident.name for incident in await self.hub.store.incidents.open_ones()}


async def make_desk(db: Db) -> Desk:
    """The desk over an empty database. The hub carries no calls: it decides, and answers."""
    clock: Any = HandClock()
    cast = await make_cast(db)
    cast.session = replace(cast.session, session_id="s-2", demo=False)
    await Sessions(db).open(cast.session)
    line = InProcessWire(SystemClock())
    settings = settings_for()
    hub = build(settings, Seams(clock, SeededChance(1), InProcessWire(SystemClock()), SEALER, db), "")
    line.mount(HUB, hub_app(hub, settings))
    return Desk(hub, cast, clock, db, line)
