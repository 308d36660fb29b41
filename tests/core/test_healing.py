"""What a casino's list mends by itself, and what it must not (money.md 2.4, 3.6, 4.6 and 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from croupier.core.bet import BetState, Origin
from croupier.core.counterparty import LateAccept
from croupier.core.draft import Draft
from croupier.core.healing import HealingRule, heal, restore
from croupier.core.readings import Contents, InfoList
from tests.core.samples import CASINO, FUNDS, K, S, Story
from tests.core.test_reconciliation import listing


def line(kind: K, amount: str, **other: Any) -> Contents:
    return replace(Contents(7, "ann", kind, amount, None, f"tx-{kind.value}"), **other)


def healed(story: Story, seen: InfoList) -> list[HealingRule]:
    """Apply the rules, and take the decision if there is one. Every decision is checked by the story."""
    d = Draft(story.subject, story.terms())
    rules = heal(d, seen)
    if rules:
        story.take(d.finish("reconciled"))
    return rules


def restored(story: Story, *lines: Contents) -> list[HealingRule]:
    d = Draft(story.subject, story.terms())
    rules = restore(d, InfoList(lines))
    if rules:
        story.take(d.finish("reconciled"))
    return rules


# --- what was not heard of --------------------------------------------------------------------------------


def test_a_payout_that_is_listed_and_was_never_told_is_accepted() -> None:
    story = Story().settled(paid=False)
    assert healed(story, listing(story, K.STAKE, K.PAYOUT)) == [HealingRule.BOOKED_UNHEARD]
    assert story.state(K.PAYOUT) is S.ACCEPTED
    assert story.balances() == {"ggr": -1500, "wallets": 1500}


def test_a_stake_that_is_listed_is_accepted_and_waits_to_be_claimed() -> None:
    story = Story().opened().at(40)
    assert healed(story, listing(story, K.STAKE)) == [HealingRule.BOOKED_UNHEARD]
    assert story.subject.state is BetState.UNCLAIMED


def test_a_parked_payment_is_ended_by_a_list_that_has_it_right() -> None:
    story = Story().settled(paid=False)
    story.exists(K.PAYOUT, amount="1.00")
    assert story.parked()
    assert healed(story, listing(story, K.STAKE, K.PAYOUT)) == [HealingRule.BOOKED_UNHEARD]
    assert story.state(K.PAYOUT) is S.ACCEPTED


def test_a_stake_that_had_ended_and_is_listed_goes_back() -> None:
    story = Story().opened().expired()
    assert healed(story, listing(story, K.STAKE)) == [HealingRule.ACCEPTED_LATE]
    assert story.subject.state is BetState.RETURNED
    assert story.state(K.BET_RETURN) is S.CREATED


def test_a_casino_that_undoes_late_successes_itself_is_left_to_it() -> None:
    story = Story(casino=replace(CASINO, late_accept=LateAccept.REFUSE)).opened()
    story.hear(K.STAKE, FUNDS)
    assert healed(story, listing(story, K.STAKE)) == []


def test_owed_money_that_was_given_up_and_is_listed_was_paid() -> None:
    story = Story().settled(paid=False)
    story.give_up(K.PAYOUT)
    assert healed(story, listing(story, K.STAKE, K.PAYOUT)) == [HealingRule.PAID_AFTER_ALL]
    assert story.state(K.PAYOUT) is S.ACCEPTED


@pytest.mark.parametrize("other", [{"amount": "24.99"}, {"player_ref": "bob"}, {"tax": "1"}])
def test_nothing_is_taken_in_with_other_contents(other: dict[str, Any]) -> None:
    story = Story().settled(paid=False)
    before = story.subject
    assert healed(story, listing(story, K.PAYOUT, **other)) == []
    assert story.subject is before


def test_a_payment_that_is_listed_twice_goes_on_by_the_line_that_fits() -> None:
    """The double booking is the casino's own and a finding by itself; the player was paid, so the hub pays no more."""
    story = Story().settled(paid=False)
    twice = InfoList((story.said(K.PAYOUT, amount="9.00"), story.said(K.PAYOUT, partner_tx="tx-2")))
    assert healed(story, twice) == [HealingRule.BOOKED_UNHEARD]
    assert story.subject.payments[K.PAYOUT].partner_tx == "tx-2"


def test_a_stake_beside_a_return_that_the_hub_never_sent_says_nothing() -> None:
    story = Story().opened().at(40)
    seen = InfoList((story.said(K.STAKE), line(K.BET_RETURN, "10.00")))
    assert healed(story, seen) == []


def test_agreement_changes_nothing() -> None:
    story = Story().settled()
    assert healed(story, listing(story, K.STAKE, K.PAYOUT)) == []


