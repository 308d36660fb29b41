"""A draft is the only way to a decision, and a decision is whole or not at all (money.md 2, 3 and 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from croupier.core.bet import Bet
from croupier.core.bet_requests import open_bet
from croupier.core.draft import Draft, Terms
from croupier.core.payment import IllegalPayment, PaymentEvent, Step
from croupier.core.readings import PaymentKind
from tests.core.samples import FUNDS, K, S, Story, new_bet, new_cashback, terms

E = PaymentEvent


def fresh(at_s: float = 0.0, **changes: Any) -> Draft[Any]:
    """A draft of a bet whose stake is on the way."""
    return Draft(open_bet(new_bet(), terms()).after, terms(at_s, **changes))


def test_a_draft_changes_nothing_but_itself() -> None:
    """The subject that was read stays as it was, whatever is written on the draft."""
    bet = open_bet(new_bet(), terms()).after
    d = Draft(bet, terms(1))
    d.pay(K.STAKE, E.ACCEPT)
    d.set(was_on=True)
    assert bet.payments[K.STAKE].state is S.CREATED
    assert "stake" in bet.calls
    assert not bet.was_on


@pytest.mark.parametrize(("new", "before", "version"), [(True, False, 0), (False, True, 1)])
def test_a_birth_is_version_0_and_each_decision_one_more(new: bool, before: bool, version: int) -> None:
    bet = new_bet()
    decision = Draft(bet, terms(), new=new).finish("x")
    assert (decision.before is bet) is before
    assert decision.after.version == version


def test_a_decision_carries_everything_that_was_written() -> None:
    d = fresh(2)
    d.book("wallets/11", "open-bets/11/22", 1000, why="stake_accepted")
    d.incident("odd", "first")
    d.incident("odd", "second")
    d.note(heard="Yes", nothing=None)
    d.pay(K.STAKE, E.ACCEPT, partner_tx="tx")
    decision = d.finish("heard", author="mia")
    assert (decision.event, decision.author, decision.detail) == ("heard", "mia", {"heard": "Yes"})
    assert [e.amount for e in decision.entries] == [1000]
    assert [(i.name, i.note) for i in decision.incidents] == [("odd", "second")]
    assert decision.after.payments[K.STAKE].partner_tx == "tx"


def test_an_amount_of_nothing_is_not_booked() -> None:
    d = fresh()
    d.book("ggr/11/22", "owed/11", 0, why="won")
    assert d.finish("x").entries == ()


@pytest.mark.parametrize(
    ("event", "decided_ms", "has_call"),
    [(E.SEND, None, True), (E.ACCEPT, 5, False), (E.REFUSE, 5, False), (E.EXPIRE, 5, False), (E.PARK, 5, False)],
)
def test_an_end_is_dated_and_its_call_taken_away(event: E, decided_ms: int | None, has_call: bool) -> None:
    d = fresh(0.005)
    d.pay(K.STAKE, event)
    after = d.payments[K.STAKE].decided_ms
    assert after == (None if decided_ms is None else d.terms.now_ms)
    assert ("stake" in d.calls) is has_call


def test_what_the_table_does_not_know_raises_and_leaves_the_draft_alone() -> None:
    d = fresh()
    with pytest.raises(IllegalPayment):
        d.pay(K.STAKE, E.REVIVE)
    assert d.payments[K.STAKE].state is S.CREATED


def test_a_second_payment_of_a_kind_is_a_bug() -> None:
    """Casinos key on BetId and TransactionType: the second one would be answered with the first."""
    with pytest.raises(AssertionError, match="a second stake for 7"):
        fresh().order(K.STAKE, 1000, None)


def test_an_undecided_payment_without_a_next_action_cannot_be_committed() -> None:
    """I10, asserted in production too."""
    d = fresh()
    d.drop_call("stake")
    with pytest.raises(AssertionError, match="stake of 7 has no next action"):
        d.finish("x")


def test_the_casinos_words_are_kept_with_the_payment() -> None:
    d = fresh()
    d.keep_refusal(K.STAKE, FUNDS)
    payment = d.payments[K.STAKE]
    assert (payment.code, payment.reason, payment.message) == (103802, "not_enough_funds", "Not enough funds")


@pytest.mark.parametrize(("process", "owner", "lease_s"), [("p1", "p1", 15.0), ("", None, None)])
def test_a_call_for_now_belongs_to_its_process_until_the_lease_ends(
    process: str, owner: str | None, lease_s: float | None
) -> None:
    """So that it leaves right after the commit; without a process it is free at once."""
    call = Draft(open_bet(new_bet(), terms(process=process)).after, terms()).calls["stake"]
    assert call.lease_owner == owner
    assert call.lease_until_ms == (0 if lease_s is None else terms(lease_s).now_ms)
    assert call.step is Step.MAKE


def test_a_call_for_later_is_free_for_every_process_and_forgets_its_crashes() -> None:
    d = fresh(1)
    d.calls["stake"] = replace(d.calls["stake"], crashes=4)
    d.call_later("stake", Step.INFO, 99, failures=3)
    call = d.calls["stake"]
    assert (call.step, call.due_ms, call.failures, call.crashes) == (Step.INFO, 99, 3, 0)
    assert (call.lease_owner, call.lease_until_ms) == (None, 0)


@pytest.mark.parametrize("plan", ["call_now", "call_later"])
def test_each_plan_has_a_higher_fence_than_any_call_before_it(plan: str) -> None:
    """A result of the old plan comes back under a lower fence and changes nothing; also after the slot was empty."""
    bet, fences = open_bet(new_bet(), terms()).after, []
    for step in range(4):
        fences.append(bet.calls["stake"].fence)
        d = Draft(bet, terms(step))
        d.drop_call("stake")
        d.call_now("stake", Step.MAKE) if plan == "call_now" else d.call_later("stake", Step.MAKE, 5)
        bet = d.finish("x").after
    assert fences == sorted(set(fences))


def test_a_draft_knows_whether_there_is_anything_to_commit() -> None:
    assert not fresh().changed
    for deed in (
        lambda d: d.set(was_on=True),
        lambda d: d.drop_call("stake"),
        lambda d: d.incident("odd", "x"),
        lambda d: d.pay(K.STAKE, E.SEND),
        lambda d: d.book("a/1", "b/1", 1, why="x"),
    ):
        d = fresh()
        deed(d)
        assert d.changed


def test_the_terms_of_a_cashback_know_no_hold_time() -> None:
    assert terms().hold_s == 6.0
    assert terms(provider=None).hold_s == 0.0


def test_cashbacks_are_drafted_like_bets() -> None:
    d = Draft(new_cashback(), terms(), new=True)
    d.order(K.CASHBACK, 500, None)
    assert d.finish("decided").after.payments[PaymentKind.CASHBACK].subject_id == 8


def test_a_story_holds_every_decision_against_the_invariants() -> None:
    """The samples of these tests can fail: an unbalanced decision is seen."""
    story = Story().opened()
    with pytest.raises(AssertionError, match="I2"):
        story.change(lambda d: d.book("wallets/11", "suspense/11", 5, why="wrong"))


def test_who_makes_no_calls_leases_none() -> None:
    """A command decides and leaves: whoever runs takes its calls up at once."""
    d: Draft[Bet] = Draft(new_bet(), replace(terms(), process=Terms.__dataclass_fields__["process"].default), new=True)
    d.order(K.STAKE, 1000, None)
    call = d.calls[K.STAKE.value]
    assert (call.lease_owner, call.lease_until_ms, call.fence) == (None, 0, 1)


def test_a_new_subject_has_no_decision_behind_it() -> None:
    assert (new_bet().version, new_cashback().version) == (0, 0)
