"""What is live: the newest draw of each game type, with the results before it, and the jackpots.

Owns: the form that the page reads. Never: a player. The answer is shared between callers for a second, so that a full lobby costs the
database no more than an empty one. Spec: webframe.md 2.4.
"""

from __future__ import annotations

import json
from typing import Any, Final

from croupier.core.draws import DrawState
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
        self._known: tuple[float, dict[str, Any]] | None = None

    async def now(self) -> dict[str, Any]:
        """Return draws and jackpots, at most a second old, and the hub's time. Raises DbError."""
        now_s = self._hub.clock.monotonic_s()
        if self._known is None or now_s - self._known[0] >= KEPT_S:
            self._known = now_s, await self._read()
        return {"nowMs": self._hub.clock.now_ms(), **self._known[1]}

    async def _read(self) -> dict[str, Any]:
        now_ms, draws = self._hub.clock.now_ms(), self._hub.store.draws
        page = await draws.page(
            None, from_ms=now_ms - AROUND_MS, until_ms=now_ms + AROUND_MS, offset=0, count=MOST_DRAWS
        )
        jackpots = [
            {
                "id": one.meter.jackpot_ref,
                "name": one.meter.name,
                "amount": one.meter.amount,
                "currency": one.meter.currency,
            }
            for one in await draws.meters()
        ]
        return {"draws": _newest(page.draws), "jackpots": jackpots}


def _newest(draws: list[StoredDraw]) -> list[dict[str, Any]]:
    """Return of each game type the draw that runs or comes next, else the last one."""
    types = sorted({stored.draw.key.game_type for stored in draws})
    return [_shown([s for s in draws if s.draw.key.game_type == game_type]) for game_type in types]


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
