"""The checks of every commit: a cashback cannot be queried, so a refusal ends it only if no earlier try went unanswered."""

from __future__ import annotations

from typing import Any

import pytest

from croupier.simulator.watch import Watch

REFUSED = "I2: week 12 was refused, and an earlier try of it went unanswered"


def payment(state: str, **changes: Any) -> dict[str, Any]:
    plain = {"subject_id": 8, "kind": "cashback", "amount": 500, "tax": None, "unanswered": False}
    return {**plain, "state": state, **changes}


def watched(*payments: dict[str, Any]) -> list[str]:
    """What is found in the commits of these payments, one after the other."""
    watch = Watch()
    watch.names[8] = "week 12"
    for row in payments:
        watch.landed({"pay": [row]})
    return watch.violations


@pytest.mark.parametrize(("unanswered", "wrong"), [(False, 0), (True, 1)])
@pytest.mark.parametrize("before", [("created",), ("created", "sent"), ("created", "parked")], ids=str)
def test_a_cashback_is_not_refused_after_a_try_that_went_unanswered(
    before: tuple[str, ...], *, unanswered: bool, wrong: int
) -> None:
    rows = [payment(state) for state in before]
    assert watched(*rows, payment("refused", unanswered=unanswered)) == [REFUSED] * wrong


@pytest.mark.parametrize(("event", "wrong"), [("given_up_by_person", 0), ("cancelled", 1)])
def test_a_person_may_end_it_as_refused(event: str, wrong: int) -> None:
    watch = Watch()
    watch.names[8] = "week 12"
    watch.landed({"pay": [payment("created")]})
    told = {"subject_id": 8, "event": event, "state": "cancelled"}
    watch.landed({"pay": [payment("refused", unanswered=True)], "event": [told]})
    assert watch.violations == [REFUSED] * wrong


@pytest.mark.parametrize("state", ["sent", "accepted", "parked"])
def test_a_try_that_went_unanswered_may_end_otherwise(state: str) -> None:
    assert watched(payment("created"), payment(state, unanswered=True)) == []


@pytest.mark.parametrize("kind", ["stake", "bet_return", "payout_return", "cashback_cancel"])
def test_other_payments_may_be_refused_after_a_try_that_went_unanswered(kind: str) -> None:
    """Those of a bet can be queried, and the cancel of a cashback that was never paid takes nothing."""
    created, refused = payment("created", kind=kind), payment("refused", kind=kind, unanswered=True)
    assert watched(created, refused) == []
