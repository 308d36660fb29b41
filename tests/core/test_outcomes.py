"""What a casino says of a payment, believed or not (casino.md 1.1 and 1.2, money.md 2, 3.6 and 3.7)."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import Any

import pytest

from croupier.core import person
from croupier.core.bet import BetState
from croupier.core.cashback import CashbackState
from croupier.core.counterparty import LateAccept
from croupier.core.draft import Draft
from croupier.core.outcomes import apply_outcome, differences
from croupier.core.payment import GIVES, SLOT_CLOSE, PaymentState, Step
from croupier.core.readings import Contents, Exists, InfoList, No, PaymentKind, Yes
from croupier.core.refusals import CasinoNo, Refusal
from croupier.core.remembered import MOST, Verdict
from tests.core.samples import (
    CASINO,
    FUNDS,
    NO_INFO,
    NOT_ADDED,
    NOT_FOUND,
    RECEIVED,
    SILENCE,
    K,
    S,
    Story,
    facts_of,
)

B = BetState
NOS = [No(reason, 1, reason.value) for reason in CasinoNo]
LIES: dict[str, dict[str, Any]] = {
    "id": {"subject_id": 8},
    "player": {"player_ref": "bob"},
    "type": {"kind": K.PAYOUT},
    "amount": {"amount": "10.01"},
    "rubbish amount": {"amount": "ten"},
    "tax": {"tax": "0.01"},
}


def keeping(policy: LateAccept = LateAccept.REFUSE) -> Story:
    """A story at a casino that undoes late successes itself."""
    return Story(casino=replace(CASINO, late_accept=policy))


def owed_story(kind: PaymentKind) -> Story:
    """A story in which a payment of this kind is owed to the player."""
    if kind is K.CASHBACK:
        return Story().cashback()
    if kind is K.BET_RETURN:
        story = Story().on()
        story.refund()
        return story
    return Story().settled(paid=False)


# --- a stake ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at_s", "state"), [(1, B.ON), (5.999, B.ON), (6, B.UNCLAIMED), (25, B.UNCLAIMED)])
def test_an_accepted_stake_is_on_only_if_somebody_waits(at_s: float, state: BetState) -> None:
    story = Story().opened().at(at_s)
    assert story.accept(K.STAKE) is Verdict.OK
    assert (story.subject.state, story.subject.was_on) == (state, True)
    assert story.balances() == {"open-bets": 1000, "wallets": -1000}


@pytest.mark.parametrize("no", NOS, ids=lambda n: n.reason.value)
def test_a_refused_stake_keeps_the_casinos_words_and_the_providers_answer(no: No) -> None:
    story = Story().opened()
    assert story.hear(K.STAKE, no) is Verdict.OK
    payment = story.payment(K.STAKE)
    assert (story.subject.state, payment.state, payment.message) == (B.REFUSED, S.REFUSED, no.message)
    assert Refusal(story.subject.pay_in_answer).value == story.pay_in()
    assert (story.balances(), story.call(K.STAKE)) == ({}, None)


def test_a_refusal_after_a_refund_is_no_answer_to_the_pay_in() -> None:
    """The pay-in was answered 99 when the refund came; its repeats get 7 and not the casino's reason."""
    story = Story().opened()
    story.refund()
    story.hear(K.STAKE, FUNDS)
    assert (story.subject.state, story.subject.pay_in_answer, story.pay_in()) == (B.CANCELLED, None, "conflict")


@pytest.mark.parametrize("lie", LIES)
def test_an_accept_that_contradicts_the_make_changes_no_money(lie: str) -> None:
    """102823 to the casino, an incident, and the question after the stake goes on (casino.md 1.2)."""
    story = Story().opened()
    assert story.accept(K.STAKE, **LIES[lie]) is Verdict.CONFLICT
    assert (story.state(K.STAKE), story.balances()) == (S.CREATED, {})
    assert story.incidents["contradiction"] == 1
    assert story.call(K.STAKE) is not None


