"""What a person may decide about a payment, and what not (operate.md 2, money.md 2.1 and 6.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from croupier.core import person
from croupier.core.bet import BetState, Closing
from croupier.core.bet_requests import CannotDo
from croupier.core.cashback import CashbackState
from croupier.core.counterparty import LateAccept
from croupier.core.draft import Draft
from croupier.core.payment import SLOT_CLOSE, PaymentState, Step
from croupier.core.readings import CloseDone, PaymentKind
from croupier.core.remembered import Verdict
from tests.core.samples import CASINO, FUNDS, NOT_FOUND, RECEIVED, K, S, Story

B = BetState


def parked(story: Story, kind: PaymentKind) -> Story:
    story.exists(kind, amount="0.01")
    assert story.state(kind) is S.PARKED
    return story


def refused(story: Story) -> Story:
    story.hear(K.STAKE, FUNDS)
    return story


IN_STATE: dict[PaymentState, Callable[[], Story]] = {
    S.CREATED: lambda: Story().opened(),
    S.SENT: lambda: Story().opened().made(K.STAKE, RECEIVED),
    S.ACCEPTED: lambda: Story().on(),
    S.REFUSED: lambda: refused(Story().opened()),
    S.EXPIRED: lambda: Story().opened().expired(),
    S.PARKED: lambda: parked(Story().opened(), K.STAKE),
}
MAY = {
    person.retry: {S.CREATED, S.SENT, S.PARKED},
    person.give_up: {S.CREATED, S.SENT, S.PARKED},
    person.accept: set(S) - {S.ACCEPTED},
}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("deed", MAY, ids=lambda d: d.__name__)
def test_each_deed_is_allowed_where_it_makes_sense_and_else_says_why_not(deed: object, state: PaymentState) -> None:
    story = IN_STATE[state]()
    before = story.subject
    assert callable(deed)
    if state in MAY[deed]:
        assert story.by_person(deed, K.STAKE).endswith("_by_person")
        return
    with pytest.raises(CannotDo, match=f"the stake is {state.value}: it cannot be"):
        story.by_person(deed, K.STAKE)
    assert story.subject is before


@pytest.mark.parametrize("deed", MAY, ids=lambda d: d.__name__)
def test_each_deed_has_its_author_and_reason_in_the_trace(deed: object) -> None:
    story = Story().opened()
    d: Draft[object] = Draft(story.subject, story.terms())
    assert callable(deed)
    decision = deed(d, K.STAKE, author="mia", reason="the casino says so")
    assert (decision.author, decision.detail["reason"]) == ("mia", "the casino says so")


# --- try again --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.CREATED, S.SENT, S.PARKED])
def test_a_stake_is_asked_after_and_never_sent_by_a_person(state: PaymentState) -> None:
    story = IN_STATE[state]().at(100)
    story.by_person(person.retry, K.STAKE)
    assert (story.call(K.STAKE), story.state(K.STAKE)) == ((Step.INFO, 100.0), state)


def test_owed_money_is_sent_again_at_once() -> None:
    story = parked(Story().settled(paid=False), K.PAYOUT).at(100)
    story.by_person(person.retry, K.PAYOUT)
    assert story.call(K.PAYOUT) == (Step.MAKE, 100.0)


def test_money_of_a_closed_bet_asks_for_the_reopening_first() -> None:
    """Like every other try (money.md 3.9)."""
    story = Story().settled(0)
    story.closed(SLOT_CLOSE, CloseDone())
    story.refund()
    story.by_person(person.retry, K.BET_RETURN)
    assert (story.call(K.BET_RETURN), story.subject.closing) == ((Step.REOPEN, 0.0), Closing.CLOSED)


# --- take as accepted -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "bet"),
    [(S.CREATED, B.ON), (S.PARKED, B.UNCLAIMED), (S.REFUSED, B.RETURNED), (S.EXPIRED, B.RETURNED)],
)
def test_a_stake_taken_as_accepted_is_like_an_accept(state: PaymentState, bet: BetState) -> None:
    story = IN_STATE[state]()
    story.by_person(person.accept, K.STAKE)
    assert (story.state(K.STAKE), story.subject.state) == (S.ACCEPTED, bet)
    assert story.balance("wallets") == -1000


def test_when_the_casino_then_says_so_itself_it_is_a_repeat() -> None:
    story = parked(Story().settled(paid=False), K.PAYOUT)
    story.by_person(person.accept, K.PAYOUT)
    assert story.accept(K.PAYOUT) is Verdict.OK
    assert (story.incidents["contradiction"], story.balance("owed")) == (0, 0)


def test_a_late_accept_stays_the_casinos_own_affair_where_the_setting_says_so() -> None:
    story = Story(casino=replace(CASINO, late_accept=LateAccept.REFUSE)).opened().expired()
    with pytest.raises(CannotDo, match="the stake is expired: it cannot be accepted"):
        story.by_person(person.accept, K.STAKE)


def test_a_payout_with_tax_can_be_taken_as_accepted() -> None:
    story = Story(casino=replace(CASINO, tax_bp=1000)).settled(paid=False)
    story.by_person(person.accept, K.PAYOUT)
    assert story.state(K.PAYOUT) is S.ACCEPTED


# --- give up ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refund_first", [False, True])
def test_a_stake_given_up_is_refused(refund_first: bool) -> None:
    """After a refund it ends the matter; before one the provider gets a definite no."""
    story = parked(Story().opened(), K.STAKE)
    if refund_first:
        story.refund()
    story.give_up(K.STAKE)
    assert story.subject.state is (B.CANCELLED if refund_first else B.REFUSED)
    assert story.pay_in() == ("conflict" if refund_first else "casino_refused")
    assert story.payment(K.STAKE).message == "given up by mia: asked the casino"


def test_a_stake_given_up_and_accepted_after_all_is_returned() -> None:
    story = parked(Story().opened(), K.STAKE)
    story.give_up(K.STAKE)
    story.accept(K.STAKE)
    assert (story.subject.state, story.state(K.BET_RETURN)) == (B.RETURNED, S.CREATED)


def test_a_payout_return_given_up_leaves_the_bet_disputed() -> None:
    story = Story().settled()
    story.refund()
    story.give_up(K.PAYOUT_RETURN)
    assert (story.subject.state, story.incidents["payout_kept"]) == (B.DISPUTED, 1)


def test_a_return_given_up_stays_given_up() -> None:
    story = Story().on()
    story.refund()
    story.give_up(K.BET_RETURN)
    assert (story.state(K.BET_RETURN), story.call(K.BET_RETURN)) == (S.REFUSED, None)
    assert (story.balance("owed"), story.balance("ggr")) == (0, 1000)


def test_the_last_payment_given_up_closes_the_bet() -> None:
    story = Story().settled(paid=False)
    story.give_up(K.PAYOUT)
    assert story.call(SLOT_CLOSE) == (Step.CLOSE, 0.0)


def test_a_return_of_an_unconfirmed_stake_given_up_moves_nothing() -> None:
    story = Story().opened().expired(with_return=True)
    story.hear(K.BET_RETURN, NOT_FOUND)
    assert story.entries == []
    other = Story().opened().expired(with_return=True)
    other.give_up(K.BET_RETURN)
    assert (other.entries, other.state(K.BET_RETURN)) == ([], S.REFUSED)


@pytest.mark.parametrize(("wanted", "state"), [(False, CashbackState.GIVEN_UP), (True, CashbackState.CANCELLED)])
def test_a_cashback_given_up_is_owed_no_more(wanted: bool, state: CashbackState) -> None:
    story = parked(Story().cashback(), K.CASHBACK)
    if wanted:
        story.cancel()
    story.give_up(K.CASHBACK)
    assert (story.subject.state, story.balances()) == (state, {})


def test_a_cashbacks_cancel_given_up_lets_it_stand() -> None:
    story = Story().cashback()
    story.accept(K.CASHBACK)
    story.cancel().give_up(K.CASHBACK_CANCEL)
    assert (story.subject.state, story.balance("wallets")) == (CashbackState.KEPT, 500)
