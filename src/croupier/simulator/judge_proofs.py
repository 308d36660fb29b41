"""The check of proofs: a payment ends as "not there" only by a list from a time at which no copy of it was valid.

Owns: that comparison, of the casino's own record of its lists and the makes that arrived. Never: the hub's times of
queries or answers. Spec: money.md 2.4, casino.md 2.
"""

from __future__ import annotations

from croupier.core.bet import Bet
from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.faults import BRIEF_S
from croupier.simulator.judge import Case, Judgement, key_of
from croupier.simulator.payment_times import FOR_EVER, PaymentTimes
from croupier.simulator.scene import Scene
from croupier.simulator.stage import START_MS
from croupier.simulator.witness import SKEW_S, SLACK_S, VALID_S


def judge_proofs(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """Check every payment that ended by a list. A clock that jumps, or a process that sleeps, moves the times."""
    if not scene.dials.times_compare:
        return
    for case in cases:
        for kind, payment in case.subject.payments.items():
            if case.truthful and _ended_by_a_list(case, kind, payment):
                scene.seen[f"proved absent {kind.value}"] += 1
                if not _proved(case, kind, scene.payment_times):
                    verdict.wrong("I2", f"{case.name} {kind.value} ended by a list from before its last make expired")


def judge_closes(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """I4: no bet is closed while a payment of it waits for a person. A payout of nothing delays no close."""
    if not scene.dials.times_compare:
        return
    for case in cases:
        for kind, payment in case.subject.payments.items():
            span = scene.payment_times.parked_s.get((case.subject.subject_id, kind.value))
            if span is None or not payment.amount:
                continue
            closed = [
                second - START_MS / 1000 for second in case.casino.witness.closed_s.get(case.subject.subject_id, ())
            ]
            if any(span[0] + SLACK_S <= at_s <= span[1] - SLACK_S for at_s in closed):
                verdict.wrong("I4", f"{case.name} was closed while its {kind.value} was parked")


def judge_returns(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """I7: no stake is returned that a list has proved absent, and no return is given up that a casino may still have to make."""
    if not scene.dials.times_compare:
        return
    for case in cases:
        payments, subject_id = case.subject.payments, case.subject.subject_id
        if PaymentKind.BET_RETURN not in payments or not case.truthful:
            continue
        scene.seen["return judged"] += 1
        name = subject_id, PaymentKind.BET_RETURN.value
        if _taken(scene) and PaymentKind.STAKE in payments and _absent_before(scene, case, name):
            verdict.wrong("I7", f"{case.name} was returned, and a list had shown that no stake was taken")
        key = key_of(case, PaymentKind.BET_RETURN)
        ended_s = scene.payment_times.ended_s.get(name)
        if ended_s is not None and key not in case.casino.witness.unknown and not _listed_without(case, ended_s):
            verdict.wrong("I7", f"{case.name} bet_return ended, and its casino never said that it has no such bet")


def _taken(scene: Scene) -> bool:
    """Return whether every list that a process received was taken into account: none ended or lost a commit meanwhile."""
    return scene.watch.steady and scene.dials.slow_db_s <= BRIEF_S


def _absent_before(scene: Scene, case: Case, name: tuple[int, str]) -> bool:
    """Return whether the hub had received a list without the stake, asked when no make of it was valid, before it ordered a return."""
    stake = case.subject.payments[PaymentKind.STAKE]
    valid_ms = stake.created_ms + round(1000 * (scene.dials.hold_s + VALID_S + SKEW_S + SLACK_S))
    ordered_ms = START_MS + round(1000 * scene.payment_times.created_s[name])
    if (
        scene.payment_times.accepted_s.get((name[0], PaymentKind.STAKE.value), FOR_EVER)
        <= scene.payment_times.created_s[name]
    ):
        return False  # it turned up after all
    absent_ms = case.casino.witness.absent_ms.get(key_of(case, PaymentKind.STAKE), ())
    asked = [
        (since_ms, until_ms)
        for since_ms, until_ms in scene.weather.lists.get(name[0], ())
        if since_ms >= valid_ms and until_ms <= ordered_ms
    ]
    return any(since_ms <= at_ms <= until_ms for since_ms, until_ms in asked for at_ms in absent_ms)


def _listed_without(case: Case, ended_s: float) -> bool:
    """Return whether its casino gave a list without the return between its order and its end."""
    ordered_ms = case.subject.payments[PaymentKind.BET_RETURN].created_ms
    absent_ms = case.casino.witness.absent_ms.get(key_of(case, PaymentKind.BET_RETURN), ())
    return any(ordered_ms <= at_ms <= START_MS + round(1000 * ended_s) for at_ms in absent_ms)


def _ended_by_a_list(case: Case, kind: PaymentKind, payment: Payment) -> bool:
    """Return whether only a list without the payment can have ended it."""
    if kind is PaymentKind.STAKE:
        returned = PaymentKind.BET_RETURN in case.subject.payments
        return payment.state is PaymentState.EXPIRED and not returned
    refused = payment.state is PaymentState.REFUSED and payment.unanswered
    return isinstance(case.subject, Bet) and refused


def _proved(case: Case, kind: PaymentKind, times: PaymentTimes) -> bool:
    """Return whether the casino gave such a list after the last make that arrived had expired, and before the end."""
    witness, key = case.casino.witness, key_of(case, kind)
    ended_ms = START_MS + round(1000 * times.ended_s[key[0], kind.value])
    expired_ms = witness.valid_until_ms.get(key, 0)
    return any(expired_ms <= at_ms <= ended_ms for at_ms in witness.absent_ms.get(key, ()))
