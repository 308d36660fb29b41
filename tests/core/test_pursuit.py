"""What follows the answers to our own calls, and what is due (casino.md 2.1, money.md 2, 3.6 and 3.9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from croupier.core import pursuit
from croupier.core.bet import BetState, Closing
from croupier.core.counterparty import LateAccept
from croupier.core.draft import Draft
from croupier.core.payment import SLOT_CLAIM, SLOT_CLOSE, Step
from croupier.core.pursuit import POISON_AFTER, step_when_due
from croupier.core.readings import CloseDone, Contents, Exists, InfoList, InfoReading, No, PaymentKind, Unknown, Yes
from croupier.core.refusals import CasinoNo
from croupier.core.remembered import Verdict
from tests.core.samples import (
    CASINO,
    FUNDS,
    NO_INFO,
    NOT_ADDED,
    RECEIVED,
    SILENCE,
    K,
    S,
    Story,
)

B = BetState
NOT_THERE = InfoList(())
FOREIGN = Contents(7, "ann", K.BET_RETURN, "10", None, "tx-undone")


def refusing_late() -> Story:
    return Story(casino=replace(CASINO, late_accept=LateAccept.REFUSE)).opened()


def wanted_back() -> Story:
    story = Story().opened()
    story.refund()
    return story


# --- answers to the make of a stake -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at_s", "reading", "planned"),
    [
        (0.1, RECEIVED, (Step.INFO, 30.0)),
        (5, RECEIVED, (Step.INFO, 30.0)),
        (40, RECEIVED, (Step.INFO, 45.0)),
        (0.1, SILENCE, (Step.MAKE, 0.225)),
        (5.8, SILENCE, (Step.MAKE, 5.925)),
        (5.9, SILENCE, (Step.INFO, 30.0)),
        (20, SILENCE, (Step.INFO, 30.0)),
        (61, SILENCE, (Step.INFO, 61.0)),
    ],
)
def test_a_stake_is_sent_again_only_unacknowledged_and_inside_the_hold_time(
    at_s: float, reading: Any, planned: tuple[Step, float]
) -> None:
    """Else it is asked after, by the schedule of questions."""
    story = Story().opened().at(at_s).made(K.STAKE, reading)
    assert (story.state(K.STAKE), story.call(K.STAKE)) == (S.SENT, planned)


def test_a_stake_that_is_not_wanted_any_more_is_not_sent_again() -> None:
    story = wanted_back().at(1).made(K.STAKE, SILENCE)
    assert story.call(K.STAKE) == (Step.INFO, 30.0)


@pytest.mark.parametrize(
    ("outcome", "state", "bet"), [("yes", S.ACCEPTED, B.ON), ("exists", S.ACCEPTED, B.ON), ("no", S.REFUSED, B.REFUSED)]
)
def test_an_inline_outcome_is_an_outcome(outcome: str, state: Any, bet: BetState) -> None:
    story = Story().opened()
    said = story.said(K.STAKE)
    story.made(K.STAKE, {"yes": Yes(said), "exists": Exists(said), "no": FUNDS}[outcome])
    assert (story.state(K.STAKE), story.subject.state, story.call(K.STAKE)) == (state, bet, None)


def test_an_inline_success_with_other_contents_is_no_outcome() -> None:
    """No money moves, an incident is raised, and the schedule goes on."""
    story = Story().opened().at(1)
    story.made(K.STAKE, Yes(story.said(K.STAKE, amount="1")))
    assert (story.state(K.STAKE), story.incidents["contradiction"]) == (S.SENT, 1)
    assert story.call(K.STAKE) == (Step.MAKE, 1.125)


def test_exists_without_contents_asks_info_at_once() -> None:
    story = Story().opened().at(1).made(K.STAKE, Exists(None))
    assert (story.state(K.STAKE), story.call(K.STAKE)) == (S.SENT, (Step.INFO, 1.0))


@pytest.mark.parametrize("reading", [RECEIVED, SILENCE, FUNDS])
def test_an_answer_that_comes_after_the_accept_changes_nothing_but_a_contradiction(reading: Any) -> None:
    story = Story().on()
    story.made(K.STAKE, reading)
    assert (story.state(K.STAKE), story.subject.state, story.call(K.STAKE)) == (S.ACCEPTED, B.ON, None)


# --- answers to the make of owed money --------------------------------------------------------------------


def test_an_acknowledged_payout_waits_half_a_minute_for_its_accept() -> None:
    story = Story().settled(paid=False).made(K.PAYOUT, RECEIVED)
    assert (story.state(K.PAYOUT), story.call(K.PAYOUT)) == (S.SENT, (Step.MAKE, 30.0))
    assert story.incidents == {}


def test_an_accept_that_never_comes_is_a_failure_like_any_other() -> None:
    """A casino that only ever acknowledges calls for a person too, and is parked on the thirtieth day."""
    story = Story().settled(paid=False)
    for n in range(8):
        story.at(n * 30).made(K.PAYOUT, RECEIVED)
        assert story.call(K.PAYOUT) == (Step.MAKE, n * 30 + 30.0)
    assert story.incidents["not_accepted"] == 1
    story.at(30 * 86400).made(K.PAYOUT, RECEIVED)
    assert story.state(K.PAYOUT) is S.PARKED


@pytest.mark.parametrize(("tries", "due_s"), [(1, 0.125), (2, 0.25), (6, 4.0), (9, 30.0), (10, 285.0)])
def test_an_unanswered_payout_climbs_the_ladder(tries: int, due_s: float) -> None:
    story = Story().settled(paid=False)
    for _ in range(tries):
        story.made(K.PAYOUT, SILENCE)
    assert story.call(K.PAYOUT) == (Step.MAKE, due_s)


def test_silence_forgets_the_last_no() -> None:
    """Between a no and now something was sent: a cancel may not rely on that no any more."""
    story = Story().cashback()
    story.hear(K.CASHBACK, NOT_ADDED)
    story.made(K.CASHBACK, SILENCE)
    assert story.payment(K.CASHBACK).reason is None


# --- info about a stake ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at_s", "usable", "stake", "planned"),
    [
        (10, True, S.CREATED, (Step.INFO, 30.0)),
        (25, True, S.CREATED, (Step.INFO, 30.0)),
        (26, True, S.CREATED, (Step.INFO, 30.0)),
        (26.001, True, S.EXPIRED, (Step.INFO, 120.0)),
        (30, True, S.EXPIRED, (Step.INFO, 120.0)),
        (30, False, S.CREATED, (Step.INFO, 45.0)),
        (45, False, S.CREATED, (Step.INFO, 60.0)),
        (60, False, S.EXPIRED, (Step.INFO, 120.0)),
    ],
)
def test_a_stake_expires_when_not_there_proves_it_or_the_questions_end(
    at_s: float, usable: bool, stake: Any, planned: tuple[Step, float]
) -> None:
    story = Story().opened().at(at_s).informed(K.STAKE, NOT_THERE if usable else NO_INFO)
    assert (story.state(K.STAKE), story.call(K.STAKE)) == (stake, planned)


@pytest.mark.parametrize(("reading", "returned"), [(NOT_THERE, False), (NO_INFO, True)])
def test_only_what_could_not_be_learned_is_sent_back(reading: InfoReading, returned: bool) -> None:
    story = Story().opened().at(60).informed(K.STAKE, reading)
    assert (story.subject.state, story.pay_in()) == (B.EXPIRED, "conflict")
    assert (K.BET_RETURN in story.subject.payments) is returned


def test_where_late_accepts_are_refused_info_is_asked_until_it_is_usable() -> None:
    story = refusing_late().at(60).informed(K.STAKE, NO_INFO)
    assert (story.state(K.STAKE), story.state(K.BET_RETURN)) == (S.CREATED, None)
    for n in range(10):
        story.at(61 + n * 300).informed(K.STAKE, NO_INFO)
    assert (story.state(K.STAKE), story.incidents["not_accepted"]) == (S.CREATED, 1)
    story.at(7200).informed(K.STAKE, NOT_THERE)
    assert (story.state(K.STAKE), story.state(K.BET_RETURN)) == (S.EXPIRED, None)


def test_where_late_accepts_are_refused_a_wanted_return_is_sent_all_the_same() -> None:
    story = refusing_late()
    story.refund()
    story.at(60).informed(K.STAKE, NO_INFO)
    assert (story.subject.state, story.state(K.BET_RETURN)) == (B.CANCELLED, S.CREATED)


@pytest.mark.parametrize(
    ("make", "bet"),
    [
        (lambda: Story().opened(), B.UNCLAIMED),
        (wanted_back, B.RETURNED),
        (lambda: Story().opened().expired(), B.RETURNED),
    ],
)
def test_a_stake_that_is_there_is_accepted_whatever_it_was(make: Any, bet: BetState) -> None:
    story = make().at(120).shown(K.STAKE, K.STAKE)
    assert (story.state(K.STAKE), story.subject.state) == (S.ACCEPTED, bet)


@pytest.mark.parametrize("other", [{"amount": "9.99"}, {"player_ref": "bob"}])
def test_an_undecided_stake_that_is_there_otherwise_is_parked(other: dict[str, Any]) -> None:
    story = Story().opened().at(30).shown(K.STAKE, K.STAKE, **other)
    assert story.state(K.STAKE) is S.PARKED


def test_an_expired_stake_that_is_there_otherwise_calls_for_a_person() -> None:
    story = Story().opened().expired().at(120).shown(K.STAKE, K.STAKE, amount="9.99")
    assert (story.state(K.STAKE), story.incidents["contradiction"]) == (S.EXPIRED, 1)
    assert story.call(K.STAKE) == (Step.INFO, 600.0)


def test_a_return_beside_it_that_we_never_sent_makes_the_answer_unusable() -> None:
    """The casino undid it by itself: neither there nor not there (money.md 2.4)."""
    story = Story().opened().at(30)
    story.informed(K.STAKE, InfoList((story.said(K.STAKE), FOREIGN)))
    assert (story.state(K.STAKE), story.incidents["foreign_return"]) == (S.CREATED, 1)


def test_an_expired_stake_is_asked_after_four_more_times() -> None:
    story, asked = Story().opened().expired(), []
    while (planned := story.call(K.STAKE)) is not None:
        assert planned[0] is Step.INFO
        asked.append(planned[1])
        story.at(planned[1]).informed(K.STAKE, NO_INFO)
    assert asked == [120, 600, 3600, 86_400]


@pytest.mark.parametrize("returned_at_s", [70.0, 90_000.0])
def test_a_return_taken_for_a_stake_that_was_never_shown_is_named_when_the_questions_end(returned_at_s: float) -> None:
    """Until then somebody still asks; after that suspense holds what only a person can explain (money.md 5, I7)."""
    story = Story().opened().expired(with_return=True)
    if returned_at_s < 86_400:
        story.at(returned_at_s).accept(K.BET_RETURN)
    for at_s in (120, 600, 3600, 86_400):
        assert "unexplained_return" not in story.incidents
        story.at(at_s).informed(K.STAKE, NO_INFO)
    if returned_at_s > 86_400:
        assert "unexplained_return" not in story.incidents
        story.at(returned_at_s).accept(K.BET_RETURN)
    assert story.incidents["unexplained_return"] == 1


def test_the_late_questions_begin_without_the_failures_of_the_early_ones() -> None:
    story = refusing_late().at(60)
    for _ in range(3):
        story.informed(K.STAKE, NO_INFO)
    assert story.subject.calls["stake"].failures == 3
    story.informed(K.STAKE, NOT_THERE)
    assert story.subject.calls["stake"].failures == 0


def test_a_casino_that_refuses_late_accepts_and_shows_the_stake_is_a_contradiction() -> None:
    story = refusing_late().expired().at(120).shown(K.STAKE, K.STAKE)
    assert (story.state(K.STAKE), story.incidents["contradiction"]) == (S.EXPIRED, 1)


# --- info about another payment --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "other", "state", "step"),
    [
        ([K.STAKE, K.PAYOUT], {}, S.ACCEPTED, None),
        ([K.STAKE], {}, S.CREATED, Step.MAKE),
        ([K.PAYOUT], {"amount": "1"}, S.PARKED, None),
        (None, {}, S.CREATED, Step.INFO),
    ],
)
def test_a_payout_that_exists_is_decided_by_info(
    shown: list[PaymentKind] | None, other: dict[str, Any], state: Any, step: Step | None
) -> None:
    story = Story().settled(paid=False)
    listed = None if shown is None else InfoList(tuple(story.said(k, **other) for k in shown))
    story.informed(K.PAYOUT, NO_INFO if listed is None else listed)
    planned = story.call(K.PAYOUT)
    assert (story.state(K.PAYOUT), planned and planned[0]) == (state, step)


def test_a_list_asked_for_the_return_may_show_the_expired_stake() -> None:
    """That is a late accept, and the return is then owed like anything else."""
    story = Story().opened().expired(with_return=True)
    story.hear(K.BET_RETURN, NOT_ADDED)
    story.shown(K.BET_RETURN, K.STAKE)
    assert (story.state(K.STAKE), story.subject.state) == (S.ACCEPTED, B.RETURNED)
    planned = story.call(K.BET_RETURN)
    assert (story.state(K.BET_RETURN), planned and planned[0]) == (S.CREATED, Step.MAKE)


# --- parked, and asked or sent once more ------------------------------------------------------------------


def parked_stake() -> Story:
    story = Story().opened()
    story.exists(K.STAKE, amount="1")
    story.change(lambda d: d.call_later(K.STAKE.value, Step.INFO, d.terms.now_ms))
    return story


@pytest.mark.parametrize(
    ("reading", "state"), [("there", S.ACCEPTED), ("otherwise", S.PARKED), ("not there", S.PARKED), ("none", S.PARKED)]
)
def test_a_parked_stake_that_is_asked_after_once_ends_only_by_a_success(reading: str, state: Any) -> None:
    story = parked_stake()
    said = story.said(K.STAKE)
    readings = {
        "there": InfoList((said,)),
        "otherwise": InfoList((replace(said, amount="1"),)),
        "not there": NOT_THERE,
        "none": NO_INFO,
    }
    story.informed(K.STAKE, readings[reading])
    assert (story.state(K.STAKE), story.call(K.STAKE)) == (state, None)


@pytest.mark.parametrize(
    ("answer", "state"), [("yes", S.ACCEPTED), ("no", S.PARKED), ("received", S.PARKED), ("silence", S.PARKED)]
)
def test_a_parked_payout_that_is_sent_once_more_ends_only_by_a_success(answer: str, state: Any) -> None:
    story = Story().settled(paid=False)
    story.exists(K.PAYOUT, amount="1")
    story.change(lambda d: d.call_later(K.PAYOUT.value, Step.MAKE, d.terms.now_ms))
    told = {"yes": Yes(story.said(K.PAYOUT)), "no": NOT_ADDED, "received": RECEIVED, "silence": SILENCE}
    story.made(K.PAYOUT, told[answer])
    assert (story.state(K.PAYOUT), story.call(K.PAYOUT)) == (state, None)


# --- close and reopen -------------------------------------------------------------------------------------


def closing() -> Story:
    story = Story().settled()
    assert story.subject.closing is Closing.CLOSING
    return story


def test_a_confirmed_close_is_done() -> None:
    story = closing().closed(SLOT_CLOSE, CloseDone())
    assert (story.subject.closing, story.call(SLOT_CLOSE)) == (Closing.CLOSED, None)


def test_a_close_is_pursued_by_the_schedule_and_given_up_after_thirty_days() -> None:
    """Never blocking: no payment waits for it, and the bet stays as it is."""
    story = closing()
    for _ in range(5):
        story.closed(SLOT_CLOSE, Unknown("HTTP 500"))
    assert (story.call(SLOT_CLOSE), story.incidents["not_closed"]) == ((Step.CLOSE, 2.0), 1)
    story.at(30 * 86400).closed(SLOT_CLOSE, Unknown("HTTP 500"))
    assert (story.call(SLOT_CLOSE), story.incidents["close_given_up"]) == (None, 1)
    assert story.subject.state is B.SETTLED


def reopening() -> Story:
    """A refund of a closed bet: its payout return waits for the reopening."""
    story = closing().closed(SLOT_CLOSE, CloseDone())
    story.refund()
    return story


def test_a_payment_waits_for_the_reopening_and_is_sent_only_then() -> None:
    story = reopening()
    assert story.call(K.PAYOUT_RETURN) == (Step.REOPEN, 0.0)
    story.closed("payout_return", Unknown("HTTP 500"))
    assert story.call(K.PAYOUT_RETURN) == (Step.REOPEN, 0.125)
    story.closed("payout_return", CloseDone())
    assert (story.call(K.PAYOUT_RETURN), story.subject.closing) == ((Step.MAKE, 0.0), Closing.REOPENED)


def test_a_reopening_keeps_its_place_on_the_ladder() -> None:
    """A casino that reopens and then refuses must not be asked without end and without a pause."""
    story = reopening()
    for _ in range(3):
        story.closed("payout_return", CloseDone())
        story.made(K.PAYOUT_RETURN, SILENCE)
    assert story.subject.calls["payout_return"].failures == 3


def test_a_close_under_way_is_withdrawn_by_a_new_payment() -> None:
    story = closing()
    story.refund()
    assert (story.call(SLOT_CLOSE), story.call(K.PAYOUT_RETURN)) == (None, (Step.REOPEN, 0.0))


def test_the_reopening_of_a_parked_payment_is_tried_once() -> None:
    story = reopening()
    story.exists(K.PAYOUT_RETURN, amount="1")
    story.change(lambda d: d.call_later("payout_return", Step.REOPEN, d.terms.now_ms))
    story.closed("payout_return", Unknown("HTTP 500"))
    assert (story.state(K.PAYOUT_RETURN), story.call(K.PAYOUT_RETURN)) == (S.PARKED, None)


# --- what is due ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at_s", "step", "planned"),
    [(0, Step.MAKE, (Step.MAKE, 0.0)), (5.999, Step.MAKE, (Step.MAKE, 0.0)), (6, None, (Step.INFO, 30.0))],
)
def test_a_stake_whose_hold_time_is_over_is_asked_after_instead_of_sent(
    at_s: float, step: Step | None, planned: tuple[Step, float]
) -> None:
    story = Story().opened().at(at_s)
    assert story.due(K.STAKE) is step
    assert story.call(K.STAKE) == planned


def test_a_stake_that_was_refunded_before_it_left_is_not_sent() -> None:
    """It may have left under the lease that was lost, so it is asked after."""
    story = wanted_back().at(1)
    assert (story.due(K.STAKE), story.call(K.STAKE)) == (None, (Step.INFO, 30.0))


def test_the_claim_time_over_returns_the_stake() -> None:
    story = Story().opened().at(7)
    story.accept(K.STAKE)
    assert story.at(22).due(SLOT_CLAIM) is None
    assert (story.subject.state, story.call(SLOT_CLAIM), story.state(K.BET_RETURN)) == (B.RETURNED, None, S.CREATED)


@pytest.mark.parametrize("step", [Step.INFO, Step.MAKE])
def test_other_calls_are_simply_made(step: Step) -> None:
    story = Story().settled(paid=False)
    story.change(lambda d: d.call_later("payout", step, d.terms.now_ms))
    assert story.due(K.PAYOUT) is step


@pytest.mark.parametrize(("crashes", "step", "state"), [(4, Step.MAKE, S.CREATED), (5, None, S.PARKED)])
def test_a_call_that_ended_five_processes_is_quarantined(crashes: int, step: Step | None, state: Any) -> None:
    story = Story().settled(paid=False)
    poison(story, "payout", crashes)
    assert (story.due(K.PAYOUT), story.state(K.PAYOUT)) == (step, state)
    assert POISON_AFTER == 5


def test_a_poisoned_close_is_dropped_with_an_incident() -> None:
    story = closing()
    poison(story, SLOT_CLOSE, POISON_AFTER)
    assert story.due(SLOT_CLOSE) is None
    assert (story.call(SLOT_CLOSE), story.incidents["poisoned_call"]) == (None, 1)


def poison(story: Story, slot: str, crashes: int) -> None:
    """The store counts crashes when it takes a lease over."""
    calls = {**story.subject.calls, slot: replace(story.subject.calls[slot], crashes=crashes)}
    story.subject = replace(story.subject, calls=calls)


def test_taking_up_a_plain_call_leaves_nothing_to_commit() -> None:
    """So that a call costs one decision, its answer's."""
    story = Story().opened()
    d: Draft[Any] = Draft(story.subject, story.terms())
    assert step_when_due(d, "stake") is Step.MAKE
    assert not d.changed


