"""The judge of comparisons: what ended long ago waits for none, and what had an unanswered try was compared by a usable list."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from croupier.core.bet import BetState
from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.judge import Case, Judgement
from croupier.simulator.judge_comparisons import LAG_S, judge_comparisons
from tests.core.samples import T0, new_bet, new_cashback
from tests.simulator.test_sim_casino import casino_of

WAITS = "reconciliation: b-1 settled is wanted, and was never compared"
SILENT = "reconciliation: b-1 had an unanswered try, and was never compared"
LONG_S = LAG_S + 1


def case(*, unanswered: bool = True, **changes: Any) -> Case:
    payment = Payment(7, PaymentKind.STAKE, 1_000, None, T0, state=PaymentState.ACCEPTED, unanswered=unanswered)
    plain = {"state": BetState.SETTLED, "ended_ms": T0, "payments": {PaymentKind.STAKE: payment}}
    return Case(new_bet(**{**plain, **changes}), casino_of(CasinoCharacter.HONEST), None, frozenset())


def row(result: str, *, wanted: bool = False) -> dict[str, Any]:
    return {"subject_id": 7, "at_ms": T0, "result": result, "wanted": wanted}


async def violations(one: Case, *rows: dict[str, Any], after_s: float = LONG_S, compared: tuple[int, ...] = ()) -> Any:
    async def fetch(_sql: str) -> list[dict[str, Any]]:
        return list(rows)

    clock = SimpleNamespace(now_ms=lambda: T0 + round(after_s * 1000))
    stage = SimpleNamespace(db=SimpleNamespace(fetch=fetch), clock=clock)
    scene: Any = SimpleNamespace(stage=stage, seen=Counter(), compared=set(compared))
    verdict = Judgement()
    await judge_comparisons(scene, [one], verdict)
    return verdict.violations


@pytest.mark.parametrize("unanswered", [False, True])
async def test_who_is_wanted_long_after_the_end_was_never_compared(*, unanswered: bool) -> None:
    one = case(unanswered=unanswered)
    assert await violations(one, row("agrees", wanted=True)) == [WAITS]
    assert await violations(one, row("agrees", wanted=False)) == []


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([], 1),
        ([row("drawn")], 1),  # it was drawn for the sample, and is not compared yet
        ([row("unusable")], 1),
        ([row("agrees")], 0),
        ([row("differs")], 0),
    ],
)
async def test_an_unanswered_try_is_compared_by_a_usable_list(rows: list[dict[str, Any]], wrong: int) -> None:
    assert await violations(case(), *rows) == [SILENT] * wrong
    assert await violations(case(), *rows, compared=(7,)) == [], "the hub has compared it once, whatever came later"
    assert await violations(case(), *rows, compared=(8,)) == [SILENT] * wrong
    assert await violations(case(unanswered=False), *rows) == [], "every try had its answer"


async def test_what_ended_a_moment_ago_may_still_wait() -> None:
    assert await violations(case(), row("drawn", wanted=True), after_s=LAG_S - 1) == []
    late = Payment(
        7, PaymentKind.STAKE, 1, None, T0, state=PaymentState.ACCEPTED, unanswered=True, decided_ms=T0 + 9000
    )
    assert await violations(case(payments={PaymentKind.STAKE: late})) == [], "its last outcome came later than its end"
    assert await violations(case(payments={PaymentKind.STAKE: late}), after_s=LAG_S + 10) == [SILENT]


async def test_bets_that_have_not_ended_and_cashbacks_are_not_compared() -> None:
    assert await violations(case(state=BetState.ON), row("drawn", wanted=True)) == []
    sent = Payment(7, PaymentKind.BET_RETURN, 1, None, T0, state=PaymentState.SENT, unanswered=True)
    assert await violations(case(payments={PaymentKind.BET_RETURN: sent})) == []
    cashback = Case(new_cashback(cashback_id=7), casino_of(CasinoCharacter.HONEST), None, frozenset())
    assert await violations(cashback, row("drawn", wanted=True)) == []
