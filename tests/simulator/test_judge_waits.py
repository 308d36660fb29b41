"""The judge of waits: an expired stake is asked about for a day, and the cancel of a refused cashback leaves when no copy of its
make can be booked any more.
"""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.faults import Weather
from croupier.simulator.judge import QUARANTINED, Case, Judgement
from croupier.simulator.judge_waits import LATE_S, judge_waits
from croupier.simulator.payment_times import PaymentTimes
from croupier.simulator.stage import START_MS
from croupier.simulator.witness import SKEW_S, SLACK_S, VALID_S, Stated
from tests.core.samples import new_bet, new_cashback
from tests.simulator.test_dials import dials_of
from tests.simulator.test_sim_casino import casino_of

STAKE, CASHBACK, CANCEL = PaymentKind.STAKE, PaymentKind.CASHBACK, PaymentKind.CASHBACK_CANCEL
NOT_ASKED = "I7: b-1 expired, and its casino was not asked again after an hour"
TOO_EARLY = "I7: week 12 was cancelled while a copy of its payment was still valid"


def world(**turned: Any) -> Any:
    dials = dials_of(**{"skew_ms": 0, "pause_every_s": 0.0, **turned})
    return SimpleNamespace(dials=dials, payment_times=PaymentTimes(), weather=Weather(), seen=Counter())


def violations(scene: Any, subject: Bet | Cashback, *incidents: str, casino: Any = None) -> list[str]:
    verdict = Judgement()
    one = Case(subject, casino or casino_of(CasinoCharacter.HONEST), None, frozenset(incidents))
    judge_waits(scene, [one], verdict)
    return verdict.violations


# --- late queries

AFTER_S = 100.0
"""The stake was committed so long after the start of the world."""


def expired(state: PaymentState = PaymentState.EXPIRED, kind: PaymentKind = STAKE) -> Bet:
    created_ms = START_MS + round(1000 * AFTER_S)
    return new_bet(payments={kind: Payment(7, kind, 1_000, None, created_ms, state=state)})


def asked(*times_s: float, bet: int = 7, **turned: Any) -> Any:
    """A world in which the casino was called about a bet, so long after its stake was committed."""
    scene = world(**turned)
    scene.weather.calls[bet] = [START_MS + round(1000 * (AFTER_S + at_s)) for at_s in times_s]
    return scene


@pytest.mark.parametrize(
    ("times_s", "wrong"),
    [
        ((), 1),
        ((0.0, 30.0, 600.0), 1),
        ((LATE_S - SLACK_S - 0.001,), 1),
        ((LATE_S - SLACK_S,), 0),
        ((0.0, 30.0, LATE_S + 20), 0),
        ((LATE_S + 20, 30.0), 0),
    ],
    ids=str,
)
def test_the_casino_of_an_expired_stake_is_asked_again_after_an_hour(times_s: tuple[float, ...], wrong: int) -> None:
    scene = asked(*times_s)
    assert violations(scene, expired()) == [NOT_ASKED] * wrong
    assert scene.seen["expired for an hour"] == 1


def test_a_query_about_another_bet_is_none_about_this_one() -> None:
    assert violations(asked(LATE_S, bet=8), expired()) == [NOT_ASKED]


@pytest.mark.parametrize("state", [state for state in PaymentState if state is not PaymentState.EXPIRED])
def test_only_a_stake_that_expired_is_asked_about(state: PaymentState) -> None:
    scene = asked()
    assert (violations(scene, expired(state)), scene.seen) == ([], Counter())


def test_a_bet_without_a_stake_has_nothing_to_ask_about() -> None:
    assert violations(asked(), expired(kind=PaymentKind.JACKPOT)) == []


def test_a_quarantined_call_waits_for_a_person() -> None:
    assert violations(asked(), expired(), QUARANTINED) == []
    assert violations(asked(), expired(), "difference") == [NOT_ASKED]


@pytest.mark.parametrize("turned", [{"skew_ms": 1}, {"pause_every_s": 60.0}], ids=str)
def test_nothing_is_late_by_clocks_that_jump(turned: dict[str, Any]) -> None:
    assert violations(asked(**turned), expired()) == []
    cancelled_s = SIGNED_S + 1
    assert violations(refused(**turned), new_cashback(), casino=cancelled(cancelled_s)) == []