def test_a_claims_time_stands_still_while_recovery_is_on() -> None:
    """The database may have forgotten that the provider was told yes: nothing is given back meanwhile."""
    story = Story().opened().at(7)
    story.accept(K.STAKE)
    story.at(23)
    d: Draft[Any] = Draft(story.subject, replace(story.terms(), recovering=True))
    assert step_when_due(d, SLOT_CLAIM) is None
    story.take(d.finish("taken_up"))
    assert story.subject.state is B.UNCLAIMED
    assert story.call(SLOT_CLAIM) == (Step.CLAIM_DUE, 38.0)
    story.at(38).due(SLOT_CLAIM)
    assert story.subject.state is B.RETURNED


# --- a call that was not read (decision 0012) ---------------------------------------------------------------------

UNREAD = No(CasinoNo.WRONG_DATA, 103753, "Request data error")


def test_a_stake_refused_unread_is_refused_and_asked_after_all_the_same() -> None:
    """A copy of the call may be read and booked: info is asked at the times of an expired stake."""
    story = Story().opened().made(K.STAKE, UNREAD)
    assert (story.subject.state, story.state(K.STAKE)) == (BetState.REFUSED, S.REFUSED)
    assert story.call(K.STAKE) == (Step.INFO, 120.0)
    assert Story().opened().made(K.STAKE, FUNDS).call(K.STAKE) is None