@pytest.mark.parametrize("lie", LIES)
def test_a_stake_that_exists_with_other_contents_is_parked(lie: str) -> None:
    """103804 whose Value is not what we asked: a person ends it (money.md 3.7)."""
    story = Story().opened()
    assert story.exists(K.STAKE, **LIES[lie]) is Verdict.CONFLICT
    assert (story.state(K.STAKE), story.call(K.STAKE)) == (S.PARKED, None)
    assert story.incidents["parked"] == 1


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"amount": "10"},
        {"amount": "10.000"},
        {"tax": "0"},
        {"tax": "0.00"},
        {"kind": None},
        {"subject_id": None},
        {"player_ref": None},
        {"amount": None},
    ],
)
def test_numbers_compare_as_numbers_and_what_is_not_stated_does_not_differ(same: dict[str, Any]) -> None:
    """Both an accept and 103804 with these contents are the success itself."""
    for tell in (Story.accept, Story.exists):
        story = Story().opened()
        assert tell(story, K.STAKE, **same) is Verdict.OK
        assert story.state(K.STAKE) is S.ACCEPTED


@pytest.mark.parametrize(
    ("truth", "verdict"),
    [
        ("yes", Verdict.OK),
        ("exists", Verdict.OK),
        ("bare", Verdict.OK),
        ("no", Verdict.CONFLICT),
        ("other number", Verdict.CONFLICT),
        ("other amount", Verdict.CONFLICT),
    ],
)
def test_a_word_after_the_acceptance_repeats_it_or_contradicts_it(truth: str, verdict: Verdict) -> None:
    story = Story().on()
    before, said = story.subject, story.said(K.STAKE)
    outcome = {
        "yes": Yes(said),
        "exists": Exists(said),
        "bare": Exists(None),
        "no": FUNDS,
        "other number": Yes(replace(said, partner_tx="tx-2")),
        "other amount": Yes(replace(said, amount="1")),
    }[truth]
    assert story.hear(K.STAKE, outcome) is verdict
    assert facts_of(story.subject) == facts_of(before)
    assert bool(story.incidents) is (verdict is Verdict.CONFLICT)


def test_what_was_accepted_without_the_casinos_number_is_given_it_once() -> None:
    """A person took it as accepted; a casino that then says so under two numbers has booked it twice."""
    story = Story().settled(paid=False)
    story.by_person(person.accept, K.PAYOUT)
    said = story.said(K.PAYOUT)
    assert story.payment(K.PAYOUT).partner_tx is None
    assert story.hear(K.PAYOUT, Yes(said)) is Verdict.OK
    assert story.payment(K.PAYOUT).partner_tx == said.partner_tx
    assert story.hear(K.PAYOUT, Yes(said)) is Verdict.OK
    assert not story.incidents
    assert story.hear(K.PAYOUT, Yes(replace(said, partner_tx="tx-2"))) is Verdict.CONFLICT
    assert set(story.incidents) == {"contradiction"}


@pytest.mark.parametrize("kind", [K.PAYOUT, K.BET_RETURN, K.JACKPOT])
def test_an_outcome_of_a_payment_that_was_never_asked_for_is_refused(kind: PaymentKind) -> None:
    story = Story().on()
    assert story.hear(kind, Yes(Contents(7, "ann", kind, "10", None, "tx"))) is Verdict.CONFLICT
    assert set(story.subject.payments) == {K.STAKE}


def test_a_refusal_told_twice_is_told_once() -> None:
    story = Story().opened()
    assert [story.hear(K.STAKE, FUNDS), story.hear(K.STAKE, NOT_ADDED)] == [Verdict.OK, Verdict.OK]
    assert story.subject.pay_in_answer == "not_enough_funds"


# --- late accepts ----------------------------------------------------------------------------------------


def ended(how: str, policy: LateAccept) -> Story:
    story = keeping(policy).opened()
    if how == "refused":
        story.hear(K.STAKE, FUNDS)
    else:
        story.expired()
    return story


