"""One row for every refusal and every fault, as the contract's table has them (provider.md 2)."""

from __future__ import annotations

import pytest

from croupier.core.refusals import Refusal
from croupier.providers.betcore_v1.outcomes import (
    FAULT_TEXTS,
    FAULTS,
    NOT_TAKEN_STATUSES,
    REFUSALS,
    SUCCESS,
    RequestFault,
    WireOutcome,
    wire_outcome,
)

CONTRACT = {2: {404}, 3: {402}, 4: {403}, 5: {404}, 6: {400}, 7: {409}, 8: {401}, 99: {429, 503, 504}}


def test_every_refusal_has_a_row() -> None:
    assert set(REFUSALS) == set(Refusal)


def test_every_fault_has_a_row_and_words() -> None:
    assert set(FAULTS) == set(FAULT_TEXTS) == set(RequestFault)


def test_the_table_is_the_contracts() -> None:
    told: dict[int, set[int]] = {}
    for outcome in REFUSALS.values():
        told.setdefault(outcome.code, set()).add(outcome.status)
    assert told == CONTRACT


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (RequestFault.TOO_LARGE, 6, 413),
        (RequestFault.WRONG_TYPE, 6, 415),
        (RequestFault.UNKNOWN_PATH, 6, 404),
        (RequestFault.WRONG_METHOD, 6, 405),
    ],
)
def test_faults_are_the_contracts(fault: RequestFault, code: int, status: int) -> None:
    assert FAULTS[fault] == WireOutcome(code, status)


def test_what_may_still_be_taken_is_never_told_as_a_definite_no() -> None:
    """Live providers give a stake up for good on 2 to 8 (and this is what keeps players' money right)."""
    open_ends = (Refusal.OUTCOME_UNKNOWN, Refusal.NOT_TAKEN, Refusal.RATE_LIMITED)
    assert {REFUSALS[refusal].code for refusal in open_ends} == {99}


def test_success_is_one_and_200() -> None:
    assert wire_outcome(None) == SUCCESS == WireOutcome(1, 200)
    assert SUCCESS not in REFUSALS.values()


def test_only_the_statuses_of_not_taken_promise_that_nothing_was_written() -> None:
    assert {REFUSALS[Refusal.NOT_TAKEN].status, REFUSALS[Refusal.RATE_LIMITED].status} == NOT_TAKEN_STATUSES
    assert REFUSALS[Refusal.OUTCOME_UNKNOWN].status not in NOT_TAKEN_STATUSES
