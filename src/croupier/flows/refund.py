"""Refund: undo a bet, whatever state it is in; of an unknown betId, leave a tombstone.

Owns: the request from the looked-up bet to the answer. Spec: provider.md 4.5, money.md 3.4, 3.5 and 3.8.
"""

from __future__ import annotations

from croupier.core import bet_requests
from croupier.core.bet import Bet, Origin
from croupier.core.bet_requests import Ruling
from croupier.core.commands import Answer, Refund
from croupier.core.draft import Terms
from croupier.core.refusals import Refusal
from croupier.flows.balances import Beside
from croupier.flows.hub import Hub
from croupier.flows.provider_request import (
    Request,
    answer_contention,
    enter,
    newborn,
    no_session,
    open_with,
    settle_with,
)
from croupier.flows.recovery import asked_of_lost


async def refund(hub: Hub, command: Refund) -> Answer:
    """Answer a refund; it never waits for the casino."""
    request = await enter(hub, command)
    if request is None:
        return no_session(hub)
    if request.session.demo:
        return await hub.store.demo.refund(request.session, command.bet_ref)
    return await answer_contention(_refund(hub, request))


async def _refund(hub: Hub, request: Request[Refund]) -> Answer:
    session, bet = request.session, request.bet
    beside = Beside(hub, session, request.until_s)
    if bet is None and hub.recovering(session.casino_id):
        await asked_of_lost(hub, session, request.command.bet_ref, verb="refund")
        return Answer(Refusal.NOT_TAKEN)
    if bet is None:
        born = await newborn(hub, request, Origin.TOMBSTONE)
        bet = await open_with(hub, born, bet_requests.open_tombstone)

    def rule(current: Bet, terms: Terms, over: bool) -> Ruling:  # noqa: ARG001, FBT001 - the shape of a Rule
        return bet_requests.refund(current, session.casino_id, session.player_id, terms)

    refusal, bet = await settle_with(hub, request, bet, rule=rule)
    return await beside.answer(refusal, bet, "refund")
