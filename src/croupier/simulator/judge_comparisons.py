"""The check of the comparisons that the hub made by itself: which bets it compared, and whether the answer could tell.

Owns: the judgement of the rows of `comparisons` at rest. Never: compares a bet (reconciled does, after this).
Spec: money.md 8.
"""

from __future__ import annotations

from typing import Any

from croupier.core.bet import Bet
from croupier.simulator.judge import ENDED, Case, Judgement
from croupier.simulator.scene import RECONCILE_CALM_S, Scene

LAG_S = 3 * RECONCILE_CALM_S
"""Longest time from the end of a bet to its comparison: the sample lags behind, and rounds are rare at rest."""


async def judge_comparisons(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """Check the bets that ended long ago: none still waits, and each with an unanswered try was compared."""
    rows: dict[int, Any] = {
        row["subject_id"]: row
        for row in await scene.stage.db.fetch("select subject_id, at_ms, result, wanted from comparisons")
    }
    latest_ms = scene.stage.clock.now_ms() - round(LAG_S * 1000)
    for case in cases:
        bet = case.subject
        if not isinstance(bet, Bet) or bet.state not in ENDED or not _was_over(bet, latest_ms):
            continue
        row = rows.get(bet.bet_id)
        if row is not None and row["wanted"]:
            verdict.wrong("reconciliation", f"{case.name} {bet.state.value} is wanted, and was never compared")
        elif any(payment.unanswered for payment in bet.payments.values()):
            scene.seen["compared after silence"] += 1
            known = row is not None and row["result"] not in ("drawn", "unusable")
            if not known and bet.bet_id not in scene.compared:
                verdict.wrong("reconciliation", f"{case.name} had an unanswered try, and was never compared")


def _over_ms(bet: Bet) -> int:
    return max([bet.ended_ms or 0, *(payment.decided_ms or 0 for payment in bet.payments.values())])


def _was_over(bet: Bet, at_ms: int) -> bool:
    return _over_ms(bet) <= at_ms and not any(payment.undecided for payment in bet.payments.values())
