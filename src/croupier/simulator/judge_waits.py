"""The check of what has its time: an expired stake is queried for a day, and the cancel of a refused cashback waits.

Owns: that comparison, of the calls that reached the network and the times of the committed states. Never: the hub's own due
times. Spec: money.md 2.4 and 2.9, decision 0028.
"""

from __future__ import annotations

from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.judge import QUARANTINED, Case, Judgement, key_of
from croupier.simulator.scene import Scene
from croupier.simulator.stage import START_MS
from croupier.simulator.witness import SLACK_S

LATE_S = 3600.0
"""The last late query of an expired stake that falls into the time of a world, counted from its commit."""


def judge_waits(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """Check every expired stake, and every cancel of a cashback that was refused."""
    if not scene.dials.times_compare:
        return
    for case in cases:
        if isinstance(case.subject, Bet):
            _queried_late(scene, case, verdict)
        else:
            _cancelled_late(scene, case, verdict)


def _queried_late(scene: Scene, case: Case, verdict: Judgement) -> None:
    """I7: a stake that expired may turn up, so its casino is asked an hour later too."""
    stake = case.subject.payments.get(PaymentKind.STAKE)
    if stake is None or stake.state is not PaymentState.EXPIRED or QUARANTINED in case.incidents:
        return
    scene.seen["expired for an hour"] += 1
    late_ms = stake.created_ms + round(1000 * (LATE_S - SLACK_S))
    if not any(at_ms >= late_ms for at_ms in scene.weather.calls.get(case.subject.subject_id, ())):
        verdict.wrong("I7", f"{case.name} expired, and its casino was not asked again after an hour")


def _cancelled_late(scene: Scene, case: Case, verdict: Judgement) -> None:
    """I7: the cancel of a refused cashback leaves when no copy of its make is valid any more."""
    assert isinstance(case.subject, Cashback)
    times, subject_id = scene.payment_times, case.subject.subject_id
    ended_s = times.ended_s.get((subject_id, PaymentKind.CASHBACK.value))
    ordered_s = times.created_s.get((subject_id, PaymentKind.CASHBACK_CANCEL.value))
    if ended_s is None or ordered_s is None or ordered_s < ended_s:
        return
    witness, cancel = case.casino.witness, key_of(case, PaymentKind.CASHBACK_CANCEL)
    left_s = witness.first_signed_s.get(cancel)
    valid_ms = witness.valid_until_ms.get(key_of(case, PaymentKind.CASHBACK), 0)
    paid_s = times.accepted_s.get((subject_id, PaymentKind.CASHBACK.value))
    if left_s is None or (paid_s is not None and START_MS / 1000 + paid_s <= left_s):
        return
    scene.seen["cancel of a refused cashback"] += 1
    if 1000 * (left_s + SLACK_S) < valid_ms:
        verdict.wrong("I7", f"{case.name} was cancelled while a copy of its payment was still valid")
