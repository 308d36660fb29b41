"""What the lobby shows: the games of a casino, the draws that run, and the jackpots.

Owns: the choice of games and the form that the page reads. Never: whether a bet is taken (core.session). Answers are shared between callers
for a moment, so that a full lobby costs the database no more than an empty one. Spec: webframe.md 2.4.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

from croupier.core.counterparty import Casino
from croupier.core.draws import DrawState
from croupier.flows.hub import Hub
from croupier.store.feed.draws import StoredDraw

GAMES_S: Final = 2.0
LIVE_S: Final = 1.0
AROUND_MS: Final = 3_600_000
"""Draws that start further away than this from now are not shown."""
MOST_DRAWS: Final = 60
MOST_RESULTS: Final = 20
T = TypeVar("T")


class Shared(Generic[T]):
    """The last answer to each question, for a moment."""

    def __init__(self, hub: Hub, kept_s: float) -> None:
        self._hub = hub
        self._kept_s = kept_s
        self._known: dict[object, tuple[float, T]] = {}

    async def get(self, about: object, read: Callable[[], Awaitable[T]]) -> T:
        """Return the answer, at most `kept_s` old."""
        now_s = self._hub.clock.monotonic_s()
        found = self._known.get(about)
        if found is None or now_s - found[0] >= self._kept_s:
            found = self._known[about] = (now_s, await read())
        return found[1]


class Lobby:
    """The lobby of every casino."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._games: Shared[list[dict[str, Any]]] = Shared(hub, GAMES_S)
        self._live: Shared[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = Shared(hub, LIVE_S)

    async def games(self, casino: Casino) -> list[dict[str, Any]]:
        """Return the games that the casino offers, by name."""
        return await self._games.get(casino.casino_id, lambda: self._read_games(casino))

    async def game(self, casino: Casino, game_id: int) -> dict[str, Any] | None:
        """Return one game of the casino."""
        return next((game for game in await self.games(casino) if game["id"] == game_id), None)

    async def live(self) -> dict[str, Any]:
        """Return the newest draw of every game type, with the results before it, and the jackpots."""
        draws, jackpots = await self._live.get("live", self._read_live)
        return {"nowMs": self._hub.clock.now_ms(), "draws": draws, "jackpots": jackpots}

    async def _read_games(self, casino: Casino) -> list[dict[str, Any]]:
        store = self._hub.store
        providers = {one.provider_id: one for one in await store.providers.all() if one.takes_new}
        off = await store.games.switched_off()
        shown = [
            {
                "id": game.game_id,
                "name": game.name,
                "category": game.category,
                "provider": providers[game.provider_id].name,
            }
            for game in await store.games.all()
            if game.enabled
            and game.listed
            and game.provider_id in providers
            and casino.casino_id not in off.get(game.game_id, ())
        ]
        return sorted(shown, key=lambda game: str(game["name"]).casefold())

    async def _read_live(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        now_ms, store = self._hub.clock.now_ms(), self._hub.store
        page = await store.draws.page(
            None, from_ms=now_ms - AROUND_MS, until_ms=now_ms + AROUND_MS, offset=0, count=MOST_DRAWS
        )
        jackpots = [
            {
                "id": one.meter.jackpot_ref,
                "name": one.meter.name,
                "amount": one.meter.amount,
                "currency": one.meter.currency,
            }
            for one in await store.draws.meters()
        ]
        return _newest(page.draws), jackpots


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
