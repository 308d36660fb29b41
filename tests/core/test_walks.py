"""Any order of anything: bets and cashbacks to which peers, time and people do what they like.

Walks come from a seed, so a failure replays. Every step takes one decision, and `Story` holds it against what must be true after each. These walks prove that no
order of requests, accepts, answers and personal decisions raises, loses an action or unbalances an account.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from croupier.core import person
from croupier.core.bet import BetState
from croupier.core.bet_requests import CannotDo
from croupier.core.cashback import CashbackState
from croupier.core.counterparty import LateAccept
from croupier.core.payment import SLOT_CLOSE, Step
from croupier.core.pursuit import Verdict
from croupier.core.readings import CloseDone, Exists, InfoList, PaymentKind, Unknown, Yes
from croupier.core.refusals import CasinoNo
from tests.core.samples import CASINO, FUNDS, NO_INFO, NOT_ADDED, NOT_FOUND, RECEIVED, SILENCE, K, S, Story, facts_of

Pick = Callable[[Any], Any]
REFUSALS = (FUNDS, NOT_ADDED, NOT_FOUND)
TRUTHS = ("yes", "yes", "yes", "yes", "no", "exists", "exists bare", "exists otherwise", "other amount", "other number")
DEEDS = ("later", "pay in", "pay out", "refund", "accept", "due", "person", "wait over")


def outcome(story: Story, kind: PaymentKind, truth: str, pick: Pick) -> Any:
    """What a casino may say of a payment, true or not."""
    said = story.said(kind)
    return {
        "yes": Yes(said),
        "no": pick(REFUSALS),
        "exists": Exists(said),
        "exists bare": Exists(None),
        "exists otherwise": Exists(replace(said, player_ref="bob")),
        "other amount": Yes(replace(said, amount="99.99")),
        "other number": Yes(replace(said, partner_tx=f"{said.partner_tx}-other")),
    }[truth]


def hear(story: Story, pick: Pick) -> None:
    kinds = list(story.subject.payments)
    if not kinds:
        return
    kind = pick(kinds)
    before = story.subject
    verdict = story.hear(kind, outcome(story, kind, pick(TRUTHS), pick))
    if verdict is Verdict.CONFLICT and story.state(kind) is not S.PARKED:
        assert facts_of(story.subject) == facts_of(before), "a contradiction changes no money"


def reading(story: Story, step: Step, slot: str, pick: Pick) -> None:
    """A call that was taken up comes back with some answer."""
    if step in (Step.CLOSE, Step.REOPEN):
        story.closed(slot, pick([CloseDone(), Unknown("HTTP 500")]))
        return
    kind = PaymentKind(slot)
    if step is Step.MAKE:
        inline = pick([None, *TRUTHS])
        story.made(kind, outcome(story, kind, inline, pick) if inline else pick([RECEIVED, SILENCE]))
        return
    assert step is Step.INFO
    shown = [story.said(k) for k in story.subject.payments if pick([True, False])]
    foreign = replace(story.said(kind), kind=K.BET_RETURN)
    odd = replace(story.said(kind), amount="99.99")
    story.informed(kind, pick([NO_INFO, InfoList(()), InfoList(tuple(shown)), InfoList((odd,)), InfoList((foreign,))]))


def due(story: Story, pick: Pick) -> None:
    """The earliest call of all is taken up; the clock has reached it."""
    if not story.subject.calls:
        return
    slot = min(story.subject.calls, key=lambda s: story.subject.calls[s].due_ms)
    planned = story.call(slot)
    assert planned is not None
    story.at(max(story.now_s, planned[1]))
    step = story.due(slot)
    if step is not None:
        reading(story, step, slot, pick)


def ask_a_person(story: Story, pick: Pick) -> None:
    if not story.subject.payments:
        return
    try:
        story.by_person(pick([person.retry, person.accept, person.give_up]), pick(list(story.subject.payments)))
    except CannotDo as said:
        assert str(said)


def act(story: Story, deed: str, pick: Pick) -> None:
    if deed == "later":
        story.at(story.now_s + pick([0.1, 5.0, 20.0, 100.0, 90_000.0, 31 * 86400.0]))
    elif deed == "pay in":
        story.pay_in()
    elif deed == "wait over":
        story.pay_in(waited=True)
    elif deed == "pay out":
        story.pay_out(pick([0, 2500]))
    elif deed == "refund":
        story.refund()
    elif deed == "accept":
        hear(story, pick)
    elif deed == "due":
        due(story, pick)
    elif deed == "person":
        ask_a_person(story, pick)
    elif story.subject.state in (CashbackState.OWED, CashbackState.PAID):
        story.cancel()


def walk(seed: int, deeds: tuple[str, ...], begin: Callable[[Pick], Story]) -> Story:
    """One walk of 40 steps; a failure says which seed replays it and how far it came."""
    dice = random.Random(seed)
    story = begin(dice.choice)
    try:
        for _ in range(40):
            act(story, dice.choice(deeds), dice.choice)
    except BaseException as error:
        error.add_note(f"seed {seed} after {story.events}")
        raise
    return story


def begin_bet(pick: Pick) -> Story:
    casino = replace(
        CASINO, late_accept=pick(list(LateAccept)), skip_zero=pick([True, False]), close=pick([True, False])
    )
    story = Story(casino=casino, luck=pick([0.0, 0.5, 0.99]))
    stake = pick([1000, 1000, 0])
    if pick([True, False]):
        return story.opened_both(pick([0, 2500]), stake=stake)
    story.opened(stake=stake)
    return story.expired(with_return=True) if K.STAKE in story.subject.payments and pick([1, 0, 0, 0]) else story


@pytest.mark.parametrize("block", range(8))
@pytest.mark.one_in(4)
def test_no_order_of_events_breaks_a_bet(block: int) -> None:
    for seed in range(block * 250, (block + 1) * 250):
        walk(seed, DEEDS, begin_bet)


@pytest.mark.parametrize("block", range(2))
def test_no_order_of_events_breaks_a_cashback(block: int) -> None:
    for seed in range(block * 250, (block + 1) * 250):
        walk(seed, ("later", "accept", "due", "person", "cancel"), lambda _: Story().cashback())


@pytest.mark.slow
def test_the_walks_reach_every_state_and_move_only_along_the_tables() -> None:
    """They are worth something: no state of a bet or cashback is never seen. Nothing moves as no table knows."""
    stories = [walk(seed, DEEDS, begin_bet) for seed in range(10_000, 10_600)]
    stories += [walk(seed, ("accept", "due", "person", "cancel"), lambda _: Story().cashback()) for seed in range(200)]
    moves = {move for story in stories for move in story.moves}
    assert {m[2] for m in moves if m[0] == "bet"} == {s.value for s in BetState} - {"asked", "tombstone"}
    assert {m[2] for m in moves if m[0] == "cashback"} == {s.value for s in CashbackState} - {"owed"}
    assert {m[2] for m in moves if m[0] == "payment"} == {s.value for s in S}


@pytest.mark.parametrize("block", range(4))
@pytest.mark.one_in(4)
def test_honest_peers_bring_every_bet_to_its_end(block: int) -> None:
    """After any disorder: a casino that books what it is sent, and says so, leaves nothing undecided (I4)."""
    for seed in range(block * 200, (block + 1) * 200):
        story = walk(seed, ("pay in", "pay out", "refund", "due", "accept", "later"), begin_bet)
        heal(story)
        assert not any(p.undecided for p in story.subject.payments.values()), seed
        assert not story.subject.calls, seed
        assert story.subject.state not in (BetState.ASKED, BetState.UNWANTED, BetState.UNCLAIMED) or story.parked()


def heal(story: Story) -> None:
    for _ in range(80):
        if not story.subject.calls:
            return
        for kind in [k for k, p in story.subject.payments.items() if p.undecided]:
            story.accept(kind)
        honest_due(story)


def honest_due(story: Story) -> None:
    """The earliest call is made, and the casino answers it truly."""
    if not story.subject.calls:
        return
    slot = min(story.subject.calls, key=lambda s: story.subject.calls[s].due_ms)
    planned = story.call(slot)
    assert planned is not None
    step = story.at(max(story.now_s, planned[1])).due(slot)
    if step in (Step.CLOSE, Step.REOPEN):
        story.closed(slot, CloseDone())
    elif step is Step.INFO:
        booked = [k for k, p in story.subject.payments.items() if p.state is S.ACCEPTED]
        story.shown(PaymentKind(slot), *booked)
    elif step is Step.MAKE:
        story.made(PaymentKind(slot), Yes(story.said(PaymentKind(slot))))


def test_the_words_of_the_walk_are_those_of_the_core() -> None:
    """A close has its own slot, and no refusal of the walk is one that the core does not know."""
    assert SLOT_CLOSE not in {k.value for k in PaymentKind}
    assert {no.reason for no in REFUSALS} <= set(CasinoNo)