def _taking_back() -> Story:
    story = Story().settled()
    story.refund()
    return story


def _cancelled(*, paid: bool) -> Story:
    story = Story().cashback()
    if paid:
        story.accept(K.CASHBACK)
    return story.cancel()


@pytest.mark.parametrize(
    ("story", "kind", "step"),
    [
        (_taking_back(), K.PAYOUT_RETURN, Step.REOPEN),
        (_cancelled(paid=False), K.CASHBACK, Step.MAKE),
        (_cancelled(paid=True), K.CASHBACK_CANCEL, Step.MAKE),
    ],
)
def test_what_a_no_would_end_goes_on_after_one_that_was_not_read(story: Story, kind: PaymentKind, step: Step) -> None:
    """An earlier try of it may be booked."""
    state = story.subject.state
    story.made(kind, UNREAD)
    assert (story.subject.state, story.state(kind), story.call(kind)) == (state, S.SENT, (step, 0.125))


def test_the_incident_of_what_failed_says_what_could_not_be_read() -> None:
    """Somebody must mend the casino: "no answer" would send them to the network."""
    story = Story().settled(paid=False)
    why = Unknown("code 200, but in Value PartnerTransactionId must be a string")
    notes = []
    for n in range(5):
        draft: Draft[Any] = Draft(story.at(n + 1).subject, story.terms())
        pursuit.apply_make_answer(draft, K.PAYOUT, why)
        decision = draft.finish("made")
        notes += [one.note for one in decision.incidents]
        story.take(decision)
    assert notes == [f"payout failed 5 times; last: {why.why}"]


