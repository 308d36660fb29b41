"""`/_sandbox/…`: how a demo or a test in another process drives the sandbox studio and looks into its log.

Owns: these JSON calls, which are ours and no part of the contract. Never: reachable on anything but loopback (serve).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from croupier.kit import strictjson
from croupier.kit.strictjson import Record
from croupier.kit.wire import PeerError
from croupier.sandbox.journal import Journal, plain_json
from croupier.sandbox.studio_calls import ReceivedAnswer, StudioCalls
from croupier.sandbox.studio_games import CatalogueGame, LaunchedSession
from croupier.sandbox.studio_rounds import PlayedBet, Rounds


class ControlledStudio(Protocol):
    """The parts of the studio that the control API needs."""

    calls: StudioCalls
    rounds: Rounds
    journal: Journal
    games: list[CatalogueGame]
    sessions: dict[str, LaunchedSession]

    def set_credentials(self, counterparty_id: str, secret: str) -> None:
        """Use the credentials that the hub printed."""
        ...


class StudioControl:
    """The control API of one studio."""

    def __init__(self, studio: ControlledStudio) -> None:
        self._studio = studio

    def routes(self) -> list[Route]:
        """Return the routes for the studio's app."""
        return [
            Route("/_sandbox/log", self.log, methods=["GET"]),
            Route("/_sandbox/sessions", self.sessions, methods=["GET"]),
            Route("/_sandbox/call", acts(self.call), methods=["POST"]),
            Route("/_sandbox/play", acts(self.play), methods=["POST"]),
            Route("/_sandbox/games", acts(self.change_games), methods=["POST"]),
            Route("/_sandbox/credentials", acts(self.credentials), methods=["POST"]),
        ]

    async def log(self, request: Request) -> Response:
        """Return the messages received and sent after `?since=NUMBER`, and every complaint."""
        since = request.query_params.get("since", "0")
        entries = self._studio.journal.since(int(since) if since.isdigit() else 0)
        told = [entry.as_json() for entry in entries]
        return JSONResponse({"entries": told, "complaints": list(self._studio.journal.complaints)})

    async def sessions(self, _request: Request) -> Response:
        """Return every launched session."""
        return JSONResponse({"sessions": [asdict(launched) for launched in self._studio.sessions.values()]})

    async def call(self, asked: Record) -> object:
        """Make one call: `{"verb", "session", "bet"?, "round"?, "amount"?, "win"?, "odd"?}`.

        Returns `{"status", "told"}`. A null status means that the hub did not answer.
        """
        try:
            return _answer_json(await self._call(asked))
        except PeerError as problem:
            return {"status": None, "told": None, "why": problem.why}

    async def _call(self, asked: Record) -> ReceivedAnswer:
        calls, session, verb = self._studio.calls, strictjson.text(asked, "session"), strictjson.text(asked, "verb")
        if verb == "balance":
            return await calls.balance(session)
        bet = strictjson.text(asked, "bet")
        if verb == "refund":
            return await calls.refund(session, bet)
        round_id = strictjson.text(asked, "round")
        if verb == "pay-in":
            return await calls.pay_in(session, bet, round_id, amount=strictjson.amount_text(asked, "amount"))
        win = strictjson.amount_text(asked, "win")
        if verb == "pay-out":
            return await calls.pay_out(session, bet, round_id, win=win, odd=strictjson.optional_text(asked, "odd"))
        if verb == "pay-in-out":
            amount = strictjson.amount_text(asked, "amount")
            return await calls.pay_in_out(session, bet, round_id, amount=amount, win=win)
        raise strictjson.BadField("verb", "must be balance, pay-in, pay-out, pay-in-out or refund")

    async def play(self, asked: Record) -> object:
        """Play a whole bet: `{"session", "stake", "win"?, "how"?: "rounds" | "at-once" | "undo"}`."""
        rounds, session = self._studio.rounds, strictjson.text(asked, "session")
        stake = strictjson.amount_text(asked, "stake")
        how = strictjson.optional_text(asked, "how") or "rounds"
        if how == "undo":
            return _played_json(await rounds.play_and_undo(session, stake))
        play = {"rounds": rounds.play, "at-once": rounds.play_at_once}.get(how)
        if play is None:
            raise strictjson.BadField("how", "must be rounds, at-once or undo")
        return _played_json(await play(session, stake, strictjson.amount_text(asked, "win")))

    async def change_games(self, asked: Record) -> object:
        """Change the catalogue: `{"add"?: GAME, "remove"?: gameId}`. The hub reads it at its next fetch."""
        if asked.get("remove") is not None:
            gone = strictjson.amount_text(asked, "remove")
            self._studio.games[:] = [game for game in self._studio.games if str(game["gameId"]) != gone]
        if asked.get("add") is not None:
            added = strictjson.mapping(asked, "add")
            for name in ("gameId", "name", "gameCategory"):
                strictjson.amount_text(added, name)
            self._studio.games.append({name: plain_json(value) for name, value in added.items()})
        return {"games": self._studio.games}

    async def credentials(self, asked: Record) -> object:
        """Set the credentials that `croupier provider add` printed: `{"CounterpartyId", "Secret", "HubUrl"?}`."""
        counterparty_id = strictjson.text(asked, "CounterpartyId")
        self._studio.set_credentials(counterparty_id, strictjson.text(asked, "Secret", 512))
        hub_url = strictjson.optional_text(asked, "HubUrl", 2048)
        if hub_url is not None:
            self._studio.calls.hub_url = hub_url.rstrip("/")
        return {"CounterpartyId": counterparty_id}


def acts(act: Callable[[Record], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler as a POST that takes and returns a JSON object. A bad request gets its problem in one line."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await act(strictjson.record(strictjson.loads(await request.body()))))
        except (strictjson.BadJson, strictjson.BadField) as problem:
            return JSONResponse({"problem": str(problem)}, 400)

    return endpoint


def _answer_json(answer: ReceivedAnswer | None) -> object:
    return None if answer is None else {"status": answer.status, "told": plain_json(answer.told)}


def _played_json(played: PlayedBet) -> object:
    return {
        "bet": played.bet,
        "round": played.round_id,
        "end": played.end.value,
        "last": _answer_json(played.last),
    }