# --- the cancel of a refused cashback

SIGNED_S, REFUSED_S, ORDERED_S = 10, 12.0, 15.0
VALID_UNTIL_S = SIGNED_S + VALID_S + SKEW_S
ID = 8


def refused(ordered_s: float = ORDERED_S, **turned: Any) -> Any:
    """A world in which a cashback was refused, and its cancel was ordered."""
    scene = world(**turned)
    for kind, state, at_s in (
        (CASHBACK, "created", 9.0),
        (CASHBACK, "refused", REFUSED_S),
        (CANCEL, "created", ordered_s),
    ):
        scene.payment_times.moved(ID, kind.value, state, now_s=at_s)
    return scene


def cancelled(*signed_s: int, paid_signed_s: tuple[int, ...] = (SIGNED_S,)) -> Any:
    """A casino that heard the makes of a cashback and of its cancel, signed in these seconds."""
    casino = casino_of(CasinoCharacter.HONEST)
    for number, seconds in ((1, paid_signed_s), (-1, signed_s)):
        for second in seconds:
            stated = Stated("ann", 500, "EUR", None)
            casino.witness.heard((ID, number, True), {}, stated, signed_s=START_MS // 1000 + second)
    return casino


@pytest.mark.parametrize(
    ("left_s", "wrong"),
    [(SIGNED_S + 5, 1), (VALID_UNTIL_S - SLACK_S - 1, 1), (VALID_UNTIL_S - SLACK_S, 0), (VALID_UNTIL_S + 60, 0)],
)
def test_the_cancel_of_a_refused_cashback_leaves_when_no_copy_of_it_is_valid(left_s: int, wrong: int) -> None:
    scene = refused()
    assert violations(scene, new_cashback(), casino=cancelled(left_s)) == [TOO_EARLY] * wrong
    assert scene.seen["cancel of a refused cashback"] == 1


def test_the_first_cancel_and_the_last_make_of_the_cashback_count() -> None:
    early_and_late = cancelled(SIGNED_S + 5, VALID_UNTIL_S + 60)
    assert violations(refused(), new_cashback(), casino=early_and_late) == [TOO_EARLY]
    made_again = cancelled(VALID_UNTIL_S, paid_signed_s=(SIGNED_S, SIGNED_S + 5))
    assert violations(refused(), new_cashback(), casino=made_again) == [TOO_EARLY]


def test_a_cashback_of_which_no_make_arrived_can_be_cancelled_at_once() -> None:
    assert violations(refused(), new_cashback(), casino=cancelled(SIGNED_S, paid_signed_s=())) == []


@pytest.mark.parametrize(("paid_s", "wrong"), [(SIGNED_S + 4.0, 0), (SIGNED_S + 5.0, 0), (SIGNED_S + 6.0, 1)])
def test_a_cashback_that_was_paid_after_all_is_cancelled_at_once(paid_s: float, wrong: int) -> None:
    scene = refused()
    scene.payment_times.moved(ID, "cashback", "accepted", now_s=paid_s)
    assert violations(scene, new_cashback(), casino=cancelled(SIGNED_S + 5)) == [TOO_EARLY] * wrong


@pytest.mark.parametrize(("ordered_s", "wrong"), [(REFUSED_S - 1, 0), (REFUSED_S, 1), (REFUSED_S + 1, 1)])
def test_a_cancel_that_was_ordered_before_the_refusal_is_another_one(ordered_s: float, wrong: int) -> None:
    casino = cancelled(SIGNED_S + 5)
    assert violations(refused(ordered_s), new_cashback(), casino=casino) == [TOO_EARLY] * wrong


def test_a_cancel_that_never_arrived_was_not_early() -> None:
    assert violations(refused(), new_cashback(), casino=cancelled()) == []


@pytest.mark.parametrize("missing", ["ended_s", "created_s"])
def test_a_cashback_that_was_not_refused_or_not_cancelled_has_no_such_wait(missing: str) -> None:
    scene = refused()
    getattr(scene.payment_times, missing).clear()
    assert violations(scene, new_cashback(), casino=cancelled(SIGNED_S + 5)) == []
    assert scene.seen == Counter()
