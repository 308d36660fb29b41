"""A refusal proves nothing about a try that nobody answered (money.md 2.5, casino.md 2.1, decision 0035)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from croupier.core import person
from croupier.core.bet import BetState
from croupier.core.cashback import CashbackState
from croupier.core.draft import Draft
from croupier.core.outcomes import line_of
from croupier.core.payment import Step
from croupier.core.readings import Acknowledgement, CloseDone, Contents, Exists, InfoList, No, Received, Unknown
from croupier.core.refusals import CasinoNo
from tests.core.samples import CASINO, FUNDS, NO_INFO, NOT_FOUND, SILENCE, K, S, Story, terms

NOS = [No(reason, 1, reason.value) for reason in CasinoNo]
NOT_THERE = InfoList(())
NO_CALL = replace(CASINO, info=False)
Word = Callable[[Story, Any, Any], None]


def by_answer(story: Story, kind: Any, no: No) -> None:
    story.made(kind, no)


def by_accept(story: Story, kind: Any, no: No) -> None:
    story.hear(kind, no)


words = pytest.mark.parametrize("word", [by_answer, by_accept])


def step_of(story: Story, kind: Any) -> Step | None:
    call = story.call(kind)
    return None if call is None else call[0]


def silent_stake() -> Story:
    """A stake whose first try nobody answered; the second is on its way."""
    return Story().opened().at(0.1).made(K.STAKE, SILENCE).at(0.4)


def undoing(casino: Any = CASINO) -> Story:
    """A settled bet that was refunded: its payout is being taken back."""
    story = Story(casino=casino).settled(2500)
    story.refund()
    return story.at(100)


# --- a stake --------------------------------------------------------------------------------------------------


@words
@pytest.mark.parametrize("no", NOS, ids=lambda no: no.reason.value)
def test_a_refused_repeat_of_an_unanswered_stake_leaves_it_to_info(word: Word, no: No) -> None:
    """The first try may be booked and have emptied the wallet: whatever the code, the provider is told 99."""
    story = silent_stake()
    word(story, K.STAKE, no)
    assert story.subject.state is BetState.ASKED
    assert story.subject.pay_in_answer is None
    assert story.call(K.STAKE) == (Step.INFO, 30.0), "and it is not sent again for it"
    assert story.subject.payments[K.STAKE].code == 1


@pytest.mark.parametrize("before", [Unknown("502"), Unknown("code 999"), Unknown("a list that said nothing")])
def test_every_answer_that_says_nothing_leaves_a_try_unanswered(before: Acknowledgement) -> None:
    story = Story().opened().made(K.STAKE, before)
    assert story.subject.payments[K.STAKE].unanswered


def test_a_try_that_was_answered_leaves_none() -> None:
    story = Story().opened().made(K.STAKE, Received())
    assert not story.subject.payments[K.STAKE].unanswered
    story.hear(K.STAKE, FUNDS)
    assert (story.subject.state, story.subject.pay_in_answer) == (BetState.REFUSED, "not_enough_funds")


def test_the_same_refusal_again_changes_nothing() -> None:
    story = silent_stake().made(K.STAKE, FUNDS)
    before = story.subject
    story.at(5).hear(K.STAKE, FUNDS)
    assert story.subject == before or story.subject == replace(before, version=story.subject.version)


def test_info_decides_a_stake_that_was_refused_after_silence() -> None:
    there = silent_stake().made(K.STAKE, FUNDS).at(30)
    there.shown(K.STAKE, K.STAKE)
    assert there.subject.state is BetState.UNCLAIMED
    missing = silent_stake().made(K.STAKE, FUNDS).at(30).informed(K.STAKE, NOT_THERE)
    assert (missing.subject.state, missing.subject.pay_in_answer) == (BetState.EXPIRED, "conflict")
    nobody_knows = silent_stake().made(K.STAKE, FUNDS).at(60).informed(K.STAKE, NO_INFO)
    assert nobody_knows.state(K.BET_RETURN) is S.CREATED


def test_a_person_who_asks_while_a_make_is_on_its_way_outdates_its_answer() -> None:
    story = Story().opened()
    assert story.subject.calls["stake"].lease_owner is not None
    story.by_person(person.retry, K.STAKE)
    assert story.subject.payments[K.STAKE].unanswered


# --- dated by its question ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked_at", "state"), [(26.0, BetState.ASKED), (26.001, BetState.EXPIRED)])
def test_a_list_is_as_old_as_its_question(asked_at: float, state: BetState) -> None:
    """A make was valid until 6 + 10 + 10 s: what was asked before that proves nothing, however late the answer."""
    story = Story().opened().at(45).informed(K.STAKE, NOT_THERE, asked_at=asked_at)
    assert story.subject.state is state


def test_the_last_question_is_the_one_that_left_last() -> None:
    story = Story().opened().at(62).informed(K.STAKE, NO_INFO, asked_at=59.9)
    assert story.subject.state is BetState.ASKED
    assert K.BET_RETURN not in story.subject.payments


# --- what is taken back ---------------------------------------------------------------------------------------


@words
def test_a_payout_is_asked_after_once_no_copy_of_its_taking_back_is_valid(word: Word) -> None:
    story = undoing().made(K.PAYOUT_RETURN, SILENCE).at(101)
    word(story, K.PAYOUT_RETURN, FUNDS)
    assert story.subject.state is BetState.UNDOING
    assert story.call(K.PAYOUT_RETURN) == (Step.INFO, 121.0)
    story.at(102).hear(K.PAYOUT_RETURN, FUNDS)
    assert story.call(K.PAYOUT_RETURN) == (Step.INFO, 121.0), "the same word again moves nothing"


def test_it_ends_by_what_info_says() -> None:
    there, missing, silent = (undoing().made(K.PAYOUT_RETURN, SILENCE).made(K.PAYOUT_RETURN, FUNDS) for _ in range(3))
    there.at(121).shown(K.PAYOUT_RETURN, K.STAKE, K.PAYOUT, K.PAYOUT_RETURN)
    assert (there.subject.state, there.state(K.BET_RETURN)) == (BetState.RETURNED, S.CREATED)
    missing.at(121).shown(K.PAYOUT_RETURN, K.STAKE, K.PAYOUT)
    assert (missing.subject.state, missing.state(K.PAYOUT_RETURN)) == (BetState.DISPUTED, S.REFUSED)
    silent.at(121).informed(K.PAYOUT_RETURN, NO_INFO)
    assert (silent.subject.state, step_of(silent, K.PAYOUT_RETURN)) == (BetState.UNDOING, Step.INFO)


def test_an_acknowledged_try_that_never_ended_is_unanswered_once_it_is_sent_again() -> None:
    """Its accept may be the one that is missing: the refusal of the next try is not its own."""
    story = undoing().made(K.PAYOUT_RETURN, Received()).at(130)
    assert not story.subject.payments[K.PAYOUT_RETURN].unanswered
    story.made(K.PAYOUT_RETURN, FUNDS)
    assert story.subject.state is BetState.UNDOING
    assert story.call(K.PAYOUT_RETURN) == (Step.INFO, 150.0)


def test_of_two_acknowledged_tries_one_refusal_is_not_the_end() -> None:
    story = undoing().made(K.PAYOUT_RETURN, Received()).at(130).made(K.PAYOUT_RETURN, Received()).at(135)
    story.hear(K.PAYOUT_RETURN, FUNDS)
    assert (story.subject.state, story.call(K.PAYOUT_RETURN)) == (BetState.UNDOING, (Step.INFO, 155.0))


def test_without_info_it_is_tried_once_more_and_then_a_person_looks() -> None:
    story = undoing(NO_CALL).made(K.PAYOUT_RETURN, SILENCE).made(K.PAYOUT_RETURN, FUNDS)
    assert step_of(story, K.PAYOUT_RETURN) is Step.REOPEN
    story.hear(K.PAYOUT_RETURN, FUNDS)
    assert story.state(K.PAYOUT_RETURN) is S.SENT, "the same word again is no second refusal"
    story.closed(K.PAYOUT_RETURN.value, CloseDone())
    story.made(K.PAYOUT_RETURN, FUNDS)
    assert story.state(K.PAYOUT_RETURN) is S.PARKED


def test_the_cancel_of_a_cashback_is_tried_once_more_and_then_a_person_looks() -> None:
    story = Story().cashback()
    story.accept(K.CASHBACK)
    story.cancel()
    story.made(K.CASHBACK_CANCEL, SILENCE).made(K.CASHBACK_CANCEL, FUNDS)
    assert story.subject.state is CashbackState.TAKING_BACK
    assert step_of(story, K.CASHBACK_CANCEL) is Step.MAKE
    story.made(K.CASHBACK_CANCEL, FUNDS)
    assert (story.subject.state, story.state(K.CASHBACK_CANCEL)) == (CashbackState.TAKING_BACK, S.PARKED)


@words
def test_a_cashback_that_may_be_paid_is_not_cancelled_by_a_refusal(word: Word) -> None:
    story = Story().cashback().made(K.CASHBACK, SILENCE)
    story.cancel()
    word(story, K.CASHBACK, FUNDS)
    assert (story.subject.state, step_of(story, K.CASHBACK)) == (CashbackState.CANCEL_WANTED, Step.MAKE)
    story.made(K.CASHBACK, FUNDS)
    assert (story.subject.state, story.state(K.CASHBACK)) == (CashbackState.CANCEL_WANTED, S.PARKED)


# --- the return of a stake that nobody saw --------------------------------------------------------------------


def test_bet_not_found_ends_a_return_only_if_every_try_of_it_was_answered() -> None:
    answered = Story().opened().expired(with_return=True).made(K.BET_RETURN, NOT_FOUND)
    assert answered.state(K.BET_RETURN) is S.REFUSED
    story = Story().opened().expired(with_return=True).made(K.BET_RETURN, SILENCE).at(62).made(K.BET_RETURN, NOT_FOUND)
    assert story.call(K.BET_RETURN) == (Step.INFO, 82.0)
    story.at(82).informed(K.BET_RETURN, NOT_THERE)
    assert story.state(K.BET_RETURN) is S.REFUSED


def test_without_info_the_same_proof_of_two_tries_in_a_row_stands() -> None:
    story = (
        Story(casino=NO_CALL)
        .opened()
        .expired(with_return=True)
        .made(K.BET_RETURN, SILENCE)
        .made(K.BET_RETURN, NOT_FOUND)
    )
    assert step_of(story, K.BET_RETURN) is Step.MAKE
    story.made(K.BET_RETURN, NOT_FOUND)
    assert story.state(K.BET_RETURN) is S.REFUSED


def test_without_info_another_refusal_of_it_is_not_yet() -> None:
    story = Story(casino=NO_CALL).opened().expired(with_return=True).made(K.BET_RETURN, FUNDS)
    assert step_of(story, K.BET_RETURN) is Step.MAKE


# --- what else leaves a try unanswered ------------------------------------------------------------------------


def test_a_payment_that_exists_with_contents_untold_is_not_ended_by_a_refusal() -> None:
    story = undoing()
    story.hear(K.PAYOUT_RETURN, Exists(None))
    story.at(101).hear(K.PAYOUT_RETURN, FUNDS)
    assert story.call(K.PAYOUT_RETURN) == (Step.INFO, 121.0)


def test_what_is_ordered_while_recovery_is_on_may_have_been_sent_before() -> None:
    story = Story().settled(2500)
    d: Draft[Any] = Draft(story.subject, replace(terms(50), recovering=True))
    d.order(K.PAYOUT_RETURN, 2500, None)
    assert d.payments[K.PAYOUT_RETURN].unanswered


# --- listed twice ---------------------------------------------------------------------------------------------


def test_of_two_lines_the_one_that_fits_is_taken() -> None:
    """The double booking is the casino's: the bet goes on by the line that is the hub's own."""
    story = Story().opened().at(30)
    wrong, right = story.said(K.STAKE, amount="1.00", partner_tx="t-1"), story.said(K.STAKE, partner_tx="t-2")
    story.informed(K.STAKE, InfoList((wrong, right)))
    assert story.subject.payments[K.STAKE].partner_tx == "t-2"


def test_of_two_lines_that_fit_the_one_with_the_known_number_is_taken() -> None:
    """A person asks after a payout that was accepted: the second line is no other number of it."""
    story = Story().opened().at(1)
    story.accept(K.STAKE, partner_tx="t-2")
    lines: tuple[Contents, ...] = (story.said(K.STAKE, partner_tx="t-1"), story.said(K.STAKE, partner_tx="t-2"))
    payment = story.subject.payments[K.STAKE]
    d: Draft[Any] = Draft(story.subject, terms(2))
    assert line_of(d, payment, InfoList(lines)) == lines[1]
