"""What reconciliation says of a world at rest: at an honest casino it finds nothing, and mends nothing any more.

Owns: that judgement, over all bets of a small world and a sample of a crowd's. Never: compares (flows.reconcile).
Spec: money.md section 8.
"""

from __future__ import annotations

from croupier.core.bet import Bet
from croupier.flows.reconcile import Result, reconcile_bet
from croupier.simulator.judge import Case, Verdict
from croupier.simulator.scene import Scene

MOST = 60
"""So many bets of a world are compared."""


async def judge_reconciled(scene: Scene, cases: list[Case], verdict: Verdict) -> None:
    """Compare bets with their casinos, three ways."""
    bets = [case for case in cases if isinstance(case.subject, Bet)]
    hub = scene.stage.hubs[0].hub
    for case in bets[:: max(len(bets) // MOST, 1)]:
        compared = await reconcile_bet(hub, case.subject.subject_id)
        assert compared is not None
        scene.seen[f"compared at rest {compared.result.value}"] += 1
        if case.truthful and compared.result is not Result.AGREES:
            words = [*compared.rules, *(f"{one.about}: {one.difference.value}" for one in compared.found)]
            verdict.wrong("I2", f"{case.name}: reconciliation {compared.result.value} at rest: {', '.join(words)}")
