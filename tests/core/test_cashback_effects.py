"""A cashback from its decision to its end, and its ledger (money.md 2.9 and 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from croupier.core import cashback_effects
from croupier.core.cashback import CashbackState, IllegalCashback
from croupier.core.payment import Step
from croupier.core.readings import No
from tests.core.samples import FUNDS, NOT_ADDED, NOT_FOUND, RECEIVED, SILENCE, K, S, Story

C = CashbackState


def refused_once(*, leased: bool = False) -> Story:
    """The casino said "not yet"; `leased`: another try is under way."""
    story = Story().cashback()
    story.hear(K.CASHBACK, NOT_ADDED)
    if leased:
        call = replace(story.subject.calls["cashback"], lease_owner="p2", lease_until_ms=story.terms().now_ms + 1)
        story.subject = replace(story.subject, calls={"cashback": call})
    return story


def silent_after_no() -> Story:
    return refused_once().made(K.CASHBACK, SILENCE)


def parked_after_no() -> Story:
    story = refused_once()
    story.exists(K.CASHBACK, amount="1")
    return story


def acknowledged() -> Story:
    return Story().cashback().made(K.CASHBACK, RECEIVED)


def test_a_decided_cashback_is_owed_and_on_its_way() -> None:
    story = Story().cashback()
    assert (story.subject.state, story.call(K.CASHBACK)) == (C.OWED, (Step.MAKE, 0.0))
    assert story.balances() == {"cashback": -500, "owed": 500}


def test_a_paid_cashback_is_in_the_wallet() -> None:
    story = Story().cashback()
    story.accept(K.CASHBACK)
    assert (story.subject.state, story.balances()) == (C.PAID, {"cashback": -500, "wallets": 500})
    assert story.subject.calls == {}, "a cashback knows no close"


@pytest.mark.parametrize(
    ("begin", "state"),
    [
        (lambda: Story().cashback(), C.CANCEL_WANTED),
        (acknowledged, C.CANCEL_WANTED),
        (lambda: refused_once(leased=True), C.CANCEL_WANTED),
        (silent_after_no, C.CANCEL_WANTED),
        (parked_after_no, C.CANCEL_WANTED),
        (refused_once, C.CANCELLED),
    ],
)
def test_a_cancel_waits_unless_the_last_word_was_a_no(begin: Callable[[], Story], state: CashbackState) -> None:
    """A no counts only if nothing was sent since and nothing is under way (money.md 2.9)."""
    story = begin().cancel()
    assert story.subject.state is state
    if state is C.CANCELLED:
        assert (story.state(K.CASHBACK), story.balances(), set(story.subject.calls)) == (
            S.REFUSED,
            {},
            {"cashback_cancel"},
        )


def test_a_cancel_that_waited_takes_back_what_was_paid() -> None:
    story = Story().cashback().cancel()
    story.accept(K.CASHBACK)
    assert (story.subject.state, story.call(K.CASHBACK_CANCEL)) == (C.TAKING_BACK, (Step.MAKE, 0.0))
    story.accept(K.CASHBACK_CANCEL)
    assert (story.subject.state, story.balances()) == (C.CANCELLED, {})


def test_a_cancel_that_waited_ends_with_a_definite_no() -> None:
    """No more tries, and nobody owes anything."""
    story = Story().cashback().cancel()
    story.hear(K.CASHBACK, NOT_ADDED)
    assert (story.subject.state, story.state(K.CASHBACK), story.balances()) == (C.CANCELLED, S.REFUSED, {})


def sure() -> Story:
    """Cancelled on a no that came as the answer to a call: a copy of the call may be booked all the same."""
    return Story().cashback().cancel().made(K.CASHBACK, NOT_ADDED)


def test_a_no_to_a_call_is_made_sure_of_when_no_copy_of_it_is_valid_any_more() -> None:
    """A no that the casino reports itself is its last word: what it books later it reports too (decision 0028)."""
    assert (sure().subject.state, sure().call(K.CASHBACK_CANCEL)) == (C.CANCELLED, (Step.MAKE, 20.0))
    told = Story().cashback().cancel()
    told.hear(K.CASHBACK, NOT_ADDED)
    assert told.subject.calls == {}


@pytest.mark.parametrize(
    ("no", "state", "moved", "incidents"),
    [
        (NOT_FOUND, C.CANCELLED, {}, set()),
        (NOT_ADDED, C.CANCELLED, {}, set()),
        (FUNDS, C.KEPT, {"cashback": -500, "wallets": 500}, {"paid_after_giving_up", "cashback_kept"}),
    ],
)
def test_what_was_never_paid_is_refused(
    no: No, state: CashbackState, moved: dict[str, int], incidents: set[str]
) -> None:
    """Only a casino that has it can lack the funds to take it back."""
    story = sure()
    story.hear(K.CASHBACK_CANCEL, no)
    assert (story.subject.state, story.balances(), set(story.incidents)) == (state, moved, incidents)
    assert story.subject.calls == {}


def test_a_copy_that_was_booked_is_taken_back() -> None:
    story = sure()
    story.accept(K.CASHBACK_CANCEL)
    assert (story.subject.state, story.balances()) == (C.CANCELLED, {})
    assert (story.state(K.CASHBACK), story.state(K.CASHBACK_CANCEL)) == (S.ACCEPTED, S.ACCEPTED)
    assert set(story.incidents) == {"paid_after_giving_up"}


def test_what_is_paid_after_its_cancel_was_refused_is_taken_back_again() -> None:
    story = sure()
    story.hear(K.CASHBACK_CANCEL, NOT_FOUND)
    story.accept(K.CASHBACK)
    assert (story.subject.state, story.call(K.CASHBACK_CANCEL)) == (C.TAKING_BACK, (Step.MAKE, 0.0))
    assert story.state(K.CASHBACK_CANCEL) is S.CREATED
    story.accept(K.CASHBACK_CANCEL)
    assert (story.subject.state, story.balances()) == (C.CANCELLED, {})


def test_a_cancel_that_waits_goes_on_asking() -> None:
    """Silence is no outcome: what may have been paid must be known before it is taken back."""
    story = Story().cashback().cancel().made(K.CASHBACK, SILENCE)
    assert (story.subject.state, story.call(K.CASHBACK)) == (C.CANCEL_WANTED, (Step.MAKE, 0.125))


def test_a_cancel_of_what_was_paid_takes_it_back_at_once() -> None:
    story = Story().cashback()
    story.accept(K.CASHBACK)
    story.cancel()
    assert (story.subject.state, story.payment(K.CASHBACK_CANCEL).amount) == (C.TAKING_BACK, 500)


@pytest.mark.parametrize("state", [C.CANCEL_WANTED, C.TAKING_BACK, C.CANCELLED])
def test_a_second_cancel_is_for_the_flow_to_answer(state: CashbackState) -> None:
    """The table knows one; what the second is told is read from the record."""
    story = refused_once() if state is C.CANCELLED else Story().cashback()
    if state is C.TAKING_BACK:
        story.accept(K.CASHBACK)
    story.cancel()
    assert story.subject.state is state
    with pytest.raises(IllegalCashback):
        story.cancel()


def test_what_ended_unpaid_and_was_paid_after_all_is_taken_back_with_an_incident() -> None:
    story = refused_once().cancel()
    story.accept(K.CASHBACK)
    assert (story.subject.state, story.incidents["paid_after_giving_up"]) == (C.TAKING_BACK, 1)
    story.accept(K.CASHBACK_CANCEL)
    assert (story.subject.state, story.balances()) == (C.CANCELLED, {})


def test_what_a_person_gave_up_and_was_paid_after_all_is_paid() -> None:
    story = Story().cashback()
    story.give_up(K.CASHBACK)
    assert (story.subject.state, story.balances()) == (C.GIVEN_UP, {})
    story.accept(K.CASHBACK)
    assert (story.subject.state, story.balances()) == (C.PAID, {"cashback": -500, "wallets": 500})


def test_what_was_kept_and_taken_back_after_all_is_cancelled() -> None:
    story = Story().cashback()
    story.accept(K.CASHBACK)
    story.cancel().hear(K.CASHBACK_CANCEL, NOT_ADDED)
    story.accept(K.CASHBACK_CANCEL)
    assert (story.subject.state, story.balances()) == (C.CANCELLED, {})


def test_it_is_taken_back_once() -> None:
    story = Story().cashback()
    story.accept(K.CASHBACK)
    story.cancel()
    asked = story.payment(K.CASHBACK_CANCEL)
    story.change(cashback_effects.take_back)
    assert story.payment(K.CASHBACK_CANCEL) is asked
