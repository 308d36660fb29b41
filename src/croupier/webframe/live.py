"""What is live: the newest draw of each game type, with the results before it, and the jackpots.

Owns: the form that the page reads. Never: a player. The answer is shared between callers for a second, so that a full lobby costs the
database no more than an empty one. Spec: webframe.md 2.4.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from croupier.core.draws import DrawState, JackpotMeter
from croupier.core.jackpot import Pot
from croupier.core.money import format_amount
from croupier.flows.hub import Hub
from croupier.store.feed.draws import StoredDraw

KEPT_S: Final = 1.0
AROUND_MS: Final = 3_600_000
"""Draws that start further away than this from now are not shown."""
MOST_DRAWS: Final = 60
MOST_RESULTS: Final = 20


class Live:
    """The live part of the lobby, in one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: tuple[float, list[dict[str, Any]], list[JackpotMeter], list[Pot]] | None = None

    async def now(self, casino_id: int) -> dict[str, Any]:
        """Return draws and jackpots, at most a second old, and the hub's time. A pot is shown at its casinos. Raises DbError."""
        now_s = self._hub.clock.monotonic_s()
        if self._known is None or now_s - self._known[0] >= KEPT_S:
            self._known = now_s, *(await self._read())
        _, draws, meters, pots = self._known
        own = [JackpotMeter(pot.meter_ref, pot.name, pot.amount, pot.currency) for pot in pots if pot.is_at(casino_id)]
        return {"nowMs": self._hub.clock.now_ms(), "draws": draws, "jackpots": [_meter(one) for one in meters + own]}

    async def _read(self) -> tuple[list[dict[str, Any]], list[JackpotMeter], list[Pot]]:
        now_ms, store = self._hub.clock.now_ms(), self._hub.store
        games = await store.game_types.games()
        page = await store.draws.page(
            None, from_ms=now_ms - AROUND_MS, until_ms=now_ms + AROUND_MS, offset=0, count=MOST_DRAWS
        )
        meters = [one.meter for one in await store.draws.meters()]
        return _newest(page.draws, games), meters, [one.pot for one in await store.jackpots.all()]


def _meter(meter: JackpotMeter) -> dict[str, str]:
    amount = format_amount(meter.amount, meter.currency)
    return {"id": meter.jackpot_ref, "name": meter.name, "amount": amount, "currency": meter.currency}


def _newest(draws: list[StoredDraw], games: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return of each game type the draw that runs or comes next, else the last one."""
    types = sorted({stored.draw.key.game_type for stored in draws})
    return [
        {**_shown([s for s in draws if s.draw.key.game_type == game_type]), "gameId": games.get(game_type)}
        for game_type in types
    ]


def _shown(of_type: list[StoredDraw]) -> dict[str, Any]:
    """`of_type` is newest first."""
    running = [stored.draw for stored in of_type if not stored.draw.state.ended]
    draw = running[-1] if running else of_type[0].draw
    finished = [s.draw for s in of_type if s.draw.state is DrawState.FINISHED and s.draw.results is not None]
    results = json.loads(finished[0].results or "[]")[:MOST_RESULTS] if finished else []
    return {
        "type": draw.key.game_type,
        "edition": draw.key.edition,
        "state": int(draw.state),
        "playState": int(draw.play_state),
        "startsMs": draw.starts_ms,
        "bettingEndsMs": draw.betting_ends_ms,
        "last": results,
    }
