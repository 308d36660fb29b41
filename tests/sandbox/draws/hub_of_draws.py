"""A hub for the draws: it keeps the books of the bets, and the announcements, as the contract says, with dials for its faults."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from croupier.kit.chance import SeededChance
from croupier.sandbox.draws.schedule import Schedule
from croupier.sandbox.studio import SandboxStudio
from croupier.sandbox.studio_games import LaunchedSession
from croupier.sandbox.studio_signing import RequestVerifier
from croupier.simulator import virtual_time
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.virtual_time import VirtualClock, VirtualLoop

HUB, WHO, SECRET = "http://hub.test", "3f0c8d52-6f0e-4a53-9b1c-0f6f3a2f7c11", "demo-provider-secret"
QUICK = Schedule(every_ms=0, rest_ms=200, betting_ms=2000, action_ms=600, results_ms=400, grace_ms=4000)
STAKE, MINOR = "10.00", 1000
PATIENCE_S = 900.0
START_MS = 1_760_000_000_000
OK = (200, {"_responseCode": 1, "currency": "EUR"})
UNKNOWN = (504, {"_responseCode": 99})
NO_FUNDS = (402, {"_responseCode": 3})
CONFLICT = (409, {"_responseCode": 7})
Told = tuple[int, dict[str, Any]]
Fault = Callable[[str, dict[str, Any]], Told | float | None]
"""Verb and body to an answer instead of the real one, to seconds of silence before it, or to None."""


class Hub:
    """Books of bets: what was taken, paid and returned; every announcement, held against feed.md."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.bets: dict[str, dict[str, Any]] = {}
        self.tombstones: set[str] = set()
        self.heard: Counter[str] = Counter()
        self.announced: list[dict[str, Any]] = []
        self.newest: dict[tuple[int, int], dict[str, Any]] = {}
        self.finished = 0
        self.fault: Fault = lambda _verb, _body: None
        self.app = Starlette(routes=[Route("/v1/{path:path}", self.answer, methods=["POST"])])

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        problem = RequestVerifier().problem(
            request.headers, body, counterparty=WHO, secret=SECRET, now_ms=self.clock.now_ms()
        )
        assert problem is None, problem
        verb, told = request.url.path.rpartition("/")[2], json.loads(body)
        self.heard[verb] += 1
        odd = self.fault(verb, told)
        if isinstance(odd, tuple):
            return JSONResponse(odd[1], odd[0])
        status, document = {
            "pay-in": self.pay_in, "pay-out": self.pay_out, "refund": self.refund, "draws": self.draws,
        }[verb](told)  # fmt: skip
        if odd is not None:
            await asyncio.sleep(odd)
        return JSONResponse(document, status)

    def pay_in(self, told: dict[str, Any]) -> Told:
        name, terms = told["betId"], (told["betAmount"], told["gameRoundId"])
        if name in self.tombstones:
            return CONFLICT
        bet = self.bets.setdefault(name, {"terms": terms, "stake": cents(told["betAmount"]), "end": None, "win": None})
        assert bet["terms"] == terms, "a repeat has the contents of the first"
        return CONFLICT if bet["end"] == "returned" else OK

    def pay_out(self, told: dict[str, Any]) -> Told:
        bet, win = self.bets[told["betId"]], cents(told["winAmount"])
        assert bet["end"] != "returned", "a bet that was returned is never paid"
        assert bet["win"] in (None, win), "one win per bet, ever"
        bet["end"], bet["win"] = "settled", win
        return OK

    def refund(self, told: dict[str, Any]) -> Told:
        bet = self.bets.get(told["betId"])
        if bet is None:
            self.tombstones.add(told["betId"])
            return OK
        assert bet["end"] != "settled", "a bet that was paid is never refunded"
        bet["end"] = "returned"
        return OK

    def draws(self, told: dict[str, Any]) -> Told:
        for draw in told["draws"]:
            older = self.newest.get(key(draw))
            if older:
                assert draw["version"] >= older["version"]
                if draw["version"] == older["version"]:
                    assert draw == older
                    continue
                assert draw["proof"]["commitment"] == older["proof"]["commitment"]
                assert older["state"] not in (3, 5), "nothing follows the end"
            out = "seed" in draw["proof"] or "results" in draw
            assert not (out and draw["playState"] == 1), "neither seed nor results while bets may be taken"
            assert "results" not in draw or draw["bettingEndsAt"] <= self.clock.now_ms()
            self.announced.append(draw)
            self.newest[key(draw)] = draw
            self.finished += draw["state"] == 3
        return OK

    def of(self, game_type: int, state: int | None = None) -> list[dict[str, Any]]:
        return [d for d in self.announced if d["gameType"] == game_type and state in (None, d["state"])]


