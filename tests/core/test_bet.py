"""The table of bets: whole, closed, every state met from a birth and no state a trap (money.md 3)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter

import pytest

from croupier.core.bet import (
    BET_TABLE,
    BORN,
    ENDED,
    IS_ON,
    NOT_WANTED,
    STAKE_UNDECIDED,
    BetEvent,
    BetState,
    IllegalBet,
    Origin,
    next_bet_state,
)
from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.core.refusals import Refusal
from tests.core.samples import T0, new_bet

S = BetState
E = BetEvent
AT_REST = {S.SETTLED, S.RETURNED, S.DISPUTED, S.REFUSED, S.EXPIRED, S.CANCELLED, S.TOMBSTONE}
"""States in which a bet may stay for ever."""


def reached(begin: Iterable[BetState]) -> set[BetState]:
    """Every state that some chain of events leads to."""
    found, grown = set(begin), True
    while grown:
        more = {after for (state, _), after in BET_TABLE.items() if state in found}
        grown = not more <= found
        found |= more
    return found


@pytest.mark.parametrize(("state", "event"), list(itertools.product(S, E)))
def test_a_pair_leads_where_the_table_says_or_raises(state: BetState, event: BetEvent) -> None:
    after = BET_TABLE.get((state, event))
    if after is not None:
        assert next_bet_state(state, event) is after
        return
    with pytest.raises(IllegalBet, match=f"a bet that is {state.value} does not allow {event.value}"):
        next_bet_state(state, event)


def test_every_state_is_met_from_a_birth() -> None:
    assert reached(BORN) == set(S)


def test_every_event_moves_something() -> None:
    assert {event for _, event in BET_TABLE} == set(E)


@pytest.mark.parametrize("state", sorted(set(S) - AT_REST, key=attrgetter("value")))
def test_whatever_is_not_at_rest_has_a_way_to_rest(state: BetState) -> None:
    assert reached([state]) & AT_REST


@pytest.mark.parametrize("state", sorted(STAKE_UNDECIDED, key=attrgetter("value")))
def test_an_undecided_stake_may_be_refused_expire_or_be_accepted(state: BetState) -> None:
    events = {event for known, event in BET_TABLE if known is state}
    assert {E.STAKE_REFUSED, E.STAKE_EXPIRED} <= events
    assert events & {E.ACCEPTED_WAITED, E.ACCEPTED_UNWAITED, E.ACCEPTED_LATE}


def test_nothing_is_undone_but_by_giving_back() -> None:
    """A bet that was returned stays returned, and none that was refunded is ever on again."""
    assert not [pair for pair in BET_TABLE if pair[0] in (S.RETURNED, S.TOMBSTONE)]
    assert not reached(NOT_WANTED) & (IS_ON | {S.SETTLED, S.ASKED})


def test_a_late_accept_of_an_ended_stake_always_leads_to_a_return() -> None:
    late = {state: after for (state, event), after in BET_TABLE.items() if event is E.ACCEPTED_LATE}
    assert set(late) == {S.UNWANTED, S.REFUSED, S.EXPIRED, S.CANCELLED}
    assert set(late.values()) == {S.RETURNED}


def test_a_refund_is_known_wherever_the_bet_is_not_unwanted_already() -> None:
    """`requests.refund` answers the rest from the record."""
    knows = {state for state, event in BET_TABLE if event in (E.REFUND, E.REFUND_PAID)}
    assert knows | NOT_WANTED == set(S)
    assert not knows & NOT_WANTED


def test_the_groups_of_states_do_not_contradict_each_other() -> None:
    assert not IS_ON & NOT_WANTED
    assert not IS_ON & STAKE_UNDECIDED
    assert set(ENDED) <= AT_REST


def test_the_sets_are_the_contracts() -> None:
    """A stake that is not sent is on from its birth, a jackpot settled; what ended is closed at the casino (money.md 3.9)."""
    assert {S.ASKED, S.ON, S.SETTLED, S.TOMBSTONE} == BORN
    assert {S.SETTLED, S.RETURNED, S.DISPUTED} == ENDED
    assert {S.UNCLAIMED, S.ON} == IS_ON
    assert {S.ASKED, S.UNWANTED} == STAKE_UNDECIDED


@pytest.mark.parametrize(
    ("until_ms", "now_ms", "waited"),
    [(None, T0, False), (T0, T0, False), (T0 + 1, T0, True), (T0, T0 + 1, False)],
)
def test_a_provider_waits_until_its_instant_and_not_at_it(until_ms: int | None, now_ms: int, waited: bool) -> None:
    """An accept that commits at the very instant finds nobody: the waiter has the same instant for 99."""
    assert new_bet(waiting_until_ms=until_ms).waited_for(now_ms) is waited


@pytest.mark.parametrize("state", [None, *PaymentState])
def test_the_stake_is_confirmed_by_its_acceptance_and_parked_by_its_parking(state: PaymentState | None) -> None:
    stake = Payment(7, PaymentKind.STAKE, 1000, None, T0)
    held = {} if state is None else {PaymentKind.STAKE: replace(stake, state=state)}
    bet = new_bet(payments=held)
    assert bet.stake_confirmed is (state is PaymentState.ACCEPTED)
    assert bet.stake_parked is (state is PaymentState.PARKED)
    assert bet.subject_id == 7


def test_no_stored_word_is_used_twice_with_two_meanings() -> None:
    """`ok` beside a refusal's value is how an answer is stored; origins are stored in a column of their own."""
    assert "ok" not in {r.value for r in Refusal}
    assert {o.value for o in Origin} == {"pay_in", "pay_in_out", "jackpot", "tombstone"}
