"""Refund: undo a bet in any state. For an unknown betId it stores a tombstone.

Owns: the request from the looked-up bet to the answer. Spec: provider.md 4.5, money.md 3.4, 3.5 and 3.8.
"""

from __future__ import annotations

from croupier.core import bet_requests
from croupier.core.bet import Bet, Origin
from croupier.core.bet_requests import Ruling
from croupier.core.commands import Answer, Refund
from croupier.core.draft import Terms
from croupier.core.refusals import Refusal
from croupier.flows.balances import BalanceLookup
from croupier.flows.hub import Hub
from croupier.flows.provider_request import (
    ProviderRequest,
    answer_contention,
    commit_new_bet,
    decide_request,
    load_request,
    session_unknown,
    unsaved_bet,
)
from croupier.flows.recovery import record_lost_bet


async def refund(hub: Hub, command: Refund) -> Answer:
    """Answer a refund. It never waits for the casino."""
    request = await load_request(hub, command)
    if request is None:
        return session_unknown(hub)
    if request.session.demo:
        return await hub.store.demo.refund(request.session, command.bet_ref)
    return await answer_contention(_refund(hub, request))


async def _refund(hub: Hub, request: ProviderRequest[Refund]) -> Answer:
    session, bet = request.session, request.bet
    balance = BalanceLookup(hub, session, request.until_s)
    if bet is None and hub.recovering(session.casino_id):
        await record_lost_bet(hub, session, request.command.bet_ref, verb="refund")
        return Answer(Refusal.NOT_TAKEN)
    if bet is None:
        born = await unsaved_bet(hub, request, Origin.TOMBSTONE)
        bet = await commit_new_bet(hub, born, bet_requests.open_tombstone)

    def rule(current: Bet, terms: Terms, over: bool) -> Ruling:  # noqa: ARG001, FBT001 - the shape of a Rule
        return bet_requests.refund(current, terms, casino_id=session.casino_id, player_id=session.player_id)

    refusal, bet = await decide_request(hub, request, bet, rule=rule)
    return await balance.answer(refusal, bet, "refund")
