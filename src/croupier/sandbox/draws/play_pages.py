"""The pages of the draw games with scripts: their files, and the JSON that they read and send.

Owns: these routes under `/play/SESSION`, which are the studio's own and no part of the contract. Never: another player's bet, or a seed before
the results. A session's name in the address is all that a caller needs, as in the frame that the hub opens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from croupier.kit import strictjson
from croupier.kit.clock import Clock
from croupier.kit.strictjson import BadField, BadJson
from croupier.kit.wire import PeerError
from croupier.sandbox.body_limit import BodyTooLong, bounded_body
from croupier.sandbox.draws.draw_studio import DrawStudio, bet_shown
from croupier.sandbox.draws.paytable import paytable
from croupier.sandbox.draws.records import DrawBet, StudioDraw
from croupier.sandbox.draws.table import BetRejected, DrawTable
from croupier.sandbox.studio_calls import StudioCalls
from croupier.sandbox.studio_games import LaunchedSession

HERE: Final = Path(__file__).parent / "page"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
MAX_BODY: Final = 4096
MOST_ENDED: Final = 10
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
Act = Callable[[LaunchedSession, DrawTable, Request], Awaitable[object]]


class PlayStudio(Protocol):
    """The parts of a studio that these pages need."""

    calls: StudioCalls
    sessions: dict[str, LaunchedSession]
    draws: DrawStudio


class PlayPages:
    """The pages of one studio."""

    def __init__(self, studio: PlayStudio, clock: Clock) -> None:
        self._studio = studio
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the routes for the studio's app."""
        return [
            Route("/play-files/{name}", self.file, methods=["GET"]),
            Route("/play/{session}/state", self._answering(self._state), methods=["GET"]),
            Route("/play/{session}/paytable", self._answering(self._paytable), methods=["GET"]),
            Route("/play/{session}/balance", self._answering(self._balance), methods=["GET"]),
            Route("/play/{session}/bets", self._answering(self._bet), methods=["POST"]),
            Route("/play/{session}/bets/leave", self._answering(self._leave), methods=["POST"]),
        ]

    async def file(self, request: Request) -> Response:
        """Answer one of the page's files."""
        name = request.path_params["name"]
        known = {path.name: path for path in HERE.iterdir() if path.suffix in _TYPES}
        if name not in known:
            return JSONResponse({"problem": "no such file"}, 404, headers=HEADERS)
        return FileResponse(known[name], headers=HEADERS, media_type=_TYPES[known[name].suffix])

    def _answering(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            launched = self._studio.sessions.get(request.path_params["session"])
            table = None if launched is None else self._studio.draws.running_table(launched)
            if launched is None or table is None:
                return JSONResponse({"problem": "no such game"}, 404, headers=HEADERS)
            try:
                return JSONResponse(await act(launched, table, request), headers=HEADERS)
            except BetRejected as problem:
                return JSONResponse({"refused": str(problem)}, headers=HEADERS)
            except (BadJson, BadField, BodyTooLong) as problem:
                return JSONResponse({"problem": str(problem)}, 400, headers=HEADERS)
            except PeerError:
                return JSONResponse({"problem": "the hub does not answer"}, 503, headers=HEADERS)

        return endpoint

    async def _state(self, launched: LaunchedSession, table: DrawTable, _request: Request) -> object:
        draw = table.draw
        return {
            "gameType": table.game.game_type,
            "name": launched.game_name,
            "currency": launched.currency,
            "language": launched.language,
            "demo": launched.demo,
            "minBet": launched.min_bet,
            "maxBet": launched.max_bet,
            "nowMs": self._clock.now_ms(),
            "pace": table.schedule.pace,
            "draw": None if draw is None else _shown(draw),
            "bets": [] if draw is None else _own(launched, table.records.bets_of(draw.edition)),
            "ended": [
                {**_shown(ended), "bets": _own(launched, [table.records.bets.get(bet.bet, bet) for bet in bets])}
                for ended, bets in list(table.ended)[:MOST_ENDED]
            ],
        }

    async def _paytable(self, _launched: LaunchedSession, table: DrawTable, _request: Request) -> object:
        return {"paytable": [{"bet": r.bet, "pays": r.pays, "percent": r.percent} for r in paytable(table.game)]}

    async def _balance(self, launched: LaunchedSession, _table: DrawTable, _request: Request) -> object:
        return {"balance": (await self._studio.calls.balance(launched.session)).balance}

    async def _bet(self, launched: LaunchedSession, table: DrawTable, request: Request) -> object:
        """`{"choice", "stake"}`: a bet on the draw that runs."""
        asked = strictjson.record(strictjson.loads(await bounded_body(request, MAX_BODY)))
        choice, stake = strictjson.text(asked, "choice", 64), strictjson.amount_text(asked, "stake")
        bet, answer = await table.place(launched, choice, stake)
        return {**bet_shown(bet), "code": None if answer is None else answer.code}

    async def _leave(self, launched: LaunchedSession, table: DrawTable, request: Request) -> object:
        """`{"bet"}`: leave a crash game now. Only a bet of this session can be left."""
        asked = strictjson.record(strictjson.loads(await bounded_body(request, MAX_BODY)))
        bet = table.records.bets.get(strictjson.text(asked, "bet"))
        if bet is None or bet.session != launched.session:
            raise BetRejected("there is no such bet of this session")
        return bet_shown(table.leave(bet.bet))


def game_page() -> Response:
    """Return the document of a draw game; its script reads everything else."""
    return FileResponse(HERE / "play.html", headers=HEADERS, media_type="text/html; charset=utf-8")


def _shown(draw: StudioDraw) -> dict[str, object]:
    return {"phase": draw.phase.value, "actionAt": draw.action_ms, **draw.announcement()}


def _own(launched: LaunchedSession, bets: list[DrawBet]) -> list[dict[str, object]]:
    return [bet_shown(bet) for bet in bets if bet.session == launched.session]
