"""What each outcome means for its bet: state, ledger and what is owed next (money.md 2, 3 and 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from croupier.core import effects, ledger
from croupier.core.bet import BetState, Closing, IllegalBet
from croupier.core.draft import Draft
from croupier.core.payment import SLOT_CLAIM, SLOT_CLOSE, Step
from croupier.core.readings import CloseDone, PaymentKind
from croupier.core.refusals import Refusal
from tests.core.samples import CASINO, NOT_ADDED, SILENCE, T0, K, S, Story, terms

B = BetState
BOOKS = ledger.wallets(11), ledger.open_bets(11, 22), ledger.ggr(11, 22), ledger.owed(11), ledger.suspense(11)
WALLETS, OPEN, GGR, OWED, SUSPENSE = BOOKS


def moved(story: Story) -> list[tuple[str, str, int, str]]:
    """The ledger as it was written."""
    return [(e.source, e.target, e.amount, e.why) for e in story.entries]


def refunded(story: Story) -> Story:
    story.refund()
    return story


# --- every line of money.md 6.3 ---------------------------------------------------------------------------


def test_a_won_bet_in_the_ledger() -> None:
    assert moved(Story().settled(2500)) == [
        (WALLETS, OPEN, 1000, "stake_accepted"),
        (OPEN, GGR, 1000, "settled"),
        (GGR, OWED, 2500, "won"),
        (OWED, WALLETS, 2500, "paid"),
    ]


def test_a_lost_bet_has_no_entry_of_nothing() -> None:
    assert moved(Story().settled(0)) == [(WALLETS, OPEN, 1000, "stake_accepted"), (OPEN, GGR, 1000, "settled")]


def test_a_returned_bet_in_the_ledger() -> None:
    story = refunded(Story().on())
    story.accept(K.BET_RETURN)
    assert moved(story)[1:] == [(OPEN, OWED, 1000, "return_decided"), (OWED, WALLETS, 1000, "returned")]


def test_an_undone_settled_bet_in_the_ledger() -> None:
    story = refunded(Story().settled(2500))
    assert len(moved(story)) == 4, "nothing is booked before the casino gave the payout back"
    story.accept(K.PAYOUT_RETURN)
    story.accept(K.BET_RETURN)
    assert moved(story)[4:] == [
        (WALLETS, GGR, 2500, "taken_back"),
        (GGR, OWED, 1000, "return_decided"),
        (OWED, WALLETS, 1000, "returned"),
    ]


@pytest.mark.parametrize("first", [K.STAKE, K.BET_RETURN])
def test_a_stake_that_is_not_on_goes_through_suspense_in_either_order(first: PaymentKind) -> None:
    story = Story().opened().expired(with_return=True)
    story.accept(first)
    story.accept(K.BET_RETURN if first is K.STAKE else K.STAKE)
    there, back = (WALLETS, SUSPENSE, 1000, "accepted_late"), (SUSPENSE, WALLETS, 1000, "returned")
    assert moved(story) == ([there, back] if first is K.STAKE else [back, there])


@pytest.mark.parametrize("stake", [0, 1, 10**15])
def test_any_stake_comes_out_even_when_it_is_returned(stake: int) -> None:
    story = refunded(Story().on(stake=stake))
    story.accept(K.BET_RETURN)
    assert story.balances() == {}


# --- tax --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tax_bp", "win", "tax"),
    [(None, 2500, None), (0, 2500, 0), (1000, 2500, 250), (1, 5000, 0), (1, 15_000, 2), (10_000, 7, 7)],
)
def test_a_payout_carries_the_casinos_tax_and_the_ledger_books_it_gross(
    tax_bp: int | None, win: int, tax: int | None
) -> None:
    """Half-even, in minor units; None where the casino has no rate (casino.md 2.5)."""
    story = Story(casino=replace(CASINO, tax_bp=tax_bp)).settled(win)
    assert (story.payment(K.PAYOUT).tax, story.payment(K.PAYOUT).amount) == (tax, win)
    assert story.balance("wallets") == win - 1000


def test_a_payout_is_taken_back_with_the_tax_it_was_paid_with() -> None:
    """Also when the rate was changed meanwhile."""
    story = Story(casino=replace(CASINO, tax_bp=1000)).settled(2500)
    story.casino = replace(CASINO, tax_bp=2000)
    story.refund()
    assert (story.payment(K.PAYOUT_RETURN).amount, story.payment(K.PAYOUT_RETURN).tax) == (2500, 250)


def test_a_payout_that_is_paid_while_undoing_is_taken_back_with_its_tax_too() -> None:
    story = refunded(Story(casino=replace(CASINO, tax_bp=1000)).settled(2500, paid=False))
    story.accept(K.PAYOUT)
    assert (story.payment(K.PAYOUT_RETURN).amount, story.payment(K.PAYOUT_RETURN).tax) == (2500, 250)


def test_stakes_and_returns_carry_no_tax() -> None:
    story = refunded(Story(casino=replace(CASINO, tax_bp=1000)).on())
    assert [p.tax for p in story.subject.payments.values()] == [None, None]


# --- one payment at a time, one return for ever -----------------------------------------------------------


def test_a_return_waits_for_every_other_payment_of_its_bet() -> None:
    story = Story().settled(0, paid=False)
    story.refund()
    assert story.state(K.BET_RETURN) is None
    story.made(K.PAYOUT, SILENCE)
    assert story.state(K.BET_RETURN) is None
    story.accept(K.PAYOUT)
    assert story.state(K.BET_RETURN) is S.CREATED


def test_a_return_is_owed_once_however_often_it_is_asked_for() -> None:
    """I5."""
    story = refunded(Story().on())
    version = story.payment(K.BET_RETURN)
    story.change(effects.owe_return)
    assert story.payment(K.BET_RETURN) is version


def test_a_return_that_a_person_gave_up_is_not_revived() -> None:
    """The revival is for stakes that were never confirmed; this one was, and the person's word stands."""
    story = refunded(Story().on())
    story.give_up(K.BET_RETURN)
    story.change(effects.owe_return)
    assert (story.state(K.BET_RETURN), story.call(K.BET_RETURN)) == (S.REFUSED, None)


