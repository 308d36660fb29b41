"""The sandbox studio's invented games, and the reader of a launch.

Owns: the catalogue and the reading of a launch. Never: a signature. Spec: provider.md 3.1 and 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.kit import strictjson
from croupier.kit.strictjson import BadField, Json, Record

CatalogueGame = dict[str, object]

GAMES: tuple[CatalogueGame, ...] = (
    {"gameId": "lantern-tumble", "name": "Lantern Tumble", "gameCategory": "slots", "maxOdd": 500},
    {"gameId": "orchard-jackpot", "name": "Orchard Jackpot", "gameCategory": "slots"},
    {"gameId": "kite-crash", "name": "Kite Crash", "gameCategory": "crash", "maxOdd": 1000},
    {"gameId": "harbour-wheel", "name": "Harbour Wheel", "gameCategory": "live"},
    {"gameId": 7007, "name": "Paper Dice", "gameCategory": "table"},
    {"gameId": "seven-ponds", "name": "Seven Ponds Draw", "gameCategory": "lottery"},
    {"gameId": "marble-run", "name": "Marble Run", "gameCategory": "marbles"},
    {"gameId": "drift-poker", "name": "Drift Poker", "gameCategory": "live"},
    {"gameId": "pebble-keno", "name": "Pebble Keno", "gameCategory": "lottery"},
    {"gameId": "harbour-lights", "name": "Harbour Lights", "gameCategory": "live"},
    {"gameId": "heron-crash", "name": "Heron Crash", "gameCategory": "crash"},
)
"""The last four are the draw games. One has a number for its id and one a category the contract does not name: both are allowed."""


@dataclass(frozen=True, slots=True)
class LaunchedSession:
    """One launched session. Amounts are decimal text."""

    session: str
    game: str
    game_name: str
    user: str
    currency: str
    language: str
    min_bet: str
    max_bet: str
    demo: bool


def read_launch(game: CatalogueGame, body: bytes) -> LaunchedSession:
    """Read the body of a launch. Raises BadJson, BadField."""
    obj = strictjson.record(strictjson.loads(body))
    _one_of(obj, "viewType", ("desktop", "mobile"))
    mode = _one_of(obj, "gameMode", ("real", "demo"))
    for name in ("gameMargin", "maxOdd", "maxWin"):
        strictjson.optional(strictjson.amount_text, obj, name)
    _check_buttons(obj)
    return LaunchedSession(
        session=strictjson.text(obj, "sessionId"),
        game=str(game["gameId"]),
        game_name=str(game["name"]),
        user=strictjson.text(obj, "userId"),
        currency=strictjson.text(obj, "currency", 16),
        language=strictjson.text(obj, "language", 35),
        min_bet=strictjson.amount_text(obj, "minBet"),
        max_bet=strictjson.amount_text(obj, "maxBet"),
        demo=mode == "demo",
    )


def _one_of(obj: Record, field: str, allowed: tuple[str, ...]) -> str | None:
    value = strictjson.optional_text(obj, field)
    if value is not None and value not in allowed:
        raise BadField(field, f"must be one of {', '.join(allowed)}")
    return value


def _check_buttons(obj: Record) -> None:
    if obj.get("buttonAmounts") is None:
        return
    buttons: list[Json] = strictjson.listing(obj, "buttonAmounts", 50)
    if not all(isinstance(button, strictjson.NumberText) for button in buttons):
        raise BadField("buttonAmounts", "must be numbers")