def cents(text: str) -> int:
    whole, _, rest = text.partition(".")
    return int(whole) * 100 + int(rest.ljust(2, "0") or 0)


def key(draw: dict[str, Any]) -> tuple[int, int]:
    return draw["gameType"], draw["gameEdition"]


class Scene:
    """A studio that runs draws in virtual time against the hub; `restart` is its death and another process."""

    def __init__(self, folder: Path) -> None:
        self.folder: Path | None = folder
        """Where the journals lie; None keeps them in memory."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.clock = VirtualClock(loop, START_MS)
        self.hub = Hub(self.clock)
        self.wire = InProcessWire(self.clock)
        self.wire.mount(HUB, self.hub.app)
        self.lives = 0
        self.studio = self._studio()

    def _studio(self) -> SandboxStudio:
        self.lives += 1
        studio = SandboxStudio(
            wire=self.wire,
            clock=self.clock,
            chance=SeededChance(self.lives),
            hub_url=HUB,
            counterparty_id=WHO,
            secret=SECRET,
        )
        studio.calls.patience_s = 3.0
        for game in studio.games:
            name = f"s-{game['gameId']}"
            studio.sessions[name] = LaunchedSession(
                name, str(game["gameId"]), str(game["name"]), "anna", "EUR", "en", "0.10", "100.00", demo=False
            )
        return studio

    def start(self, *game_types: int, schedule: Schedule = QUICK) -> None:
        self.studio.draws.start(self.folder, schedules=dict.fromkeys(game_types, schedule))
        for table in self.studio.draws.tables.values():
            table.settling.repeats_s = (0.5,) * 200

    async def restart(self, *game_types: int, schedule: Schedule = QUICK) -> None:
        await self.studio.draws.close()
        self.studio = self._studio()
        self.start(*game_types, schedule=schedule)

    async def until(self, true: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := true()):
                await asyncio.sleep(0.002)
        return found

    async def phase(self, game_type: int, phase: str) -> int:
        """Wait until a draw of this type is in this phase; its edition."""

        def edition() -> int | None:
            draw = self.studio.draws.tables[game_type].draw
            return draw.edition if draw is not None and draw.phase.value == phase else None

        found = await self.until(edition)
        assert isinstance(found, int)
        return found

    async def bet(self, game_type: int, choice: str, stake: str = STAKE) -> Any:
        table = self.studio.draws.tables[game_type]
        bet, _ = await table.place(self.studio.sessions[f"s-{table.game.game_id}"], choice, stake)
        return bet

    def state(self, game_type: int, name: str) -> str:
        return self.studio.draws.tables[game_type].records.bets[name].state.value

    async def close(self) -> None:
        await self.studio.draws.close()
        await self.wire.close()


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test of a scene, run in virtual time: minutes of draws pass in no time, and the same way each time."""

    @functools.wraps(test)
    def run(tmp_path: Path, **given: Any) -> None:
        async def main(loop: VirtualLoop) -> None:
            loop.busy = lambda: False
            scene = Scene(tmp_path / "draws")
            try:
                await test(scene, **given)
            finally:
                await scene.close()

        virtual_time.run(main)

    told = inspect.signature(test)
    others = [p for name, p in told.parameters.items() if name != "scene"]
    path = inspect.Parameter("tmp_path", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = told.replace(parameters=[path, *others])  # type: ignore[attr-defined]
    return run
