"""What each request of a provider gets, in every state a bet can be in (provider.md 4, money.md 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any

import pytest

from croupier.core.bet import NOT_WANTED, BetState, Closing, Origin
from croupier.core.bet_requests import (
    CannotDo,
    RequestContents,
    open_bet,
    open_jackpot,
    open_tombstone,
    pay_in,
    pay_out,
    refund,
    return_by_person,
    settle_by_person,
)
from croupier.core.draft import Decision
from croupier.core.payment import SLOT_CLAIM, SLOT_CLOSE, Step
from croupier.core.readings import CloseDone, Exists
from croupier.core.refusals import Refusal
from tests.core.samples import CASINO, FUNDS, NOT_ADDED, T0, K, S, Story, new_bet, terms

B = BetState


# --- bets in every state ----------------------------------------------------------------------------------


def tombstone() -> Story:
    story = Story()
    story.take(open_tombstone(new_bet(origin=Origin.TOMBSTONE, stake=0), story.terms()))
    return story


def refused() -> Story:
    story = Story().opened()
    story.hear(K.STAKE, FUNDS)
    return story


def unclaimed() -> Story:
    story = Story().opened().at(7)
    story.accept(K.STAKE)
    return story


def and_refunded(story: Story) -> Story:
    story.refund()
    return story


def disputed() -> Story:
    story = and_refunded(Story().settled())
    story.hear(K.PAYOUT_RETURN, NOT_ADDED)
    return story


def parked() -> Story:
    story = Story().opened()
    story.hear(K.STAKE, Exists(story.said(K.STAKE, amount="1")))
    return story


IN_STATE: dict[BetState, Callable[[], Story]] = {
    B.ASKED: lambda: Story().opened(),
    B.UNWANTED: lambda: and_refunded(Story().opened()),
    B.UNCLAIMED: unclaimed,
    B.ON: lambda: Story().on(),
    B.REFUSED: refused,
    B.EXPIRED: lambda: Story().opened().expired(),
    B.CANCELLED: lambda: and_refunded(refused()),
    B.TOMBSTONE: tombstone,
    B.SETTLED: lambda: Story().settled(),
    B.UNDOING: lambda: and_refunded(Story().settled()),
    B.DISPUTED: disputed,
    B.RETURNED: lambda: and_refunded(Story().on()),
}


@pytest.mark.parametrize("state", B)
def test_each_state_of_the_tables_below_is_what_it_says(state: BetState) -> None:
    assert IN_STATE[state]().subject.state is state


PAY_IN = {
    B.ASKED: "wait", B.UNWANTED: "conflict", B.UNCLAIMED: "claimed", B.ON: "ok", B.REFUSED: "not_enough_funds",
    B.EXPIRED: "conflict", B.CANCELLED: "conflict", B.TOMBSTONE: "conflict", B.SETTLED: "ok", B.UNDOING: "conflict",
    B.DISPUTED: "conflict", B.RETURNED: "conflict",
}  # fmt: skip
PAY_OUT = {
    B.ASKED: "wait", B.UNWANTED: "conflict", B.UNCLAIMED: "settled", B.ON: "settled", B.REFUSED: "conflict",
    B.EXPIRED: "conflict", B.CANCELLED: "conflict", B.TOMBSTONE: "conflict", B.SETTLED: "ok", B.UNDOING: "conflict",
    B.DISPUTED: "conflict", B.RETURNED: "conflict",
}  # fmt: skip
REFUND = {
    B.ASKED: "refunded", B.UNWANTED: "ok", B.UNCLAIMED: "refunded", B.ON: "refunded", B.REFUSED: "refunded",
    B.EXPIRED: "refunded", B.CANCELLED: "ok", B.TOMBSTONE: "ok", B.SETTLED: "refunded", B.UNDOING: "ok",
    B.DISPUTED: "ok", B.RETURNED: "ok",
}  # fmt: skip
AFTER_REFUND = {
    B.ASKED: B.UNWANTED, B.UNCLAIMED: B.RETURNED, B.ON: B.RETURNED, B.REFUSED: B.CANCELLED, B.EXPIRED: B.CANCELLED,
    B.SETTLED: B.UNDOING,
}  # fmt: skip


@pytest.mark.parametrize("state", B)
def test_a_repeated_pay_in_gets_the_answer_of_the_record(state: BetState) -> None:
    """I9: the same id and contents get the same answer, until a return; then 7, whatever was answered before."""
    story = IN_STATE[state]()
    assert story.pay_in() == PAY_IN[state]


@pytest.mark.parametrize("state", B)
def test_a_pay_out_settles_what_is_on_and_nothing_else(state: BetState) -> None:
    """I8: no payout before the acceptance, none after a return."""
    assert IN_STATE[state]().pay_out(2500) == PAY_OUT[state]


@pytest.mark.parametrize("state", B)
def test_a_refund_is_always_answered_with_success(state: BetState) -> None:
    story = IN_STATE[state]()
    assert story.refund() == REFUND[state]
    assert story.subject.state is AFTER_REFUND.get(state, state)
    assert story.refund() == "ok", "twice is like once"


@pytest.mark.parametrize("state", sorted(NOT_WANTED, key=attrgetter("value")))
def test_who_waited_while_a_refund_came_learns_nothing(state: BetState) -> None:
    """99, not 7: the waiter's request was not the one that was answered (money.md 3.4)."""
    if state is not B.TOMBSTONE:
        assert IN_STATE[state]().pay_in(waited=True) == "outcome_unknown"


