"""`/_sandbox/draws…`: how a demo or a test in another process starts the draws, bets on them and looks at them.

Owns: these JSON calls, which are ours and no part of the contract. Never: reachable on anything but loopback (serve).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from croupier.kit import strictjson
from croupier.kit.strictjson import Record
from croupier.sandbox.draws.draw_studio import DrawStudio, bet_shown
from croupier.sandbox.draws.table import BetRejected
from croupier.sandbox.studio_control import acts
from croupier.sandbox.studio_games import LaunchedSession

MOST_PACE = 100
MOST_TYPE = 2**31 - 1


class Studio(Protocol):
    """The part of a studio that these controls need."""

    draws: DrawStudio
    sessions: dict[str, LaunchedSession]


class DrawControl:
    """The dials and windows of the draws of one studio."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def routes(self) -> list[Route]:
        """For the studio's app."""
        return [
            Route("/_sandbox/draws", self.show, methods=["GET"]),
            Route("/_sandbox/draws/start", acts(self.start), methods=["POST"]),
            Route("/_sandbox/draws/stop", acts(self.stop), methods=["POST"]),
            Route("/_sandbox/draws/bet", acts(_or_why(self.bet)), methods=["POST"]),
            Route("/_sandbox/draws/leave", acts(_or_why(self.leave)), methods=["POST"]),
            Route("/_sandbox/draws/cancel", acts(_or_why(self.cancel)), methods=["POST"]),
        ]

    async def show(self, _request: Request) -> Response:
        """Every game with the draw that runs and the ones that ended."""
        return JSONResponse({"games": self._studio.draws.shown()})

    async def start(self, asked: Record) -> object:
        """`{"folder"?, "pace"?}`: run the draws. Without a folder they are forgotten at the end of the process."""
        folder = strictjson.optional_text(asked, "folder", 4096)
        pace = strictjson.integer(asked, "pace", low=1, high=MOST_PACE) if asked.get("pace") is not None else 1
        self._studio.draws.start(None if folder is None else Path(folder), pace=pace)
        return {"gameTypes": sorted(self._studio.draws.tables)}

    async def stop(self, _asked: Record) -> object:
        """`{}`: stop the draws where they are. With a folder, the next start goes on from there, at a pace of its own."""
        await self._studio.draws.close()
        return {"gameTypes": []}

    async def bet(self, asked: Record) -> object:
        """`{"session", "choice", "stake"}`: a bet on the draw that runs. Answers the bet, and the hub's code or null."""
        launched = self._studio.sessions.get(strictjson.text(asked, "session"))
        if launched is None:
            raise BetRejected("there is no such session")
        table = self._studio.draws.table_of(launched)
        choice, stake = strictjson.text(asked, "choice"), strictjson.amount_text(asked, "stake")
        bet, answer = await table.place(launched, choice, stake)
        return {**bet_shown(bet), "code": None if answer is None else answer.code}

    async def leave(self, asked: Record) -> object:
        """`{"gameType", "bet"}`: leave a crash game now."""
        table = self._studio.draws.table(strictjson.integer(asked, "gameType", low=0, high=MOST_TYPE))
        return bet_shown(table.leave(strictjson.text(asked, "bet")))

    async def cancel(self, asked: Record) -> object:
        """`{"gameType"}`: cancel the draw that runs; every stake is refunded."""
        draw = self._studio.draws.table(strictjson.integer(asked, "gameType", low=0, high=MOST_TYPE)).cancel()
        return {"gameType": draw.game_type, "gameEdition": draw.edition}


def _or_why(act: Callable[[Record], Awaitable[object]]) -> Callable[[Record], Awaitable[object]]:
    """Answer a refusal of the studio like any other result: `{"refused": why}`."""

    async def acted(asked: Record) -> object:
        try:
            return await act(asked)
        except BetRejected as problem:
            return {"refused": str(problem)}

    return acted