# --- a person gave up, and then it happened ---------------------------------------------------------------


def test_what_a_person_gives_up_is_corrected_by_name() -> None:
    story = Story().settled(2500, paid=False)
    story.give_up(K.PAYOUT)
    assert moved(story)[-1] == (OWED, GGR, 2500, "correction")
    assert story.balance("owed") == 0


def test_a_payout_given_up_while_undoing_leaves_the_stake_alone_owed() -> None:
    """Nothing was paid, so nothing is taken back."""
    story = refunded(Story().settled(2500, paid=False))
    story.give_up(K.PAYOUT)
    assert (story.subject.state, story.state(K.PAYOUT_RETURN)) == (B.RETURNED, None)
    story.accept(K.BET_RETURN)
    assert story.balances() == {}


def test_a_refund_after_the_payout_was_given_up_owes_the_stake_alone() -> None:
    story = Story().settled(2500, paid=False)
    story.give_up(K.PAYOUT)
    story.refund()
    assert (story.subject.state, story.balance("owed")) == (B.RETURNED, 1000)
    story.accept(K.BET_RETURN)
    assert story.balances() == {}


def test_a_payout_of_0_given_up_lets_the_return_go() -> None:
    story = refunded(Story().settled(0, paid=False))
    story.give_up(K.PAYOUT)
    assert story.state(K.BET_RETURN) is S.CREATED


@pytest.mark.parametrize("kind", [K.PAYOUT, K.BET_RETURN])
def test_what_was_given_up_and_paid_after_all_is_booked_again_and_a_person_looks(kind: PaymentKind) -> None:
    story = Story().settled(paid=False) if kind is K.PAYOUT else refunded(Story().on())
    story.give_up(kind)
    story.accept(kind)
    assert (story.balance("owed"), story.incidents["paid_after_giving_up"]) == (0, 1)