@pytest.mark.parametrize(("state", "told"), [(B.EXPIRED, "conflict"), (B.REFUSED, "not_enough_funds"), (B.ON, "ok")])
def test_who_waited_for_what_was_decided_gets_the_record(state: BetState, told: str) -> None:
    assert IN_STATE[state]().pay_in(waited=True) == told


OTHER: dict[str, dict[str, Any]] = {
    "another casino": {"casino_id": 12},
    "another player": {"player_id": 34},
    "another round": {"round_ref": "r-2"},
    "another stake": {"stake": 1001},
    "another verb": {"win": 5},
}


@pytest.mark.parametrize("other", OTHER)
@pytest.mark.parametrize("state", B)
def test_other_contents_under_the_same_bet_get_7_and_change_nothing(state: BetState, other: str) -> None:
    story = IN_STATE[state]()
    before = story.subject
    assert story.pay_in(**OTHER[other]) == "conflict"
    assert story.subject is before


@pytest.mark.parametrize("other", [{"casino_id": 12}, {"player_id": 34}, {"round_ref": "r-2"}])
@pytest.mark.parametrize("state", B)
def test_a_pay_out_of_another_player_or_round_is_7(state: BetState, other: dict[str, Any]) -> None:
    assert IN_STATE[state]().pay_out(2500, **other) == "conflict"


@pytest.mark.parametrize("other", [{"casino_id": 12}, {"player_id": 34}])
@pytest.mark.parametrize("state", B)
def test_a_refund_by_another_player_is_7(state: BetState, other: dict[str, int]) -> None:
    assert IN_STATE[state]().refund(**other) == "conflict"


# --- births -----------------------------------------------------------------------------------------------


def test_a_bet_is_born_with_its_stake_and_the_call_that_sends_it() -> None:
    story = Story().opened()
    assert story.state(K.STAKE) is S.CREATED
    assert story.call(K.STAKE) == (Step.MAKE, 0.0)
    assert story.balances() == {}


@pytest.mark.parametrize(
    ("stake", "skip_zero", "state", "sent"),
    [(0, True, B.ON, False), (0, False, B.ASKED, True), (1, True, B.ASKED, True)],
)
def test_a_stake_of_0_is_sent_unless_the_casino_does_not_want_it(
    stake: int, skip_zero: bool, state: BetState, sent: bool
) -> None:
    story = Story(casino=replace(CASINO, skip_zero=skip_zero)).opened(stake=stake)
    assert story.subject.state is state
    assert (K.STAKE in story.subject.payments) is sent


def test_a_free_round_that_was_not_sent_is_settled_and_returned_without_a_stake() -> None:
    story = Story(casino=replace(CASINO, skip_zero=True)).opened_both(700, stake=0)
    assert (story.subject.state, story.balances()) == (B.SETTLED, {"ggr": -700, "owed": 700})
    returned = Story(casino=replace(CASINO, skip_zero=True)).opened(stake=0)
    assert returned.refund() == "refunded"
    assert returned.subject.payments == {}


def test_a_jackpot_win_is_owed_from_its_birth_and_cannot_be_refunded() -> None:
    story = Story()
    story.take(open_jackpot(new_bet(origin=Origin.JACKPOT, stake=0, win=90_000), story.terms()))
    assert story.subject.state is B.SETTLED
    assert story.balances() == {"jackpot": -90_000, "owed": 90_000}
    assert story.pay_out(90_000) == "ok"
    assert story.pay_out(90_001) == "conflict"
    assert story.refund() == "conflict"
    story.accept(K.JACKPOT)
    assert story.balances() == {"jackpot": -90_000, "wallets": 90_000}