# --- an answer whose call is somebody else's by now --------------------------------------------------------------


@pytest.mark.parametrize(("outcome", "bet"), [("yes", B.ON), ("exists", B.ON), ("no", B.REFUSED)])
def test_a_definite_answer_counts_whoever_has_the_call(outcome: str, bet: BetState) -> None:
    """A worker slept through its lease: what the casino told it is as true as an accept with the same words."""
    story = Story().opened().at(1)
    said = story.said(K.STAKE)
    reading = {"yes": Yes(said), "exists": Exists(said), "no": FUNDS}[outcome]
    story.change(lambda d: pursuit.apply_stale_answer(d, K.STAKE, reading), "overheard")
    assert story.subject.state is bet


@pytest.mark.parametrize("reading", [RECEIVED, SILENCE, NO_INFO, InfoList(())])
def test_of_our_next_step_an_outdated_answer_decides_nothing(reading: Any) -> None:
    """Neither sent again nor expired: whoever has the call now decides that, by what it was told itself."""
    story = Story().opened().at(40)
    d = Draft(story.subject, story.terms())
    pursuit.apply_stale_answer(d, K.STAKE, reading)
    assert not d.changed


def test_an_outdated_list_shows_what_is_there() -> None:
    story = Story().opened().at(40)
    shown = InfoList((story.said(K.STAKE),))
    story.change(lambda d: pursuit.apply_stale_answer(d, K.STAKE, shown), "overheard")
    assert (story.state(K.STAKE), story.subject.state) == (S.ACCEPTED, B.UNCLAIMED)
    paid = Story().settled(paid=False)
    shown = InfoList((paid.said(K.STAKE), paid.said(K.PAYOUT)))
    paid.change(lambda d: pursuit.apply_stale_answer(d, K.PAYOUT, shown), "overheard")
    assert (paid.state(K.PAYOUT), paid.balance("owed")) == (S.ACCEPTED, 0)
    odd = Story().opened().at(40)
    d = Draft(odd.subject, odd.terms())
    pursuit.apply_stale_answer(d, K.STAKE, InfoList((odd.said(K.STAKE, amount="1"),)))
    assert not d.changed, "whoever has the call asks too"