@pytest.mark.parametrize("how", ["refused", "expired"])
def test_a_success_for_an_ended_stake_is_recorded_and_returned_once(how: str) -> None:
    """money.md 3.6: through suspense, and the casino is answered 200."""
    story = ended(how, LateAccept.RETURN)
    assert story.accept(K.STAKE) is Verdict.OK
    assert (story.subject.state, story.balances()) == (B.RETURNED, {"suspense": 1000, "wallets": -1000})
    assert story.accept(K.STAKE) is Verdict.OK
    story.accept(K.BET_RETURN)
    assert (story.balances(), story.pay_in()) == ({}, "conflict")


@pytest.mark.parametrize("how", ["refused", "expired"])
def test_where_late_accepts_are_refused_nothing_is_recorded_and_nothing_sent(how: str) -> None:
    story = ended(how, LateAccept.REFUSE)
    before = facts_of(story.subject)
    assert story.accept(K.STAKE) is Verdict.CONFLICT
    assert (facts_of(story.subject), story.balances()) == (before, {})
    assert story.incidents["contradiction"] == 1


@pytest.mark.parametrize("how", ["refused", "expired"])
def test_never_both_once_a_return_is_wanted_a_late_accept_is_taken_in(how: str) -> None:
    story = ended(how, LateAccept.REFUSE)
    story.refund()
    assert story.accept(K.STAKE) is Verdict.OK
    assert (story.subject.state, story.state(K.BET_RETURN)) == (B.RETURNED, S.CREATED)


def test_a_setting_that_changed_meanwhile_does_not_make_it_both() -> None:
    """A return is under way already: refusing the late accept too would have the casino undo it twice."""
    story = Story().opened().expired(with_return=True)
    story.casino = replace(CASINO, late_accept=LateAccept.REFUSE)
    assert story.accept(K.STAKE) is Verdict.OK
    assert story.state(K.STAKE) is S.ACCEPTED


def test_a_return_that_was_sent_without_an_outcome_serves_the_late_accept_too() -> None:
    """Unusable answers for a minute: expired with a return. It is the one return there is."""
    story = Story().opened().expired(with_return=True)
    assert (story.subject.state, story.state(K.BET_RETURN)) == (B.EXPIRED, S.CREATED)
    story.accept(K.BET_RETURN)
    assert story.balance("suspense") == -1000, "in either order"
    assert story.accept(K.STAKE) is Verdict.OK
    assert story.balances() == {}


# --- money that is owed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [K.PAYOUT, K.BET_RETURN, K.CASHBACK])
@pytest.mark.parametrize("no", NOS, ids=lambda n: n.reason.value)
def test_a_no_to_owed_money_is_not_yet(kind: PaymentKind, no: No) -> None:
    """Code kept, next try by the schedule; never dropped (money.md 2.7)."""
    story = owed_story(kind)
    owed_before = story.balance("owed")
    assert story.hear(kind, no) is Verdict.OK
    assert (story.state(kind), story.payment(kind).reason) == (S.CREATED, no.reason.value)
    assert story.call(kind) == (Step.MAKE, 0.125), "the first rung, half the luck"
    assert story.balance("owed") == owed_before


@pytest.mark.parametrize("kind", [K.PAYOUT, K.BET_RETURN, K.CASHBACK])
def test_the_fifth_failure_calls_for_a_person_and_the_thirtieth_day_parks(kind: PaymentKind) -> None:
    story = owed_story(kind)
    for failures in range(1, 8):
        story.made(kind, NOT_ADDED)
        assert story.incidents["not_accepted"] == (1 if failures >= 5 else 0)
    story.at(30 * 86400).made(kind, NOT_ADDED)
    assert (story.state(kind), story.call(kind), story.incidents["parked"]) == (S.PARKED, None, 1)
    assert story.accept(kind) is Verdict.OK, "a later success still makes it accepted"
    assert story.balance("owed") == 0


@pytest.mark.parametrize("kind", sorted(GIVES - {K.JACKPOT}, key=attrgetter("value")))
def test_owed_money_that_exists_with_other_contents_is_parked(kind: PaymentKind) -> None:
    story = owed_story(kind)
    assert story.exists(kind, amount="1") is Verdict.CONFLICT
    assert story.state(kind) is S.PARKED


