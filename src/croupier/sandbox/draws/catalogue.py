"""The draw games that exist, by their game type.

Owns: the table. Never: a rule of a game.
"""

from __future__ import annotations

from croupier.sandbox.draws.crash import Crash
from croupier.sandbox.draws.game import DrawGame
from croupier.sandbox.draws.keno import Keno
from croupier.sandbox.draws.poker_draw import PokerDraw
from croupier.sandbox.draws.wheel import Wheel

DRAW_GAMES: dict[int, DrawGame] = {game.game_type: game for game in (PokerDraw(), Keno(), Wheel(), Crash())}
"""Game type (feed.md 3.5, key `t`) to game."""
