"""Three records of one bet, compared: what is named, and what is no difference at all (money.md 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from croupier.core.bet import BetState
from croupier.core.readings import Contents, InfoList
from croupier.core.reconciliation import Difference, compare, net_by_answers
from tests.core.samples import FUNDS, NOT_ADDED, K, Story

D = Difference
LATER_S = 100.0


def listing(story: Story, *kinds: K, **other: Any) -> InfoList:
    """The casino's list of these payments, with `other` facts in each."""
    return InfoList(tuple(story.said(kind, **other) for kind in kinds))


def compared(story: Story, seen: InfoList, at_s: float = LATER_S) -> list[tuple[Difference, str]]:
    story.at(at_s)
    return [(one.difference, one.about) for one in compare(story.subject, seen, story.terms())]


def _unclaimed() -> Story:
    story = Story().opened()
    story.at(7).accept(K.STAKE)
    assert story.subject.state is BetState.UNCLAIMED
    return story


def _refused() -> Story:
    story = Story().opened()
    story.hear(K.STAKE, FUNDS)
    return story


def _returned() -> Story:
    story = Story().on()
    story.refund()
    story.accept(K.BET_RETURN)
    return story


def _undone() -> Story:
    story = Story().settled()
    story.refund()
    story.accept(K.PAYOUT_RETURN)
    story.accept(K.BET_RETURN)
    return story


def _disputed() -> Story:
    story = Story().settled()
    story.refund()
    story.hear(K.PAYOUT_RETURN, NOT_ADDED)
    return story


STORIES = {
    "on": (lambda: Story().on(), (K.STAKE,)),
    "settled with a win": (lambda: Story().settled(), (K.STAKE, K.PAYOUT)),
    "settled with a loss": (lambda: Story().settled(0), (K.STAKE, K.PAYOUT)),
    "unclaimed": (_unclaimed, (K.STAKE,)),
    "refused": (_refused, ()),
    "expired": (lambda: Story().opened().expired(), ()),
    "returned": (_returned, (K.STAKE, K.BET_RETURN)),
    "undone": (_undone, (K.STAKE, K.PAYOUT, K.PAYOUT_RETURN, K.BET_RETURN)),
    "disputed": (_disputed, (K.STAKE, K.PAYOUT)),
    "asked, booked": (lambda: Story().opened(), (K.STAKE,)),
    "asked, not booked": (lambda: Story().opened(), ()),
    "payout owed": (lambda: Story().settled(paid=False), (K.STAKE,)),
}


@pytest.mark.parametrize("name", STORIES)
def test_an_honest_casino_shows_no_difference_wherever_the_bet_stands(name: str) -> None:
    make, kinds = STORIES[name]
    story = make()
    assert compared(story, listing(story, *kinds)) == []


def test_a_payment_listed_twice_is_booked_twice() -> None:
    story = Story().settled()
    twice = [*listing(story, K.STAKE, K.PAYOUT).payments, story.said(K.PAYOUT, partner_tx="tx-again")]
    assert compared(story, InfoList(tuple(twice))) == [(D.BOOKED_TWICE, "payout")]


@pytest.mark.parametrize(("kinds", "forgot"), [((K.PAYOUT,), "stake"), ((K.STAKE,), "payout")])
def test_an_accepted_payment_that_is_not_listed_is_forgotten(kinds: tuple[K, ...], forgot: str) -> None:
    story = Story().settled()
    assert compared(story, listing(story, *kinds)) == [(D.FORGOTTEN, forgot)]


def test_what_was_accepted_a_moment_ago_may_not_be_in_the_list_yet() -> None:
    story = Story().on()
    assert compared(story, InfoList(()), at_s=29.9) == []
    assert compared(story, InfoList(()), at_s=30.0) == [(D.FORGOTTEN, "stake")]