@pytest.mark.parametrize(
    ("kind", "step", "due_s"),
    [(K.PAYOUT, Step.INFO, 0.0), (K.BET_RETURN, Step.INFO, 0.0), (K.CASHBACK, Step.MAKE, 0.125)],
)
def test_exists_without_contents_is_decided_by_info_where_there_is_any(
    kind: PaymentKind, step: Step, due_s: float
) -> None:
    """A cashback has no info, and repeating it is harmless."""
    story = owed_story(kind)
    assert story.hear(kind, Exists(None)) is Verdict.OK
    assert (story.call(kind), story.state(kind)) == ((step, due_s), S.SENT)


# --- the same outcome again -------------------------------------------------------------------------------


def unchanged(story: Story, deed: Any) -> Any:
    """The verdict of a deed that must write nothing at all."""
    d = Draft(story.subject, story.terms())
    verdict = deed(d)
    assert not d.changed
    return verdict


@pytest.mark.parametrize("tell", ["no", "other number", "other amount", "exists otherwise"])
def test_a_contradiction_that_is_resent_changes_nothing(tell: str) -> None:
    """No event, no version, no incident row: a person may have closed the incident (casino.md 1.2)."""
    story = Story().on()
    said = story.said(K.STAKE)
    outcome = {
        "no": FUNDS,
        "other number": Yes(replace(said, partner_tx="tx-2")),
        "other amount": Yes(replace(said, amount="10.01")),
        "exists otherwise": Exists(replace(said, player_ref="bob")),
    }[tell]
    assert story.hear(K.STAKE, outcome) is Verdict.CONFLICT
    again = replace(outcome, message="at 10:01") if isinstance(outcome, No) else outcome
    assert unchanged(story, lambda d: apply_outcome(d, K.STAKE, again)) is Verdict.CONFLICT
    assert story.hear(K.STAKE, NOT_ADDED) is Verdict.CONFLICT, "new contents call for a person again"
    assert story.incidents["contradiction"] == 2
    assert unchanged(story, lambda d: apply_outcome(d, K.STAKE, again)) is Verdict.CONFLICT, (
        "also when others came between"
    )


def test_words_that_parked_a_payment_change_nothing_when_they_come_again() -> None:
    story = Story().opened()
    assert story.exists(K.STAKE, amount="10.01") is Verdict.CONFLICT
    said = Exists(story.said(K.STAKE, amount="10.010"))
    assert unchanged(story, lambda d: apply_outcome(d, K.STAKE, said)) is Verdict.CONFLICT
    assert dict(story.incidents) == {"parked": 1}


@pytest.mark.parametrize("policy", list(LateAccept))
def test_a_late_success_that_was_refused_stays_refused(policy: LateAccept) -> None:
    """The casino was told to undo it: a return that is wanted since must not undo it a second time."""
    story = ended("expired", LateAccept.REFUSE)
    assert story.accept(K.STAKE) is Verdict.CONFLICT
    story.casino = replace(CASINO, late_accept=policy)
    story.refund()
    said = Yes(story.said(K.STAKE))
    assert unchanged(story, lambda d: apply_outcome(d, K.STAKE, said)) is Verdict.CONFLICT