# --- after a restore ----------------------------------------------------------------------------------------

STAKE, WIN, LOSS = line(K.STAKE, "10.00"), line(K.PAYOUT, "25.00"), line(K.PAYOUT, "0")
BACK, TAKEN = line(K.BET_RETURN, "10.00"), line(K.PAYOUT_RETURN, "25.00")
UNCLAIMED = {"asked": lambda: Story().opened().at(40), "on": lambda: Story().on()}


@pytest.mark.parametrize("stood", UNCLAIMED)
@pytest.mark.parametrize(("paid", "minor"), [(WIN, 2500), (LOSS, 0)])
def test_a_bet_that_was_settled_after_the_backup_is_settled_again_with_the_same_win(
    stood: str, paid: Contents, minor: int
) -> None:
    story = UNCLAIMED[stood]()
    assert restored(story, STAKE, paid) == [HealingRule.SETTLED_BEFORE]
    assert (story.subject.state, story.subject.win) == (BetState.SETTLED, minor)
    assert story.state(K.PAYOUT) is S.ACCEPTED
    assert story.balance("open-bets") == story.balance("owed") == 0
    assert story.balance("wallets") == minor - 1000
    assert story.pay_out(minor) == "ok", "the provider's repeat gets its first answer"


@pytest.mark.parametrize("stood", UNCLAIMED)
def test_a_bet_that_had_gone_back_goes_back_again_without_a_second_return(stood: str) -> None:
    story = UNCLAIMED[stood]()
    assert restored(story, STAKE, BACK) == [HealingRule.RETURNED_BEFORE]
    assert story.subject.state is BetState.RETURNED
    assert story.balances() == {}
    assert story.refund() == "ok"


def test_a_settled_bet_that_was_undone_after_the_backup_is_undone_again() -> None:
    story = Story().settled(2500)
    assert restored(story, line(K.STAKE, "10.00"), WIN, TAKEN, BACK) == [HealingRule.RETURNED_BEFORE]
    assert story.subject.state is BetState.RETURNED
    assert story.balances() == {}


def test_a_loss_that_was_refunded_after_the_backup_is_refunded_again() -> None:
    story = Story().settled(0)
    assert restored(story, STAKE, LOSS, BACK) == [HealingRule.RETURNED_BEFORE]
    assert story.balances() == {}


def test_a_whole_life_that_was_lost_is_lived_again() -> None:
    story = Story().opened().at(40)
    assert restored(story, STAKE, WIN, TAKEN, BACK) == [HealingRule.SETTLED_BEFORE, HealingRule.RETURNED_BEFORE]
    assert story.subject.state is BetState.RETURNED
    assert story.balances() == {}


def test_an_undoing_that_was_under_way_is_carried_on() -> None:
    story = Story().settled(2500)
    assert restored(story, STAKE, WIN, TAKEN) == [HealingRule.RETURNED_BEFORE]
    assert story.state(K.BET_RETURN) is S.CREATED


def test_a_pay_in_out_is_settled_again_with_its_own_win_and_no_other() -> None:
    story = Story().opened_both(2500).at(40)
    assert restored(story, STAKE, LOSS) == []
    assert restored(story, STAKE, WIN) == [HealingRule.SETTLED_BEFORE]
    assert story.subject.origin is Origin.PAY_IN_OUT
    assert story.state(K.PAYOUT) is S.ACCEPTED


def test_what_is_listed_twice_is_repeated_once() -> None:
    story = Story().on()
    assert restored(story, STAKE, WIN, line(K.PAYOUT, "25.00", partner_tx="tx-2")) == [HealingRule.SETTLED_BEFORE]
    assert story.state(K.PAYOUT) is S.ACCEPTED


@pytest.mark.parametrize(
    "lines",
    [
        (STAKE,),
        (STAKE, line(K.JACKPOT, "5.00")),
        (STAKE, WIN, line(K.PAYOUT, "24.00", partner_tx="tx-2")),
        (WIN,),
        (STAKE, line(K.PAYOUT, "25.001")),
        (STAKE, line(K.PAYOUT, "25.00", player_ref="bob")),
        (STAKE, line(K.PAYOUT, "25.00", tax="3.00")),
        (STAKE, line(K.BET_RETURN, "9.00")),
        (line(K.STAKE, "9.00"), WIN),
        (STAKE, WIN, BACK),
        (STAKE, TAKEN),
    ],
)
def test_what_a_list_does_not_prove_is_not_repeated(lines: tuple[Contents, ...]) -> None:
    story = Story().on() if lines != (WIN,) else Story().opened().at(40)
    assert restored(story, *lines) == []
