"""The sandbox studio as an ASGI app: the hub's two calls under any base path, and the players' page.

Owns: HTTP requests and responses. Never: calls to the hub (studio_calls) or the course of a round (studio_rounds).
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from croupier.kit import strictjson
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.wire import PeerError
from croupier.sandbox.body_limit import BodyTooLong, bounded_body
from croupier.sandbox.draws.draw_page import bet_from_page, draw_page, leave_from_page
from croupier.sandbox.draws.draw_studio import DrawStudio, is_draw_game
from croupier.sandbox.draws.play_pages import PlayPages, game_page
from croupier.sandbox.journal import Journal
from croupier.sandbox.studio_calls import StudioCalls
from croupier.sandbox.studio_games import CatalogueGame, LaunchedSession, read_launch
from croupier.sandbox.studio_page import CONTENT_POLICY, STAKES, Shown, page
from croupier.sandbox.studio_rounds import Rounds
from croupier.sandbox.studio_signing import RequestVerifier

MAX_BODY = 65536
WIN_CHANCE = 0.45
MOST_SHOWN = 10
"""Number of bets that the page of a session shows."""


class StudioState(Protocol):
    """The parts of the studio that the app needs."""

    calls: StudioCalls
    rounds: Rounds
    journal: Journal
    games: list[CatalogueGame]
    sessions: dict[str, LaunchedSession]
    draws: DrawStudio


class HubSide:
    """The API for the hub: the catalogue and the launch."""

    def __init__(self, studio: StudioState, clock: Clock) -> None:
        self._studio = studio
        self._clock = clock
        self._verifier = RequestVerifier()

    async def games(self, request: Request) -> Response:
        """Answer GET games with an array."""
        refusal = self._refusal(request, b"")
        return refusal or self._answer(request, JSONResponse(self._studio.games))

    async def launch(self, request: Request) -> Response:
        """Answer POST games/{gameId}/launch."""
        try:
            body = await bounded_body(request, MAX_BODY)
        except BodyTooLong:
            return self._answer(request, _code(6, 413))
        refusal = self._refusal(request, body)
        return refusal or self._answer(request, self._launched(request, body))

    def _launched(self, request: Request, body: bytes) -> Response:
        wanted = request.path_params["game_id"]
        game = next((game for game in self._studio.games if str(game["gameId"]) == wanted), None)
        if game is None:
            return _code(6, 404)
        try:
            if strictjson.sorted_compact(body) != body:
                self._studio.journal.complain("launch: the body is not compact JSON with sorted keys")
            launched = read_launch(game, body)
        except (strictjson.BadJson, strictjson.BadField) as problem:
            self._studio.journal.complain(f"launch: {problem}")
            return _code(6, 400)
        self._studio.sessions[launched.session] = launched
        return JSONResponse({"frameUri": str(request.url_for("play", session=launched.session))})

    def _refusal(self, request: Request, body: bytes) -> Response | None:
        calls = self._studio.calls
        problem = self._verifier.problem(
            request.headers,
            body,
            counterparty=calls.counterparty_id,
            secret=calls.secret,
            now_ms=self._clock.now_ms(),
        )
        if problem is None and calls.secret:
            return None
        self._studio.journal.complain(f"{request.url.path}: {problem or 'no credentials yet'}")
        return self._answer(request, _code(8, 401))

    def _answer(self, request: Request, response: Response) -> Response:
        self._studio.journal.note("in", request.url.path, None, status=response.status_code)
        return response


class PlayerSide:
    """The page in the player's frame."""

    def __init__(self, studio: StudioState, chance: Chance) -> None:
        self._studio = studio
        self._chance = chance
        self._bets: dict[str, deque[Shown]] = {}

    async def show(self, request: Request) -> Response:
        """Show the game. A draw game has a page with scripts, and with `?plain` one without."""
        launched = self._studio.sessions.get(request.path_params["session"])
        if launched is not None and is_draw_game(launched) and "plain" not in request.query_params:
            return game_page()
        return await self._page(request)

    async def bet(self, request: Request) -> Response:
        """Play one round, which pays twice the stake or nothing."""
        session, stake = request.path_params["session"], request.query_params.get("stake", "")
        launched = self._studio.sessions.get(session)
        if launched is None or is_draw_game(launched) or stake not in STAKES:
            return HTMLResponse("No such game.", 404)
        win = str(2 * int(stake)) if self._chance.fraction() < WIN_CHANCE else "0"
        played = await self._studio.rounds.play(session, stake, win)
        self._bets.setdefault(session, deque(maxlen=MOST_SHOWN)).append(Shown(played, stake, win))
        return await self._page(request)

    async def bet_on_draw(self, request: Request) -> Response:
        """The form of a draw game: one bet on the draw that runs."""
        launched = self._studio.sessions.get(request.path_params["session"])
        if launched is None or not is_draw_game(launched):
            return HTMLResponse("No such game.", 404)
        try:
            body = await bounded_body(request, MAX_BODY)
        except BodyTooLong:
            return HTMLResponse("Too long.", 413)
        return await self._page(request, await bet_from_page(self._studio.draws, launched, body))

    async def leave_draw(self, request: Request) -> Response:
        """The button of a crash game."""
        launched = self._studio.sessions.get(request.path_params["session"])
        if launched is None or not is_draw_game(launched):
            return HTMLResponse("No such game.", 404)
        said = leave_from_page(self._studio.draws, launched, request.query_params.get("bet", ""))
        return await self._page(request, said)

    async def _page(self, request: Request, said: str = "") -> Response:
        launched = self._studio.sessions.get(request.path_params["session"])
        if launched is None:
            return HTMLResponse("No such game.", 404)
        try:
            balance = (await self._studio.calls.balance(launched.session)).balance
        except PeerError:
            balance = None
        if is_draw_game(launched):
            body = draw_page(launched, self._studio.draws.running_table(launched), balance=balance, said=said)
        else:
            bets = tuple(self._bets.get(launched.session, ()))
            body = page(launched, balance=balance, counterparty=self._studio.calls.counterparty_id, bets=bets)
        return HTMLResponse(body, headers={"Content-Security-Policy": CONTENT_POLICY})


def build(studio: StudioState, *, clock: Clock, chance: Chance, control: list[Route]) -> Starlette:
    """Return the app of one studio."""
    hub, player = HubSide(studio, clock), PlayerSide(studio, chance)
    contract = [
        Route(f"{prefix}/v1{path}", endpoint, methods=[method])
        for prefix in ("", "/{before:path}")
        for method, path, endpoint in (
            ("GET", "/games", hub.games),
            ("POST", "/games/{game_id}/launch", hub.launch),
        )
    ]
    pages = [
        Route("/play/{session}", player.show, methods=["GET"], name="play"),
        Route("/play/{session}/bet", player.bet, methods=["POST"]),
        Route("/play/{session}/draw", player.bet_on_draw, methods=["POST"]),
        Route("/play/{session}/leave", player.leave_draw, methods=["POST"]),
    ]
    return Starlette(routes=[*control, *PlayPages(studio, clock).routes(), *pages, *contract])


def _code(code: int, status: int) -> Response:
    return JSONResponse({"_responseCode": code}, status)
