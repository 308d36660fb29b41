"""The operator of a run: blocks and unblocks players, and switches games off and on for a casino.

Owns: when each happens, and the restrictions recorded for it. Never: checks them (judge_restrictions).
"""

from __future__ import annotations

from typing import Any

from croupier.kit.chance import SeededChance
from croupier.simulator.dials import one_of
from croupier.simulator.faults import Around, FaultyDb, Weather
from croupier.simulator.restrictions import Restriction
from croupier.simulator.scene import Scene
from croupier.store.parties.games import Games
from croupier.store.parties.players import Players

LONGEST_S = 15.0


async def act(scene: Scene, chance: SeededChance) -> None:
    """Restrict something and lift it later. A command is a process of its own, with a connection of its own."""
    calm = Around(scene.stage.clock, chance, scene.dials, Weather(rough=False))
    db: Any = FaultyDb(scene.stage.db, calm)
    await one_of(chance, (_block, _switch, _limit))(scene, chance, db)


async def _block(scene: Scene, chance: SeededChance, db: Any) -> None:  # noqa: ANN401 - a Db
    _, player_id, _ = one_of(chance, scene.players)
    players = Players(db, scene.stage.sealer, scene.stage.clock)
    await players.block(player_id, True, reason="sim", author="sim")  # noqa: FBT003 - it sets
    await _lasts(scene, chance, Restriction("a blocked player", _now(scene), player_id=player_id))
    await players.block(player_id, False, reason="sim", author="sim")  # noqa: FBT003 - it sets


async def _switch(scene: Scene, chance: SeededChance, db: Any) -> None:  # noqa: ANN401 - a Db
    games, game_id = Games(db, scene.stage.clock), one_of(chance, scene.games)
    casino_id, _, _ = one_of(chance, scene.players)
    await games.switch(casino_id, game_id, False)  # noqa: FBT003 - it sets
    await _lasts(scene, chance, Restriction("a game that is off", _now(scene), game=(casino_id, game_id)))
    await games.switch(casino_id, game_id, True)  # noqa: FBT003 - it sets


async def _limit(scene: Scene, chance: SeededChance, db: Any) -> None:  # noqa: ANN401 - a Db
    """Set a limit that no stake fits."""
    games, game_id = Games(db, scene.stage.clock), one_of(chance, scene.games)
    await games.set(game_id, max_bet="0")
    restrictions = [
        Restriction("a limit of nothing", _now(scene), game=(casino_id, game_id)) for casino_id in scene.casinos
    ]
    await _lasts(scene, chance, *restrictions)
    await games.set(game_id, max_bet=None)


def _now(scene: Scene) -> float:
    return scene.stage.loop.time()


async def _lasts(scene: Scene, chance: SeededChance, *restrictions: Restriction) -> None:
    scene.restrictions += restrictions
    await scene.stage.clock.sleep(2.0 + chance.fraction() * LONGEST_S)
    for restriction in restrictions:
        restriction.until_s = _now(scene)