@pytest.mark.parametrize("kind", [K.PAYOUT, K.BET_RETURN, K.CASHBACK])
def test_a_refusal_of_owed_money_counts_once_for_each_try(kind: PaymentKind) -> None:
    """Resent without end it neither postpones the payment nor uses up its schedule."""
    story = owed_story(kind)
    story.hear(kind, NOT_ADDED)
    planned = story.subject.calls[kind.value]
    assert planned.failures == 1
    for no in (NOT_ADDED, replace(NOT_ADDED, message="at 10:01")):
        assert unchanged(story, lambda d, no=no: apply_outcome(d, kind, no)) is Verdict.OK
    story.hear(kind, FUNDS)
    assert story.subject.calls[kind.value] == planned, "other words about the same try: kept, not counted"
    assert story.payment(kind).code == FUNDS.code
    for no in (NOT_ADDED, FUNDS):
        assert unchanged(story, lambda d, no=no: apply_outcome(d, kind, no)) is Verdict.OK
    story.at(1).made(kind, RECEIVED)
    story.hear(kind, NOT_ADDED)
    assert story.subject.calls[kind.value].failures == 2, "the next try was acknowledged, and refused"
    assert unchanged(story, lambda d: apply_outcome(d, kind, NOT_ADDED)) is Verdict.OK
    story.at(2).made(kind, NOT_ADDED)
    assert story.subject.calls[kind.value].failures == 3, "an answer to a try is the word on that try"
    assert unchanged(story, lambda d: apply_outcome(d, kind, NOT_ADDED)) is Verdict.OK, "its accept says it once more"


def test_exists_without_contents_is_asked_after_once_for_each_try() -> None:
    story = owed_story(K.PAYOUT)
    story.hear(K.PAYOUT, Exists(None))
    assert unchanged(story, lambda d: apply_outcome(d, K.PAYOUT, Exists(None))) is Verdict.OK
    cashback = owed_story(K.CASHBACK)
    cashback.hear(K.CASHBACK, Exists(None))
    assert unchanged(cashback, lambda d: apply_outcome(d, K.CASHBACK, Exists(None))) is Verdict.OK


def test_a_refusal_after_the_acceptance_contradicts_it_once_also_if_it_was_said_before() -> None:
    """Nobody can tell a late copy from a booking that was undone: a person looks, once."""
    story = owed_story(K.PAYOUT)
    story.hear(K.PAYOUT, NOT_ADDED)
    story.accept(K.PAYOUT)
    assert story.hear(K.PAYOUT, NOT_ADDED) is Verdict.CONFLICT
    assert unchanged(story, lambda d: apply_outcome(d, K.PAYOUT, NOT_ADDED)) is Verdict.CONFLICT
    assert story.incidents["contradiction"] == 1


def test_of_ever_new_words_the_oldest_are_forgotten() -> None:
    story = Story().on()
    for code in range(100):
        story.hear(K.STAKE, No(CasinoNo.OTHER, code, ""))
    assert len((story.payment(K.STAKE).heard or "").split()) == MOST


def test_a_list_that_contradicts_calls_for_a_person_once() -> None:
    """The questions after an ended stake go on; what they show is no news."""
    story = ended("expired", LateAccept.RETURN)
    odd = InfoList((story.said(K.STAKE, amount="10.01"),))
    story.at(120).informed(K.STAKE, odd)
    story.at(600).informed(K.STAKE, odd)
    assert dict(story.incidents) == {"contradiction": 1}
    foreign = InfoList((replace(story.said(K.STAKE), kind=K.BET_RETURN),))
    story.at(3600).informed(K.STAKE, foreign)
    story.at(86400).informed(K.STAKE, foreign)
    assert dict(story.incidents) == {"contradiction": 1, "foreign_return": 1}


# --- the return of a stake that nobody ever confirmed -----------------------------------------------------


def unconfirmed() -> Story:
    return Story().opened().expired(with_return=True)


def test_bet_not_found_ends_the_return_of_an_unconfirmed_stake() -> None:
    story = unconfirmed()
    story.hear(K.BET_RETURN, NOT_FOUND)
    assert (story.state(K.BET_RETURN), story.call(K.BET_RETURN)) == (S.REFUSED, None)


def test_another_refusal_of_it_is_decided_by_info() -> None:
    story = unconfirmed()
    story.hear(K.BET_RETURN, NOT_ADDED)
    planned = story.call(K.BET_RETURN)
    assert planned is not None
    assert planned[0] is Step.INFO
    story.shown(K.BET_RETURN)
    assert story.state(K.BET_RETURN) is S.REFUSED