# --- a PartnerTransactionId of another payment --------------------------------------------------------------------


def held(story: Story) -> Draft[Any]:
    """A draft that knows that another bet's payment has this id."""
    return Draft(story.subject, replace(story.terms(), held=frozenset({"tx-stake", "tx-payout"})))


def test_an_id_of_another_payment_is_no_yes() -> None:
    story = Story().opened()
    d = held(story)
    assert pursuit.apply_outcome(d, K.STAKE, Yes(story.said(K.STAKE))) is Verdict.CONFLICT
    story.take(d.finish("heard"))
    assert (story.state(K.STAKE), dict(story.incidents)) == (S.CREATED, {"contradiction": 1})


def test_an_inline_yes_with_the_id_of_another_payment_is_no_answer() -> None:
    """Bytes that belong to another call say nothing of this one: it is asked after (casino.md 2.1)."""
    story = Story().settled(paid=False)
    stakes_id = Contents(None, None, None, None, None, story.payment(K.STAKE).partner_tx)
    story.made(K.PAYOUT, Yes(stakes_id))
    assert (story.state(K.PAYOUT), dict(story.incidents)) == (S.SENT, {"contradiction": 1})
    assert story.call(K.PAYOUT) == (Step.MAKE, 0.125)
    story.made(K.PAYOUT, Yes(replace(stakes_id, partner_tx="tx-2")))
    assert story.state(K.PAYOUT) is S.ACCEPTED, "what it did not say is absent, and what it said is new"


@pytest.mark.parametrize("kind", [K.STAKE, K.PAYOUT])
def test_a_list_with_the_id_of_another_payment_parks(kind: PaymentKind) -> None:
    """As any other contents would (money.md 2.7)."""
    story = Story().opened() if kind is K.STAKE else Story().settled(paid=False)
    d = held(story)
    pursuit.apply_info_answer(d, kind, InfoList((story.said(kind),)), asked_ms=d.terms.now_ms)
    story.take(d.finish("informed"))
    assert story.state(kind) is S.PARKED


def test_what_did_not_leave_is_no_unanswered_try() -> None:
    """Nothing of it can be booked, so the refusal of the next try is a proof."""
    story = Story().opened().made(K.STAKE, Unknown("no connection", sent=False))
    assert not story.payment(K.STAKE).unanswered
    story.at(0.5).hear(K.STAKE, FUNDS)
    assert story.state(K.STAKE) is S.REFUSED
