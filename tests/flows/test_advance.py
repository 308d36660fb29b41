"""The door: a decision that would break an invariant is stopped, what is in flight is parked, a person is called."""

from __future__ import annotations

import pytest

from croupier.core.bet import Bet, BetState
from croupier.core.bet_requests import Ruling
from croupier.core.commands import Refund
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.payment import PaymentState
from croupier.core.pursuit import apply_outcome
from croupier.core.readings import No, PaymentKind
from croupier.core.refusals import CasinoNo
from croupier.flows.advance import TRIES, Contended, RaceLost, advance, decide_once
from croupier.flows.provider_request import ProviderRequest, decide_request
from croupier.store.money.group_commit import Broken
from croupier.views.audit.auditor import audit
from tests.flows.desk import Desk

STAKE = PaymentKind.STAKE


def refuse(bet: Bet, terms: Terms) -> Decision[Bet]:
    """A rule that is in order: the casino said no."""
    draft: Draft[Bet] = Draft(bet, terms)
    apply_outcome(draft, STAKE, No(CasinoNo.NOT_ADDED, 102823, "no"))
    return draft.finish("heard")


def forget_the_call(bet: Bet, terms: Terms) -> Decision[Bet]:
    """A rule with a bug that the core notices: an undecided payment without a next action."""
    draft: Draft[Bet] = Draft(bet, terms)
    draft.drop_call(STAKE.value)
    return draft.finish("odd")


def jump(bet: Bet, terms: Terms) -> Decision[Bet]:
    """A rule with a bug that only the database notices: a move that is in no table."""
    draft: Draft[Bet] = Draft(bet, terms)
    draft.set(state=BetState.TOMBSTONE)
    return draft.finish("odd")


def counted(desk: Desk, name: str) -> bool:
    return f'croupier_incidents_total{{name="{name}"}} 1.0' in desk.hub.metrics.render().decode()


@pytest.mark.parametrize("rule", [forget_the_call, jump])
async def test_what_would_break_an_invariant_is_stopped_parked_and_told(desk: Desk, rule: object) -> None:
    bet = await desk.bet()
    with pytest.raises(Broken):
        await decide_once(desk.hub, bet, rule)  # type: ignore[arg-type]
    found = await desk.again(bet)
    assert (found.state, found.payments[STAKE].state, dict(found.calls)) == (BetState.ASKED, PaymentState.PARKED, {})
    assert await desk.open_incidents() == {"invariant", "parked"}
    assert counted(desk, "invariant")
    assert counted(desk, "parked")
    assert [finding for finding in await audit(desk.db) if finding.violations] == []


async def test_the_same_stop_for_a_request_that_waits_at_the_door(desk: Desk) -> None:
    """A provider's request rules by its own loop: a broken decision must not be tried five times there."""
    bet, cast = await desk.bet(), desk.cast
    command = Refund(cast.provider.provider_id, cast.session.session_id, bet.bet_ref)
    request = ProviderRequest(
        command, cast.session, cast.casino, cast.provider, desk.clock.monotonic_s() + 6, desk.clock.now_ms() + 6
    )
    tried = []

    def rule(current: Bet, terms: Terms, over: bool) -> Ruling:
        tried.append(over)
        return jump(current, terms)

    with pytest.raises(Broken):
        await decide_request(desk.hub, request, bet, rule=rule)
    assert tried == [False]
    assert (await desk.again(bet)).payments[STAKE].state is PaymentState.PARKED


async def test_with_nothing_in_flight_a_person_is_called_and_nothing_moves(desk: Desk) -> None:
    ended = await decide_once(desk.hub, await desk.bet(), refuse)
    assert isinstance(ended, Decision)
    with pytest.raises(Broken):
        await decide_once(desk.hub, ended.after, jump)
    assert await desk.again(ended.after) == ended.after
    assert await desk.open_incidents() == {"invariant"}


async def test_who_was_slower_is_told_so_and_wrote_nothing(desk: Desk) -> None:
    bet = await desk.bet()
    first = await decide_once(desk.hub, bet, refuse)
    assert isinstance(first, Decision)
    assert isinstance(await decide_once(desk.hub, bet, refuse), RaceLost)
    assert await desk.again(bet) == first.after
    assert await desk.open_incidents() == set()


async def test_who_is_always_slower_gives_up_after_five_times(desk: Desk) -> None:
    bet = await desk.bet()
    await decide_once(desk.hub, bet, refuse)
    reads = []

    async def read_too_early() -> Bet:
        reads.append(bet)
        return bet

    with pytest.raises(Contended):
        await advance(desk.hub, read_too_early, refuse)
    assert len(reads) == TRIES


async def test_what_is_no_decision_is_handed_back_as_it_is(desk: Desk) -> None:
    bet = await desk.bet()
    assert await decide_once(desk.hub, bet, lambda _, __: "told") == "told"
    assert await desk.again(bet) == bet
