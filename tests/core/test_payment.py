"""The table of payments: whole, closed, and with its two restrictions by kind (money.md 2.1)."""

from __future__ import annotations

import itertools

import pytest

from croupier.core.payment import (
    GIVES,
    PAYMENT_TABLE,
    SLOT_CLAIM,
    SLOT_CLOSE,
    UNDECIDED,
    Call,
    IllegalPayment,
    Payment,
    PaymentEvent,
    PaymentState,
    Step,
    next_state,
)
from croupier.core.readings import PaymentKind

S = PaymentState
E = PaymentEvent
K = PaymentKind
PAIRS = list(itertools.product(S, E))


def may(kind: PaymentKind, state: PaymentState, event: PaymentEvent) -> bool:
    """What the table and its two restrictions allow."""
    after = PAYMENT_TABLE.get((state, event))
    if after is None or (after is S.EXPIRED and kind is not K.STAKE):
        return False
    return event is not E.REVIVE or kind in (K.BET_RETURN, K.CASHBACK_CANCEL)


@pytest.mark.parametrize("kind", K)
@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_a_pair_leads_where_the_table_says_or_raises(kind: K, state: S, event: E) -> None:
    if may(kind, state, event):
        assert next_state(kind, state, event) is PAYMENT_TABLE[state, event]
    else:
        with pytest.raises(IllegalPayment, match=rf"a {kind.value} payment that is {state.value} cannot {event.value}"):
            next_state(kind, state, event)


def test_every_state_is_reached_from_created() -> None:
    reached, grown = {S.CREATED}, True
    while grown:
        found = {after for (state, _), after in PAYMENT_TABLE.items() if state in reached}
        grown = not found <= reached
        reached |= found
    assert reached == set(S)


def test_every_state_without_an_end_has_a_way_to_one() -> None:
    """An undecided or parked payment can end; an accepted one is for ever."""
    for state in UNDECIDED | {S.PARKED}:
        assert {PAYMENT_TABLE.get((state, e)) for e in (E.ACCEPT, E.REFUSE)} == {S.ACCEPTED, S.REFUSED}
    assert not [pair for pair in PAYMENT_TABLE if pair[0] is S.ACCEPTED]


def test_a_success_ends_a_payment_wherever_it_stands() -> None:
    """Money that moved is recorded, even after a refusal, an expiry or a parking."""
    assert {s for s in S if (s, E.ACCEPT) in PAYMENT_TABLE} == set(S) - {S.ACCEPTED}


def test_the_only_way_back_is_the_revival_of_a_return() -> None:
    back = [(s, e) for (s, e), after in PAYMENT_TABLE.items() if after in UNDECIDED and s not in UNDECIDED]
    assert back == [(S.REFUSED, E.REVIVE)]


def test_only_stakes_expire() -> None:
    for kind in set(K) - {K.STAKE}:
        with pytest.raises(IllegalPayment):
            next_state(kind, S.SENT, E.EXPIRE)


def test_each_kind_is_a_stake_a_give_or_a_take_back() -> None:
    takes_back = {K.PAYOUT_RETURN, K.CASHBACK_CANCEL}
    assert {K.STAKE} | GIVES | takes_back == set(K)
    assert not GIVES & takes_back


@pytest.mark.parametrize(("state", "undecided"), [(s, s in (S.CREATED, S.SENT)) for s in S])
def test_created_and_sent_both_mean_perhaps_sent(state: PaymentState, undecided: bool) -> None:
    assert Payment(7, K.STAKE, 1000, None, 0, state=state).undecided is undecided


def test_slots_beside_the_payments_are_no_kind() -> None:
    """A bet's calls are keyed by kind, `close` or `claim`: three names that must not meet."""
    assert len({SLOT_CLOSE, SLOT_CLAIM, *(k.value for k in K)}) == len(K) + 2


def test_a_call_begins_free_and_without_a_past() -> None:
    call = Call("stake", Step.MAKE, 5)
    assert (call.failures, call.acked, call.crashes, call.fence) == (0, False, 0, 0)
    assert (call.lease_owner, call.lease_until_ms) == (None, 0)