# --- waiting ----------------------------------------------------------------------------------------------


def test_a_repeat_joins_the_first_and_moves_the_waiting_on() -> None:
    """It waits for its own hold time, and an accept inside that time finds somebody (money.md 3.4)."""
    story = Story().opened().at(3)
    assert story.pay_in() == "joined"
    assert story.subject.waiting_until_ms == T0 + 9000
    assert story.pay_in() == "wait"
    story.at(8).accept(K.STAKE)
    assert story.subject.state is B.ON


def test_a_repeat_with_an_earlier_end_does_not_shorten_the_waiting() -> None:
    story = Story().opened()
    assert story.pay_in(until_s=2) == "wait"
    assert story.subject.waiting_until_ms == T0 + 6000


def test_whose_time_is_over_stops_the_waiting_and_gets_99() -> None:
    """One row changed: 99. From then on an acceptance finds nobody and is unclaimed."""
    story = Story().opened().at(6)
    assert story.pay_in(waited=True, until_s=6) == "wait_over"
    assert story.subject.waiting_until_ms is None
    assert story.pay_in(waited=True, until_s=6) == "outcome_unknown"
    story.accept(K.STAKE)
    assert story.subject.state is B.UNCLAIMED


def test_the_first_waiter_does_not_end_the_waiting_of_the_second() -> None:
    story = Story().opened().at(3)
    story.pay_in()
    assert story.at(6).pay_in(waited=True, until_s=6) == "outcome_unknown"
    assert story.subject.waiting_until_ms == T0 + 9000


def test_a_pay_in_after_everybody_left_waits_again() -> None:
    story = Story().opened().at(6)
    story.pay_in(waited=True, until_s=6)
    assert story.at(7).pay_in() == "joined"
    assert story.subject.waiting_until_ms == T0 + 13_000


def test_a_pay_out_waits_for_the_stake_and_then_gets_99() -> None:
    story = Story().opened()
    assert story.pay_out(2500) == "wait"
    assert story.pay_out(2500, waited=True) == "outcome_unknown"


def test_a_parked_stake_gets_99_at_once_and_its_refund_is_kept_for_the_person() -> None:
    """money.md 3.7."""
    story = parked()
    assert story.subject.waiting_until_ms is None
    assert story.pay_in() == story.pay_out(2500) == "outcome_unknown"
    assert story.refund() == "refunded"
    assert (story.subject.state, story.state(K.STAKE)) == (B.UNWANTED, S.PARKED)


# --- claiming, settling -----------------------------------------------------------------------------------


def test_a_repeat_claims_an_unclaimed_stake_and_its_due_time_is_over() -> None:
    story = unclaimed()
    assert story.call(SLOT_CLAIM) == (Step.CLAIM_DUE, 22.0)
    assert story.pay_in() == "claimed"
    assert story.call(SLOT_CLAIM) is None
    assert (story.subject.state, story.subject.pay_in_answer) == (B.ON, "ok")


def test_a_pay_out_claims_and_settles_in_one_decision() -> None:
    story = unclaimed()
    assert story.pay_out(2500) == "settled"
    assert story.balances() == {"ggr": -1500, "owed": 2500, "wallets": -1000}
    assert story.call(SLOT_CLAIM) is None


@pytest.mark.parametrize(("win", "ggr"), [(0, 1000), (1000, 0), (2500, -1500)])
def test_a_settlement_moves_the_stake_to_ggr_and_owes_the_win(win: int, ggr: int) -> None:
    story = Story().on()
    assert story.pay_out(win) == "settled"
    assert (story.balance("ggr"), story.balance("owed"), story.balance("open-bets")) == (ggr, win, 0)
    assert story.call(K.PAYOUT) == (Step.MAKE, 0.0)
    assert story.payment(K.PAYOUT).amount == win, "a win of 0 is sent: it is the loss"


@pytest.mark.parametrize(("win", "told"), [(2500, "ok"), (2501, "conflict"), (0, "conflict")])
def test_a_second_pay_out_must_be_the_first_again(win: int, told: str) -> None:
    assert Story().settled(2500).pay_out(win) == told