@pytest.mark.parametrize("kind", [K.PAYOUT, K.BET_RETURN, K.PAYOUT_RETURN, K.JACKPOT])
def test_a_payment_that_the_hub_never_ordered_is_named(kind: K) -> None:
    story = Story().on()
    alien = Contents(7, "ann", kind, "25.00", None, "tx-alien")
    seen = InfoList((*listing(story, K.STAKE).payments, alien))
    assert compared(story, seen) == [(D.NOT_IN_HUB, kind.value)]


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"amount": "10.01"}, D.AMOUNT),
        ({"amount": "ten"}, D.AMOUNT),
        ({"player_ref": "bob"}, D.PLAYER),
        ({"tax": "1.00"}, D.TAX),
        ({"partner_tx": "tx-other"}, D.NUMBER),
    ],
)
def test_a_fact_that_differs_is_named(other: dict[str, Any], difference: Difference) -> None:
    story = Story().on()
    assert compared(story, listing(story, K.STAKE, **other)) == [(difference, "stake")]


def test_the_same_amount_in_other_digits_is_the_same_amount() -> None:
    story = Story().on()
    assert compared(story, listing(story, K.STAKE, amount="10")) == []


@pytest.mark.parametrize("make", [_refused, lambda: Story().opened().expired()])
def test_what_ended_unbooked_here_and_is_listed_is_booked_after_all(make: Any) -> None:
    story = make()
    assert compared(story, listing(story, K.STAKE)) == [(D.BOOKED_AFTER_ALL, "stake")]


def test_what_a_person_took_as_accepted_has_no_number_to_differ() -> None:
    story = Story().opened()
    from croupier.core import person  # noqa: PLC0415 - the one story that needs it

    story.by_person(person.accept, K.STAKE)
    assert compared(story, listing(story, K.STAKE)) == []


def test_a_provider_that_was_told_something_else_is_named_only_where_hub_and_casino_agree() -> None:
    story = Story().settled(2500)
    story.change(lambda d: d.set(win=2600))
    assert compared(story, listing(story, K.STAKE, K.PAYOUT)) == [(D.TOLD, "bet")]
    assert compared(story, listing(story, K.STAKE)) == [(D.FORGOTTEN, "payout")]


def test_a_refund_that_was_granted_and_not_kept_is_told_otherwise() -> None:
    story = Story().on()
    story.change(lambda d: d.set(refund_answer="ok"))
    assert compared(story, listing(story, K.STAKE)) == [(D.TOLD, "bet")]


@pytest.mark.parametrize(
    ("make", "minor"),
    [
        (lambda: Story().opened(), 0),
        (lambda: Story().on(), -1000),
        (lambda: Story().settled(2500), 1500),
        (_undone, 0),
        (_refused, 0),
    ],
)
def test_what_a_provider_believes_of_the_wallet(make: Any, minor: int) -> None:
    assert net_by_answers(make().subject) == minor


@pytest.mark.parametrize(("name", "net"), [("returned", "+0.00"), ("refused", "+0.00"), ("expired", "+0.00")])
def test_a_provider_that_was_told_otherwise_is_found_wherever_the_bet_rests(name: str, net: str) -> None:
    begin, listed = STORIES[name]
    story = begin()
    told = replace(story.subject, pay_in_answer="ok", pay_out_answer=None, refund_answer=None)
    story.at(LATER_S)
    found = compare(told, listing(story, *listed), story.terms())
    assert [(one.difference, one.words) for one in found] == [
        (D.TOLD, f"the provider was told pay-in ok: -10.00 EUR; the casino lists {net} EUR")
    ]


def test_all_that_a_provider_was_told_is_said() -> None:
    story = Story().settled()
    story.at(LATER_S)
    told = replace(story.subject, pay_in_answer="ok", pay_out_answer="ok", refund_answer="ok")
    (one,) = compare(told, listing(story, K.STAKE, K.PAYOUT), story.terms())
    assert one.words == (
        "the provider was told pay-in ok, pay-out ok, refund ok: +0.00 EUR; the casino lists +15.00 EUR"
    )
    nothing = replace(story.subject, pay_in_answer=None, pay_out_answer=None, refund_answer=None)
    (one,) = compare(nothing, listing(story, K.STAKE, K.PAYOUT), story.terms())
    assert one.words == "the provider was told nothing: +0.00 EUR; the casino lists +15.00 EUR"
