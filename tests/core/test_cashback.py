"""The table of cashbacks: whole, closed, every state met and no state a trap (money.md 2.6, 2.7 and 2.9)."""

from __future__ import annotations

import itertools
from operator import attrgetter

import pytest

from croupier.core.cashback import (
    CASHBACK_TABLE,
    CashbackEvent,
    CashbackState,
    IllegalCashback,
    next_cashback_state,
)
from tests.core.samples import new_cashback

S = CashbackState
E = CashbackEvent
UNDERWAY = {S.OWED, S.CANCEL_WANTED, S.TAKING_BACK}


def reached(begin: set[CashbackState]) -> set[CashbackState]:
    found, grown = set(begin), True
    while grown:
        more = {after for (state, _), after in CASHBACK_TABLE.items() if state in found}
        grown = not more <= found
        found |= more
    return found


@pytest.mark.parametrize(("state", "event"), list(itertools.product(S, E)))
def test_a_pair_leads_where_the_table_says_or_raises(state: CashbackState, event: CashbackEvent) -> None:
    after = CASHBACK_TABLE.get((state, event))
    if after is not None:
        assert next_cashback_state(state, event) is after
        return
    with pytest.raises(IllegalCashback, match=f"a cashback that is {state.value} does not allow {event.value}"):
        next_cashback_state(state, event)


def test_every_state_is_met_from_its_birth_and_every_event_used() -> None:
    assert reached({S.OWED}) == set(S)
    assert {event for _, event in CASHBACK_TABLE} == set(E)


@pytest.mark.parametrize("state", sorted(UNDERWAY, key=attrgetter("value")))
def test_what_is_underway_has_a_way_to_rest(state: CashbackState) -> None:
    assert reached({state}) - UNDERWAY


def test_a_cancel_never_takes_back_what_has_no_outcome() -> None:
    """It waits: from `owed` the wish is kept, and only a payment starts the taking back (money.md 2.9)."""
    assert CASHBACK_TABLE[S.OWED, E.CANCEL] is S.CANCEL_WANTED
    assert CASHBACK_TABLE[S.CANCEL_WANTED, E.ACCEPTED] is S.TAKING_BACK
    assert CASHBACK_TABLE[S.PAID, E.CANCEL] is S.TAKING_BACK


def test_a_success_that_comes_after_the_end_is_never_lost() -> None:
    """Given up and then paid is paid; cancelled unpaid and then paid is taken back."""
    assert CASHBACK_TABLE[S.GIVEN_UP, E.ACCEPTED] is S.PAID
    assert CASHBACK_TABLE[S.CANCELLED, E.ACCEPTED] is S.TAKING_BACK
    assert CASHBACK_TABLE[S.KEPT, E.CANCEL_ACCEPTED] is S.CANCELLED


def test_a_cashback_goes_by_its_own_number() -> None:
    assert new_cashback().subject_id == 8
