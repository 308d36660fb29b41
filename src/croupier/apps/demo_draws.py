"""The draws of `croupier demo`: bets on each of the studio's draw games, one draw cancelled, and a line for each draw.

Owns: the bets and the lines. Never: the studio's own claim that a draw was fair: each is recomputed from its proof. Demo money only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from croupier.apps.world import LocalWorld
from croupier.core.money import format_amount, parse_amount
from croupier.kit.clock import SystemClock
from croupier.sandbox.draws.catalogue import DRAW_GAMES
from croupier.sandbox.draws.verify import problems, read_proof

PACE = 12
"""How many times as fast as usual the draws of the demo run."""
STAKE, CURRENCY = "2.00", "EUR"
PATIENCE_S = 25.0
LOOK_S = 0.1
BETS: dict[int, tuple[str, ...]] = {
    3: ("red", "black", "pair"),
    23: ("7", "3,17,44", "5,18,31,44,77"),
    24: ("grey", "blue", "gold"),
    25: ("1.20", "2.00", "5.00"),
}
"""Game type to the bets of the demo."""
CANCELLED = 24

Show = Callable[[str], None]


@dataclass(slots=True)
class DrawsPlayed:
    """The results of the bets on one game."""

    name: str
    bets: int
    as_expected: int = 0
    odd: list[str] = field(default_factory=list)


async def play_draws(world: LocalWorld, show: Show) -> list[DrawsPlayed]:
    """Run the draws of the studio, bet on each game, and show a line for each draw that was bet on."""
    await _start(world, PACE)
    sessions = {
        game_type: (await world.launch(f"draws-{world.hub.pid}-{game_type}", DRAW_GAMES[game_type].game_id)).session_id
        for game_type in BETS
    }
    played = await asyncio.gather(*(_play(world, game_type, sessions[game_type], show=show) for game_type in BETS))
    return [*played, await _cancelled(world, sessions[CANCELLED], show)]


async def slow_down(world: LocalWorld) -> None:
    """Let the draws go on at their usual pace, so that people can play them."""
    await world.ask(f"{world.studio_url}/_sandbox/draws/stop", {})
    await _start(world, 1)


async def _start(world: LocalWorld, pace: int) -> None:
    """Start the draws with a journal of this run, which a change of pace needs."""
    folder = str(world.settings.home / f"draws-{world.hub.pid}")
    await world.ask(f"{world.studio_url}/_sandbox/draws/start", {"folder": folder, "pace": pace})


async def _play(world: LocalWorld, game_type: int, session: str, *, show: Show) -> DrawsPlayed:
    played = DrawsPlayed(DRAW_GAMES[game_type].name, len(BETS[game_type]))
    try:
        async with asyncio.timeout(PATIENCE_S):
            bets = await asyncio.gather(*(_bet(world, session, choice) for choice in BETS[game_type]))
            draws = await _ended(world, game_type, bets)
    except TimeoutError:
        played.odd.append(f"not over after {PATIENCE_S:.0f} s")
        return played
    for draw in draws:
        wrong = problems(read_proof(draw))
        show(_line(played.name, draw, "; ".join(wrong) or "verified"))
        mine = [bet for bet in draw["bets"] if bet["session"] == session]
        played.odd += wrong
        played.as_expected += 0 if wrong else sum(bet["state"] == "settled" for bet in mine)
    return played


async def _cancelled(world: LocalWorld, session: str, show: Show) -> DrawsPlayed:
    """One draw is cancelled while bets are taken: its stake goes back, and its seed is shown all the same."""
    played = DrawsPlayed("cancelled, refunded", 1)
    try:
        async with asyncio.timeout(PATIENCE_S):
            bet = await _bet(world, session, BETS[CANCELLED][0])
            await world.ask(f"{world.studio_url}/_sandbox/draws/cancel", {"gameType": CANCELLED})
            (draw,) = await _ended(world, CANCELLED, [bet])
    except TimeoutError:
        played.odd.append(f"not over after {PATIENCE_S:.0f} s")
        return played
    states = [one["state"] for one in draw["bets"] if one["session"] == session]
    show(_line(DRAW_GAMES[CANCELLED].name, draw, "stake refunded" if states == ["refunded"] else "odd"))
    played.as_expected += states == ["refunded"]
    return played


async def _bet(world: LocalWorld, session: str, choice: str) -> Any:  # noqa: ANN401 - JSON
    """Bet on the next draw that takes bets."""
    asked = {"session": session, "choice": choice, "stake": STAKE}
    while "bet" not in (told := await world.ask(f"{world.studio_url}/_sandbox/draws/bet", asked)):
        await SystemClock().sleep(LOOK_S)
    return told


async def _ended(world: LocalWorld, game_type: int, bets: Sequence[Any]) -> list[Any]:
    """The draws that these bets were on, once each of them is over and nothing is owed for it."""
    editions, names = {bet["gameEdition"] for bet in bets}, {bet["bet"] for bet in bets}
    while True:
        games = (await world.ask(f"{world.studio_url}/_sandbox/draws"))["games"]
        ended = next(game["ended"] for game in games if game["gameType"] == str(game_type))
        draws = [draw for draw in ended if draw["gameEdition"] in editions]
        states = [bet["state"] for draw in draws for bet in draw["bets"] if bet["bet"] in names]
        if len(states) == len(names) and set(states) <= {"settled", "refunded", "refused"}:
            return draws
        await SystemClock().sleep(LOOK_S)


def _line(name: str, draw: Any, end: str) -> str:  # noqa: ANN401 - JSON
    stakes, wins = (
        format_amount(sum(parse_amount(str(bet[what]), CURRENCY) for bet in draw["bets"]), CURRENCY)
        for what in ("stake", "win")
    )
    results = " ".join(str(result) for result in draw.get("results", ())) or draw["phase"]
    return f"{name} {draw['gameType']}/{draw['gameEdition']}: {results}. Staked {stakes}, won {wins} {CURRENCY}, {end}."
