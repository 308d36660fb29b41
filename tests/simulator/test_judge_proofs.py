"""The judge of proofs: a list proves an absence only after the last make has expired, a parked payment holds up the close, and
a stake that a list proved absent is not returned.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.faults import BRIEF_S, Weather
from croupier.simulator.judge import NUMBERS, Case, Judgement
from croupier.simulator.judge_proofs import judge_closes, judge_proofs, judge_returns
from croupier.simulator.payment_times import PaymentTimes
from croupier.simulator.stage import START_MS
from croupier.simulator.watch import Watch
from croupier.simulator.witness import SKEW_S, SLACK_S, VALID_S, Stated
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


# --- returns: of a stake that was never taken, and returns that were given up

HOLD_S = 6.0
ABSENT_S = HOLD_S + VALID_S + SKEW_S + SLACK_S
"""From then on a list without the stake proves that it was never taken: its last make was signed within the hold time."""
ORDERED_S = 40.0
NEEDLESS = "I7: b-1 was returned, and a list had shown that no stake was taken"
GIVEN_UP = "I7: b-1 bet_return ended, and its casino never said that it has no such bet"


def returned(ended: PaymentState = PaymentState.ACCEPTED, character: CasinoCharacter = CasinoCharacter.HONEST) -> Case:
    """A stake from the start of the world without an outcome, and its return, which was ordered later and ended like this."""
    ordered_ms = START_MS + round(1000 * ORDERED_S)
    payments = {
        STAKE: Payment(7, STAKE, 1_000, None, START_MS, state=PaymentState.EXPIRED, unanswered=True),
        RETURN: Payment(7, RETURN, 1_000, None, ordered_ms, state=ended, unanswered=True),
    }
    casino = casino_of(character)
    casino.dials = dials_of(**STILL)
    return Case(new_bet(payments=payments), casino, None, frozenset())


def without(one: Case, kind: PaymentKind) -> Case:
    payments = {other: payment for other, payment in one.subject.payments.items() if other is not kind}
    return replace(one, subject=new_bet(payments=payments))


def steady(**turned: Any) -> Any:
    """A world in which every list that a process received was taken into account."""
    scene, watch = world(**{"hold_s": HOLD_S, **turned}), Watch()
    watch.steady = True
    scene.weather, scene.watch = Weather(), watch
    for kind, state, at_s in ((STAKE, "created", 0.0), (STAKE, "expired", ABSENT_S), (RETURN, "created", ORDERED_S)):
        scene.payment_times.moved(7, kind.value, state, now_s=at_s)
    return scene


def listed(one: Case, scene: Any, asked_s: float, told_s: float, *, shows: tuple[PaymentKind, ...] = ()) -> None:
    """Let its casino list the bet with these payments, between a query and the arrival of the answer."""
    at_ms = [START_MS + round(1000 * at_s) for at_s in (asked_s, (asked_s + told_s) / 2, told_s)]
    one.casino.witness.listed(7, [(7, NUMBERS[kind], False) for kind in shows], at_ms[1])
    scene.weather.lists.setdefault(7, []).append((at_ms[0], at_ms[2]))


def of_returns(one: Case, scene: Any) -> list[str]:
    verdict = Judgement()
    judge_returns(scene, [one], verdict)
    return verdict.violations


@pytest.mark.parametrize(
    ("asked_s", "told_s", "wrong"),
    [
        (ABSENT_S, ABSENT_S + 1, 1),
        (ORDERED_S - 1, ORDERED_S, 1),
        (ABSENT_S - 0.001, ABSENT_S + 1, 0),  # a make of the stake may have been valid
        (ORDERED_S - 1, ORDERED_S + 0.001, 0),  # the hub had not received it
        (ORDERED_S + 1, ORDERED_S + 2, 0),
    ],
)
def test_no_stake_is_returned_that_a_list_has_proved_absent(asked_s: float, told_s: float, wrong: int) -> None:
    one, scene = returned(), steady()
    listed(one, scene, asked_s, told_s)
    assert of_returns(one, scene) == [NEEDLESS] * wrong
    assert scene.seen["return judged"] == 1


def test_an_early_list_and_a_late_one_do_not_excuse_a_return_after_the_right_one() -> None:
    one, scene = returned(), steady()
    for asked_s in (ABSENT_S - 5, ABSENT_S + 2, ORDERED_S + 5):
        listed(one, scene, asked_s, asked_s + 1)
    assert of_returns(one, scene) == [NEEDLESS]


def test_a_stake_that_no_list_missed_is_returned_rightly() -> None:
    one, scene = returned(), steady()
    assert of_returns(one, scene) == [], "nobody asked"
    listed(one, scene, ABSENT_S + 1, ABSENT_S + 2, shows=(STAKE,))
    assert of_returns(one, scene) == []


def test_a_list_that_the_hub_did_not_receive_as_one_shows_nothing() -> None:
    one, scene = returned(), steady()
    at_ms = START_MS + round(1000 * (ABSENT_S + 1))
    one.casino.witness.listed(7, [], at_ms)
    assert of_returns(one, scene) == [], "its answer was lost"
    scene.weather.lists[7] = [(at_ms - 1000, at_ms - 1), (at_ms + 1, at_ms + 1000)]
    assert of_returns(one, scene) == [], "nonsense took the place of the list in the answers that arrived"
    scene.weather.lists[8] = [(at_ms, at_ms)]
    assert of_returns(one, scene) == [], "it was about another bet"
    scene.weather.lists[7].append((at_ms, at_ms))
    assert of_returns(one, scene) == [NEEDLESS]


@pytest.mark.parametrize(("accepted_s", "wrong"), [(ORDERED_S - 1, 0), (ORDERED_S, 0), (ORDERED_S + 1, 1)])
def test_a_stake_that_turned_up_after_the_list_is_returned_rightly(accepted_s: float, wrong: int) -> None:
    one, scene = returned(), steady()
    listed(one, scene, ABSENT_S, ABSENT_S + 1)
    scene.payment_times.moved(7, "stake", "accepted", now_s=accepted_s)
    assert of_returns(one, scene) == [NEEDLESS] * wrong


def test_a_return_without_a_stake_was_ordered_by_a_person() -> None:
    one, scene = returned(), steady()
    listed(one, scene, ABSENT_S, ABSENT_S + 1)
    one = without(one, STAKE)
    assert of_returns(one, scene) == []


@pytest.mark.parametrize(("slow_db_s", "wrong"), [(0.2, 1), (BRIEF_S, 1), (6.0, 0)])
def test_a_list_may_be_lost_on_its_way_to_a_slow_database(slow_db_s: float, wrong: int) -> None:
    one, scene = returned(), steady(slow_db_s=slow_db_s)
    listed(one, scene, ABSENT_S, ABSENT_S + 1)
    assert of_returns(one, scene) == [NEEDLESS] * wrong


def test_a_list_may_be_lost_with_its_process() -> None:
    one, scene = returned(PaymentState.REFUSED), steady()
    scene.watch.steady = False
    listed(one, scene, ABSENT_S, ABSENT_S + 1)
    assert of_returns(one, scene) == []
    scene.payment_times.moved(7, "bet_return", "refused", now_s=ENDED_S)
    assert of_returns(one, scene) == [GIVEN_UP], "a return is given up by a record, whatever becomes of a process"


@pytest.mark.parametrize(
    ("listed_s", "wrong"),
    [
        ([], 1),
        ([ORDERED_S - 1], 1),  # a list from before the order says nothing about the return
        ([ORDERED_S], 0),
        ([ENDED_S], 0),
        ([ENDED_S + 1], 1),
        ([ORDERED_S - 1, ENDED_S + 1], 1),
        ([ORDERED_S - 1, ENDED_S - 1], 0),
    ],
    ids=str,
)
@pytest.mark.parametrize("state", [PaymentState.REFUSED, PaymentState.EXPIRED])
def test_a_return_is_given_up_only_by_a_list_without_it(state: PaymentState, listed_s: list[float], wrong: int) -> None:
    one, scene = returned(state), steady()
    for at_s in listed_s:
        one.casino.witness.listed(7, [], START_MS + round(1000 * at_s))
    scene.payment_times.moved(7, "bet_return", state.value, now_s=ENDED_S)
    assert of_returns(one, scene) == [GIVEN_UP] * wrong


def test_a_list_that_shows_the_return_does_not_end_it() -> None:
    one, scene = returned(PaymentState.REFUSED), steady()
    one.casino.witness.listed(7, [(7, NUMBERS[RETURN], False)], START_MS + round(1000 * ORDERED_S))
    scene.payment_times.moved(7, "bet_return", "refused", now_s=ENDED_S)
    assert of_returns(one, scene) == [GIVEN_UP]


@pytest.mark.parametrize(("unknown", "wrong"), [((7, 2, False), 0), ((7, -2, False), 1), ((8, 2, False), 1)])
def test_a_return_is_given_up_when_its_casino_does_not_know_the_bet(unknown: tuple[int, int, bool], wrong: int) -> None:
    one, scene = returned(PaymentState.REFUSED), steady()
    one.casino.witness.unknown.add(unknown)
    scene.payment_times.moved(7, "bet_return", "refused", now_s=ENDED_S)
    assert of_returns(one, scene) == [GIVEN_UP] * wrong


@pytest.mark.parametrize(
    ("turned", "character"),
    [
        ({"skew_ms": 1}, CasinoCharacter.HONEST),
        ({"pause_every_s": 60.0}, CasinoCharacter.HONEST),
        ({}, CasinoCharacter.FORGETFUL),
    ],
    ids=str,
)
def test_returns_are_not_judged_by_clocks_that_jump_nor_by_books_that_need_not_agree(
    turned: dict[str, Any], character: CasinoCharacter
) -> None:
    one, scene = returned(PaymentState.REFUSED, character), steady(**turned)
    listed(one, scene, ABSENT_S, ABSENT_S + 1)
    scene.payment_times.moved(7, "bet_return", "refused", now_s=ENDED_S)
    assert (of_returns(one, scene), scene.seen) == ([], Counter())


def test_a_bet_without_a_return_is_not_judged_as_one() -> None:
    one, scene = returned(), steady()
    listed(one, scene, ABSENT_S, ABSENT_S + 1)
    one = without(one, RETURN)
    assert (of_returns(one, scene), scene.seen) == ([], Counter())
