"""The epilogue of some worlds: the hub recovers as after a restore, while one of its casinos is silent.

The silent casino takes no new bets until it is compared, and the other one takes them again. Owns: that course and its check.
Never: loses rows (tests/apps/test_recovery does). Spec: money.md 4.6.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from croupier.flows.recovery import begin, refresh
from croupier.simulator.judge import NOT_TAKEN, Judgement
from croupier.simulator.new_bets import ask_for_bet
from croupier.simulator.scene import RECONCILE_CALM_S, Scene
from croupier.simulator.stage import origin_of

ROUNDS_S = 2 * RECONCILE_CALM_S + 60.0
"""Time in which a casino that answers is compared."""
_COMPARED = "select count(*) from recovery_bets where casino_id = $1 and done_ms is not null"
BET = "after-the-restore"


async def judge_recovery(scene: Scene, verdict: Judgement) -> None:
    """Begin a recovery, let it compare, and ask for a new bet at each casino."""
    if not scene.dials.restored or len(scene.casinos) < 2:
        return
    silent = max(scene.casinos)
    scene.stage.network.mount(origin_of(scene.casino_names[silent]), _unavailable)
    for running in scene.stage.hubs:
        running.hub.process_settings = replace(running.hub.process_settings, slack_ids=3)
    await begin(scene.stage.hubs[0].hub, "simulated")
    await scene.stage.clock.sleep(ROUNDS_S)
    for running in scene.stage.hubs:
        await refresh(running.hub)
    compared = await scene.stage.db.fetchval(_COMPARED, silent)
    if compared:
        verdict.wrong("I9", f"{compared} bets of {scene.casino_names[silent]} count as compared, and it gave no list")
    for casino_id in scene.casinos:
        code, opened = await ask_for_bet(scene, casino_id, f"{BET}-{casino_id}")
        scene.seen["asked during a recovery"] += 1
        if casino_id == silent and opened:
            verdict.wrong("I9", f"{scene.casino_names[casino_id]} is not compared yet, and takes new bets")
        # A payment that waits for a person keeps its casino's part open too.
        compared = not scene.stage.hubs[0].hub.recovering(casino_id)
        if compared and not opened and code in NOT_TAKEN:
            verdict.wrong("I9", f"{scene.casino_names[casino_id]} is compared, and takes no new bets")


async def _unavailable(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
    await Response(status_code=503)(scope, receive, send)
