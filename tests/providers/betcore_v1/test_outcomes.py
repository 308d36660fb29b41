"""One row for every refusal and every fault, as the contract's table has them (provider.md 2)."""

from __future__ import annotations

import pytest

from croupier.core.refusals import Refusal
from croupier.providers.betcore_v1.outcomes import (
    FAULT_TEXTS,
    FAULTS,
    REFUSALS,
    SUCCESS,
    RequestFault,
    WireOutcome,
    refusal_of,
    wire_outcome,
)

CONTRACT = {2: {404}, 3: {402}, 4: {403}, 5: {404}, 6: {400}, 7: {409}, 8: {401}, 99: {503, 504}}


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
    assert REFUSALS[Refusal.OUTCOME_UNKNOWN].code == REFUSALS[Refusal.NOT_TAKEN].code == 99


def test_success_is_one_and_200_both_ways() -> None:
    assert wire_outcome(None) == SUCCESS == WireOutcome(1, 200)
    assert refusal_of(1, 200) is None


@pytest.mark.parametrize("refusal", list(Refusal))
def test_reading_back_gives_a_refusal_with_the_same_row(refusal: Refusal) -> None:
    outcome = wire_outcome(refusal)
    read = refusal_of(outcome.code, outcome.status)
    assert read is not None
    assert wire_outcome(read) == outcome


def test_a_code_shared_by_several_is_read_as_the_general_one() -> None:
    assert refusal_of(4, 403) is Refusal.CASINO_REFUSED


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (503, Refusal.NOT_TAKEN),
        (429, Refusal.NOT_TAKEN),
        (504, Refusal.OUTCOME_UNKNOWN),
        (200, Refusal.OUTCOME_UNKNOWN),
    ],
)
def test_only_the_statuses_of_not_taken_promise_that_nothing_was_written(status: int, refusal: Refusal) -> None:
    assert refusal_of(99, status) is refusal


@pytest.mark.parametrize("code", [0, -1, 9, 98, 100, 1_000])
def test_an_unknown_code_means_nothing(code: int) -> None:
    with pytest.raises(ValueError, match="not in the table"):
        refusal_of(code, 200)
