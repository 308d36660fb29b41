"""The times at which bets stood unclaimed: no claim may end before its time is over, and whoever asks within it is served."""

from __future__ import annotations

from typing import Any

import pytest

from croupier.simulator.claims import CLAIM_S, Claims
from croupier.simulator.watch import Watch

BET = (22, "b-1")
SINCE_S = 100.0
NOBODY = {"subject_id": 7, "event": "taken_up", "state": "returned"}


def row(state: str, **changes: Any) -> dict[str, Any]:
    return {"bet_id": 7, "provider_id": 22, "bet_ref": "b-1", "state": state, **changes}


def stood(seconds: float) -> Claims:
    claims = Claims()
    claims.stands(row("unclaimed"), SINCE_S)
    claims.stands(row("undoing"), SINCE_S + seconds)
    return claims


@pytest.mark.parametrize(
    ("seconds", "late_s", "early"),
    [
        (CLAIM_S - 0.1, 0.0, True),
        (CLAIM_S, 0.0, False),
        (CLAIM_S + 5, 0.0, False),
        (CLAIM_S - 0.1, 0.25, False),  # its commit may be seen that late
        (CLAIM_S - 0.3, 0.25, True),
    ],
)
def test_a_claim_that_ends_before_its_time_is_over_is_early(seconds: float, late_s: float, *, early: bool) -> None:
    assert stood(seconds).ended_early(NOBODY, late_s) is early


@pytest.mark.parametrize(
    "event", [{"event": "refunded"}, {"event": "claimed", "state": "on"}, {"subject_id": 8}], ids=str
)
def test_a_refund_a_claim_and_another_bet_end_no_claim_early(event: dict[str, Any]) -> None:
    assert not stood(1.0).ended_early({**NOBODY, **event}, 0.0)


def test_clocks_that_are_not_exact_end_no_claim_early() -> None:
    claims = stood(1.0)
    claims.exact = False
    assert not claims.ended_early(NOBODY, 0.0)


def test_an_end_is_judged_once() -> None:
    claims = stood(1.0)
    assert [claims.ended_early(NOBODY, 0.0) for _ in range(2)] == [True, False]


def test_the_time_runs_from_the_first_row_that_says_unclaimed() -> None:
    claims = Claims()
    for at_s in (SINCE_S, SINCE_S + 10):
        claims.stands(row("unclaimed"), at_s)
    claims.stands(row("undoing"), SINCE_S + CLAIM_S)
    assert not claims.ended_early(NOBODY, 0.0)


@pytest.mark.parametrize(
    ("span_s", "covered"),
    [
        ((101.0, 109.0), True),
        ((99.0, 101.0), False),  # it was asked before
        ((109.0, 111.0), False),  # its answer came after
        ((90.0, 120.0), False),
    ],
)
def test_a_span_covers_a_request_and_its_answer(span_s: tuple[float, float], *, covered: bool) -> None:
    claims = stood(10.0)
    assert claims.covers(BET, span_s) is covered
    assert not claims.covers((23, "b-1"), span_s), "another provider's bet with the same betId"


def test_a_cashback_and_a_bet_that_was_never_unclaimed_have_no_span() -> None:
    claims = Claims()
    claims.stands({"cashback_id": 8, "state": "unclaimed"}, 1.0)
    claims.stands(row("on"), 2.0)
    assert not claims.covers(BET, (1.5, 1.6))
    assert not claims.ended_early(NOBODY, 0.0)


@pytest.mark.parametrize(("seconds", "wrong"), [(CLAIM_S - 1, 1), (CLAIM_S, 0)])
def test_committed_rows_of_a_claim_that_ended_early_are_a_violation(seconds: float, wrong: int) -> None:
    watch = Watch()
    watch.names[7] = "b-1"
    for state, at_s, event in (("unclaimed", 1.0, "accepted"), ("returned", 1.0 + seconds, "taken_up")):
        watch.now_s = lambda at_s=at_s: at_s  # type: ignore[misc] # the time of this commit
        watch.landed({"moved": [row(state)], "event": [{"subject_id": 7, "event": event, "state": state}]})
    assert watch.violations == ["I3: b-1 was given back before its claim time was over"] * wrong