@pytest.mark.parametrize(
    ("unusable", "state"),
    [(NO_INFO, S.CREATED), (InfoList((Contents(7, "ann", K.BET_RETURN, "1", None, "x"),)), S.PARKED)],
)
def test_only_a_usable_not_there_ends_it(unusable: Any, state: PaymentState) -> None:
    """No answer: asked again. Another return than ours: a person."""
    story = unconfirmed()
    story.hear(K.BET_RETURN, NOT_ADDED)
    story.informed(K.BET_RETURN, unusable)
    assert story.state(K.BET_RETURN) is state


def test_not_there_without_a_refusal_is_no_end() -> None:
    """Nobody refused it: it may not have arrived, so it is sent again."""
    story = unconfirmed().made(K.BET_RETURN, SILENCE)
    story.shown(K.BET_RETURN)
    planned = story.call(K.BET_RETURN)
    assert (story.state(K.BET_RETURN), planned and planned[0]) == (S.SENT, Step.MAKE)


def test_a_refused_return_is_revived_when_its_stake_turns_up() -> None:
    """The only way back in the table: the same return goes back to created (money.md 2.7)."""
    story = unconfirmed()
    story.hear(K.BET_RETURN, NOT_FOUND)
    assert story.at(3600).accept(K.STAKE) is Verdict.OK
    assert (story.state(K.BET_RETURN), story.call(K.BET_RETURN)) == (S.CREATED, (Step.MAKE, 3600.0))
    story.hear(K.BET_RETURN, NOT_FOUND)
    assert story.state(K.BET_RETURN) is S.CREATED, "now it is owed like anything else"
    story.accept(K.BET_RETURN)
    assert (story.balances(), story.incidents["contradiction"]) == ({}, 0)


# --- money taken back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("no", NOS, ids=lambda n: n.reason.value)
def test_a_refused_taking_back_of_a_payout_leaves_the_bet_settled(no: No) -> None:
    story = Story().settled()
    story.refund()
    story.hear(K.PAYOUT_RETURN, no)
    assert (story.subject.state, story.state(K.BET_RETURN)) == (B.DISPUTED, None)
    assert (story.incidents["payout_kept"], story.refund()) == (1, "ok")
    assert story.balances() == {"ggr": -1500, "wallets": 1500}


def test_a_refused_taking_back_of_a_cashback_leaves_it_standing() -> None:
    story = Story().cashback()
    story.accept(K.CASHBACK)
    story.cancel().hear(K.CASHBACK_CANCEL, NOT_ADDED)
    assert (story.subject.state, story.incidents["cashback_kept"]) == (CashbackState.KEPT, 1)
    assert story.balances() == {"cashback": -500, "wallets": 500}


def test_a_success_after_a_refused_taking_back_is_still_taken_in() -> None:
    story = Story().settled()
    story.refund()
    story.hear(K.PAYOUT_RETURN, NOT_ADDED)
    story.accept(K.PAYOUT_RETURN)
    assert (story.subject.state, story.balance("owed")) == (B.RETURNED, 1000)


# --- close -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asks_for_it", "planned"), [(True, (Step.CLOSE, 0.0)), (False, None)])
def test_a_close_goes_out_when_the_last_payment_has_its_outcome(asks_for_it: bool, planned: Any) -> None:
    story = Story(casino=replace(CASINO, close=asks_for_it)).settled(paid=False)
    assert story.call(SLOT_CLOSE) is None
    story.accept(K.PAYOUT)
    assert story.call(SLOT_CLOSE) == planned


@pytest.mark.parametrize("make", [lambda: Story().opened().expired(), lambda: ended("refused", LateAccept.RETURN)])
def test_a_bet_without_an_accepted_payment_is_not_closed(make: Any) -> None:
    assert make().call(SLOT_CLOSE) is None


def test_differences_are_named_for_the_person_who_looks() -> None:
    story = Story().opened()
    payment, said = story.payment(K.STAKE), Contents(9, "bob", K.JACKPOT, "0.01", "5", "tx")
    found: list[str] = []
    story.change(lambda d: found.extend(differences(d, payment, said)))
    assert found == ["id", "player", "type", "amount", "tax"]
