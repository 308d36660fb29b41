"""The judge of proofs: a list proves an absence only after the last make has expired, and a parked payment holds up the close."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.judge import NUMBERS, Case, Judgement
from croupier.simulator.judge_proofs import judge_closes, judge_proofs
from croupier.simulator.payment_times import PaymentTimes
from croupier.simulator.stage import START_MS
from croupier.simulator.witness import SKEW_S, VALID_S, Stated
from tests.core.samples import new_bet
from tests.simulator.test_dials import dials_of
from tests.simulator.test_sim_casino import casino_of

STAKE, PAYOUT, RETURN = PaymentKind.STAKE, PaymentKind.PAYOUT, PaymentKind.BET_RETURN
STILL: dict[str, Any] = {"skew_ms": 0, "pause_every_s": 0.0, "crash_every_s": 0.0}
SENT_S = 10
EXPIRED_S = SENT_S + VALID_S + SKEW_S
ENDED_S = 60.0


def case(kind: PaymentKind, amount: int = 1_000, character: CasinoCharacter = CasinoCharacter.HONEST) -> Case:
    """A bet with a payment that has no booking and no answer."""
    state = PaymentState.EXPIRED if kind is STAKE else PaymentState.REFUSED
    payment = Payment(7, kind, amount, None, START_MS, state=state, unanswered=True)
    casino = casino_of(character)
    casino.dials = dials_of(**STILL)
    return Case(new_bet(payments={kind: payment}), casino, None, frozenset())


def world(**turned: Any) -> Any:
    return SimpleNamespace(dials=dials_of(**{**STILL, **turned}), payment_times=PaymentTimes(), seen=Counter())


def violations(one: Case, scene: Any, kind: PaymentKind, listed_s: list[float]) -> list[str]:
    """What is found in a payment that was made once, and listed without it at these times."""
    witness, number, verdict = one.casino.witness, NUMBERS[kind], Judgement()
    stated = Stated("ann", 1_000, "EUR", None)
    witness.heard((7, number, False), {}, stated, signed_s=START_MS // 1000 + SENT_S)
    for at_s in listed_s:
        witness.listed(7, [], START_MS + round(at_s * 1000))
    state = next(iter(one.subject.payments.values())).state.value
    scene.payment_times.moved(7, kind.value, state, now_s=ENDED_S)
    judge_proofs(scene, [one], verdict)
    return verdict.violations


@pytest.mark.parametrize("kind", [STAKE, RETURN, PaymentKind.PAYOUT_RETURN])
@pytest.mark.parametrize(
    ("listed_s", "wrong"),
    [
        ([EXPIRED_S - 0.1], 1),
        ([EXPIRED_S], 0),
        ([EXPIRED_S - 5, EXPIRED_S + 5], 0),
        ([ENDED_S + 1], 1),  # it came after the payment had ended
        ([], 1),
    ],
)
def test_a_payment_ends_by_a_list_from_after_its_last_make_expired(
    kind: PaymentKind, listed_s: list[float], wrong: int
) -> None:
    scene = world()
    found = violations(case(kind), scene, kind, listed_s)
    assert found == [f"I2: b-1 {kind.value} ended by a list from before its last make expired"] * wrong
    assert scene.seen[f"proved absent {kind.value}"] == 1


def test_a_list_that_shows_the_payment_proves_no_absence() -> None:
    one, scene = case(STAKE), world()
    one.casino.witness.listed(7, [(7, NUMBERS[STAKE], False)], START_MS + 1000 * EXPIRED_S)
    assert len(violations(one, scene, STAKE, [])) == 1


def test_an_older_make_that_arrives_later_changes_nothing_about_the_last_one() -> None:
    one, scene = case(STAKE), world()
    one.casino.witness.heard(
        (7, -1, False), {}, Stated("ann", 1_000, "EUR", None), signed_s=START_MS // 1000 + SENT_S + 5
    )
    assert len(violations(one, scene, STAKE, [EXPIRED_S + 4])) == 1


@pytest.mark.parametrize("turned", [{"skew_ms": 1}, {"pause_every_s": 60.0}], ids=str)
def test_clocks_that_jump_and_processes_that_sleep_prove_nothing(turned: dict[str, Any]) -> None:
    assert violations(case(STAKE), world(**turned), STAKE, [SENT_S]) == []


def test_a_casino_that_forgets_proves_nothing() -> None:
    assert violations(case(STAKE, character=CasinoCharacter.FORGETFUL), world(), STAKE, [SENT_S]) == []


@pytest.mark.parametrize("state", [PaymentState.REFUSED, PaymentState.ACCEPTED])
def test_a_payment_that_ended_by_an_answer_needs_no_list(state: PaymentState) -> None:
    one, scene, verdict = case(RETURN), world(), Judgement()
    one.subject.payments[RETURN] = Payment(7, RETURN, 1_000, None, START_MS, state=state, unanswered=False)
    judge_proofs(scene, [one], verdict)
    assert (verdict.violations, scene.seen) == ([], Counter())


PARKED_S = (100.0, 200.0)


@pytest.mark.parametrize(
    ("closed_s", "amount", "wrong"),
    [
        (150, 1_000, 1),
        (150, 0, 0),  # a payout of nothing holds up no close
        (205, 1_000, 0),
        (95, 1_000, 0),
        (101, 1_000, 0),  # it was signed in another second than the commit
    ],
)
def test_no_bet_is_closed_while_a_payment_of_it_is_parked(closed_s: int, amount: int, wrong: int) -> None:
    assert closed(case(PAYOUT, amount), world(), closed_s) == ["I4: b-1 was closed while its payout was parked"] * wrong


def test_a_payment_that_stays_parked_holds_up_every_close() -> None:
    one, scene = case(PAYOUT), world()
    scene.payment_times.moved(7, "payout", "parked", now_s=PARKED_S[0])
    assert len(closed(one, scene, 5_000, until="parked")) == 1


@pytest.mark.parametrize("turned", [{"skew_ms": 1}, {"pause_every_s": 60.0}], ids=str)
def test_closes_are_not_judged_by_clocks_that_jump(turned: dict[str, Any]) -> None:
    assert closed(case(PAYOUT), world(**turned), 150) == []


def closed(one: Case, scene: Any, closed_s: int, until: str = "accepted") -> list[str]:
    """What is found in a bet that was closed then, with a payout that was parked for a while."""
    verdict = Judgement()
    if until != "parked":
        for state, at_s in zip(("parked", until), PARKED_S, strict=True):
            scene.payment_times.moved(7, "payout", state, now_s=at_s)
    one.casino.witness.close(7, closed=True, signed_s=START_MS // 1000 + closed_s)
    judge_closes(scene, [one], verdict)
    return verdict.violations