@pytest.mark.parametrize("state", [B.ASKED, B.ON])
def test_a_pay_out_for_a_bet_made_by_pay_in_out_is_7(state: BetState) -> None:
    story = Story().opened_both()
    if state is B.ON:
        story.accept(K.STAKE)
    assert story.pay_out(2500) == "conflict"


def test_a_pay_in_out_is_settled_in_the_transaction_that_makes_it_on() -> None:
    story = Story().opened_both(2500)
    assert (story.balances(), story.state(K.PAYOUT)) == ({}, None)
    story.accept(K.STAKE)
    assert (story.subject.state, story.balance("owed")) == (B.SETTLED, 2500)
    assert story.pay_in() == "ok"
    assert story.pay_in(win=2400) == "conflict"
    assert story.pay_in(win=None) == "conflict"


def test_an_unclaimed_pay_in_out_owes_its_win_only_when_claimed() -> None:
    story = Story().opened_both(2500).at(7)
    story.accept(K.STAKE)
    assert (story.subject.state, story.balance("owed")) == (B.UNCLAIMED, 0)
    assert story.pay_in() == "claimed"
    assert (story.subject.state, story.balance("owed")) == (B.SETTLED, 2500)


def test_an_unclaimed_pay_in_out_that_is_returned_never_owes_its_win() -> None:
    """money.md 3.8."""
    story = Story().opened_both(2500).at(7)
    story.accept(K.STAKE)
    assert story.at(22).due(SLOT_CLAIM) is None
    assert (story.subject.state, story.balance("owed")) == (B.RETURNED, 1000)
    assert story.state(K.PAYOUT) is None


# --- refunds ----------------------------------------------------------------------------------------------


def test_a_refund_of_a_bet_that_is_on_owes_the_stake_back() -> None:
    story = Story().on()
    story.refund()
    assert story.balances() == {"owed": 1000, "wallets": -1000}
    story.accept(K.BET_RETURN)
    assert story.balances() == {}


def test_a_refund_of_a_stake_in_flight_waits_for_what_the_casino_says() -> None:
    """Return wanted: taken, it goes back through suspense; refused, nothing moves."""
    story = Story().opened()
    story.refund()
    assert (story.subject.waiting_until_ms, story.state(K.BET_RETURN)) == (None, None)
    story.accept(K.STAKE)
    assert (story.subject.state, story.balance("suspense")) == (B.RETURNED, 1000)
    story.accept(K.BET_RETURN)
    assert story.balances() == {}
    refused_instead = and_refunded(Story().opened())
    refused_instead.hear(K.STAKE, FUNDS)
    assert (refused_instead.subject.state, refused_instead.balances()) == (B.CANCELLED, {})


def test_a_refund_of_a_paid_bet_takes_the_payout_back_first_and_then_gives_the_stake() -> None:
    story = and_refunded(Story().settled(2500))
    assert [k for k, p in story.subject.payments.items() if p.undecided] == [K.PAYOUT_RETURN]
    assert story.balances() == {"ggr": -1500, "wallets": 1500}
    story.accept(K.PAYOUT_RETURN)
    assert (story.subject.state, story.balances()) == (B.RETURNED, {"owed": 1000, "wallets": -1000})
    story.accept(K.BET_RETURN)
    assert story.balances() == {}


def test_a_refund_waits_for_the_outcome_of_a_payout_in_flight() -> None:
    """1, then -2, then 2: one payment of a bet at a time (money.md 3.8)."""
    story = Story().settled(2500, paid=False)
    story.refund()
    assert (story.subject.state, story.state(K.PAYOUT_RETURN)) == (B.UNDOING, None)
    story.accept(K.PAYOUT)
    assert (story.state(K.PAYOUT_RETURN), story.state(K.BET_RETURN)) == (S.CREATED, None)
    story.accept(K.PAYOUT_RETURN)
    assert story.state(K.BET_RETURN) is S.CREATED


@pytest.mark.parametrize("paid", [True, False])
def test_a_payout_of_0_is_not_taken_back(paid: bool) -> None:
    """2 alone, and not before the payout of 0 has its outcome."""
    story = and_refunded(Story().settled(0, paid=paid))
    assert (story.subject.state, story.state(K.PAYOUT_RETURN)) == (B.RETURNED, None)
    assert story.balance("owed") == 1000
    assert story.state(K.BET_RETURN) is (S.CREATED if paid else None)
    if not paid:
        story.accept(K.PAYOUT)
    story.accept(K.BET_RETURN)
    assert story.balances() == {}


