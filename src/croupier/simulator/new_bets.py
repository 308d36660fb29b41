"""New bets at rest: once faults have stopped, each casino takes them again.

A place that was never freed, or a circuit breaker that never closed, loses no money and stops play. Owns: these bets and their
check. Never: plays them to their end.
"""

from __future__ import annotations

from typing import Final

from croupier.simulator.judge import Judgement
from croupier.simulator.scene import Scene

ASKED: Final = 4
"""Number of bets at each casino, one after the other: the first at a process may be the probe of an open breaker."""
APART_S: Final = 0.4


async def judge_new_bets(scene: Scene, verdict: Judgement) -> None:
    """I3: every casino takes new bets at rest, unless a player may be blocked or a session over."""
    if scene.dials.operator_every_s or scene.dials.short_sessions or not scene.stage.hubs:
        return
    for casino_id in scene.casinos:
        for n in range(ASKED):
            _, opened = await ask_for_bet(scene, casino_id, f"at-rest-{casino_id}-{n}")
            scene.seen["asked at rest"] += 1
            if not opened:
                verdict.wrong("I3", f"{scene.casino_names[casino_id]} took no new bet at rest")
            await scene.stage.clock.sleep(APART_S)


async def ask_for_bet(scene: Scene, casino_id: int, ref: str) -> tuple[int, bool]:
    """Ask for a new bet of a player of this casino. Return the answer, and whether a bet was opened."""
    provider_id = min(scene.providers)
    session = next(s for s in scene.sessions[provider_id] if int(s.split("-")[2]) == casino_id)
    code = await scene.providers[provider_id].ask_once(ref, session, scene.chance.branch(ref))
    opened = await scene.stage.db.fetchval("select count(*) from bets where bet_ref = $1", ref)
    return code, bool(opened)