def test_a_return_through_suspense_that_is_given_up_leaves_suspense_unexplained() -> None:
    """money.md 6.6: suspense not 0 is something unexplained, and stays to be seen."""
    story = Story().opened().expired()
    story.accept(K.STAKE)
    story.give_up(K.BET_RETURN)
    assert story.balances() == {"suspense": 1000, "wallets": -1000}
    story.accept(K.BET_RETURN)
    assert story.balances() == {}


# --- close and reopen -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closing", "step", "after"),
    [
        (Closing.OPEN, Step.MAKE, Closing.OPEN),
        (Closing.CLOSING, Step.REOPEN, Closing.CLOSED),
        (Closing.CLOSED, Step.REOPEN, Closing.CLOSED),
        (Closing.REOPENED, Step.MAKE, Closing.REOPENED),
    ],
)
def test_a_payment_of_a_closed_bet_asks_for_its_reopening(closing: Closing, step: Step, after: Closing) -> None:
    """A close that may be under way counts as done: its answer may have been lost."""
    d = Draft(replace(Story().on().subject, closing=closing), terms())
    effects.owe(d, K.PAYOUT, 5, tax=None)
    assert (d.calls["payout"].step, d.subject.closing) == (step, after)
    assert SLOT_CLOSE not in d.calls


@pytest.mark.parametrize("state", [S.CREATED, S.SENT, S.PARKED])
def test_nothing_is_closed_while_a_payment_may_still_move(state: object) -> None:
    story = Story().settled()
    bet = story.subject
    payments = {**bet.payments, K.PAYOUT: replace(bet.payments[K.PAYOUT], state=state)}
    d = Draft(replace(bet, payments=payments, closing=Closing.OPEN, calls={}), terms())
    effects.close_if_done(d)
    assert d.calls == {}


def test_a_disputed_bet_is_closed_like_a_settled_one() -> None:
    story = Story().settled()
    story.closed(SLOT_CLOSE, CloseDone())
    story.refund()
    story.closed(K.PAYOUT_RETURN.value, CloseDone())
    story.hear(K.PAYOUT_RETURN, NOT_ADDED)
    assert (story.subject.state, story.call(SLOT_CLOSE)) == (B.DISPUTED, (Step.CLOSE, 0.0))


# --- the moves themselves ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "ended"), [(True, False), (False, True)])
def test_a_bet_has_an_end_only_when_it_was_settled_or_returned(wanted: bool, ended: bool) -> None:
    story = Story().on().at(5)
    if not wanted:
        story.refund()
    assert (story.subject.ended_ms is not None) is ended


def test_confirming_ends_the_waiting_and_the_claim_time() -> None:
    story = Story().opened().at(7)
    story.accept(K.STAKE)
    story.pay_in()
    assert (story.subject.waiting_until_ms, story.call(SLOT_CLAIM), story.subject.pay_in_answer) == (None, None, "ok")


def test_a_stake_accepted_for_a_settled_bet_is_a_bug() -> None:
    d = Draft(Story().settled().subject, terms())
    with pytest.raises(IllegalBet):
        effects.stake_accepted(d)


def test_a_bet_ends_at_the_instant_of_its_last_turn() -> None:
    """The end is what a close is pursued from, and what reports count by."""
    returned = Story().on().at(50)
    returned.refund()
    assert returned.subject.ended_ms == T0 + 50_000

    undone = Story().settled(2500).at(70)
    undone.refund()
    undone.at(90).accept(K.PAYOUT_RETURN)
    assert undone.subject.ended_ms == T0 + 90_000


def test_an_expired_stake_answers_every_repeat_with_a_conflict() -> None:
    """After the hold time the provider was told 99; what came of it is for its refund, never a late yes (money.md 3.5)."""
    story = Story().opened().expired()
    assert story.subject.pay_in_answer == Refusal.CONFLICT.value
    assert story.pay_in() == Refusal.CONFLICT.value