def test_a_refund_of_a_closed_bet_reopens_it_first() -> None:
    """money.md 3.9: IsClosed false, its answer, then the payment, then closed again."""
    story = Story().settled(0)
    story.closed(SLOT_CLOSE, CloseDone())
    story.refund()
    assert story.call(K.BET_RETURN) == (Step.REOPEN, 0.0)
    story.closed(K.BET_RETURN.value, CloseDone())
    assert (story.subject.closing, story.call(K.BET_RETURN)) == (Closing.REOPENED, (Step.MAKE, 0.0))
    story.accept(K.BET_RETURN)
    assert (story.subject.closing, story.call(SLOT_CLOSE)) == (Closing.CLOSING, (Step.CLOSE, 0.0))


# --- a person ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [s for s in B if s not in (B.ON, B.UNCLAIMED, B.SETTLED)])
def test_a_person_can_return_only_what_is_on_or_settled(state: BetState) -> None:
    story = IN_STATE[state]()
    with pytest.raises(CannotDo, match="bet 7"):
        return_by_person(story.subject, story.terms(), "mia")


@pytest.mark.parametrize("state", [B.ON, B.UNCLAIMED, B.SETTLED])
def test_a_return_by_a_person_is_a_refund_with_an_author(state: BetState) -> None:
    story = IN_STATE[state]()
    decision = return_by_person(story.subject, story.terms(), "mia")
    assert (decision.author, decision.event) == ("mia", "refunded_by_person")
    story.take(decision)
    assert story.subject.refund_answer == "ok"


def test_a_jackpot_win_is_not_returned_by_a_person() -> None:
    won = open_jackpot(new_bet(origin=Origin.JACKPOT, stake=0, win=5), terms()).after
    with pytest.raises(CannotDo):
        return_by_person(won, terms(), "mia")


@pytest.mark.parametrize("state", [B.ON, B.UNCLAIMED])
def test_a_settlement_by_a_person_is_a_pay_out_with_an_author(state: BetState) -> None:
    story = IN_STATE[state]()
    decision = settle_by_person(story.subject, 300, story.terms(), author="mia")
    assert (decision.author, decision.event) == ("mia", "settled_by_person")
    story.take(decision)
    assert (story.subject.state, story.subject.win, story.balance("owed")) == (B.SETTLED, 300, 300)


@pytest.mark.parametrize("state", [s for s in B if s not in (B.ON, B.UNCLAIMED)])
def test_a_person_can_settle_only_what_is_on(state: BetState) -> None:
    story = IN_STATE[state]()
    with pytest.raises(CannotDo, match="only a bet that is on"):
        settle_by_person(story.subject, 300, story.terms(), author="mia")


def test_a_win_beyond_a_limit_is_settled_only_when_it_is_said_twice() -> None:
    """250000 typed for 2500.00 must not leave the house because a person was in a hurry."""
    story = IN_STATE[B.ON]()
    limited = replace(story.terms(), large_win="50")
    for win in (5_000, 100_000):
        with pytest.raises(CannotDo, match=r"at least the large_win 50 of the hub.*--above-limits"):
            settle_by_person(story.subject, win, limited, author="mia")
    assert settle_by_person(story.subject, 4_999, limited, author="mia").after.win == 4_999
    decision = settle_by_person(story.subject, 5_000, limited, author="mia", above_limits=True)
    assert [incident.name for incident in decision.incidents] == ["large_win"]


def test_a_pay_in_out_settles_itself() -> None:
    story = Story().opened_both().at(7)
    story.accept(K.STAKE)
    with pytest.raises(CannotDo, match="use `bet return`"):
        settle_by_person(story.subject, 300, story.terms(), author="mia")


# --- rulings ----------------------------------------------------------------------------------------------


def test_a_ruling_is_a_reply_a_wait_or_one_decision_on_what_was_read() -> None:
    bet = open_bet(new_bet(), terms()).after
    asked = RequestContents(11, 33, "r-1", 1000)
    rulings = [
        pay_in(bet, asked, terms(), until_ms=T0 + 1, waited=False),
        pay_out(bet, replace(asked, win=5), terms(), waited=True),
        refund(bet, terms(), casino_id=11, player_id=33),
    ]
    assert [type(r).__name__ for r in rulings] == ["Wait", "RecordedAnswer", "Decision"]
    assert isinstance(rulings[2], Decision)
    assert rulings[2].before is bet
    assert getattr(rulings[1], "refusal", None) is Refusal.OUTCOME_UNKNOWN
