"""Pay-out: settle a bet. The answer follows as soon as the win is owed durably. A jackpot win comes without a bet.

Owns: the request from the looked-up bet to the answer. Never: the payment (the dispatcher retries what is owed).
Spec: provider.md 4.3, money.md 2.7 and 3.5.
"""

from __future__ import annotations

from croupier.core import bet_requests
from croupier.core.bet import Bet, Origin
from croupier.core.bet_requests import RequestContents, Ruling
from croupier.core.commands import Answer, PayOut
from croupier.core.draft import Terms
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.core.records import evolve
from croupier.core.refusals import Refusal
from croupier.flows.balances import BalanceLookup
from croupier.flows.hub import Hub
from croupier.flows.provider_request import (
    ProviderRequest,
    amount_or_refusal,
    answer_contention,
    commit_new_bet,
    decide_request,
    load_request,
    session_unknown,
    unsaved_bet,
)
from croupier.flows.recovery import record_lost_bet
from croupier.kit.point import point


async def pay_out(hub: Hub, command: PayOut) -> Answer:
    """Answer a pay-out. An expired session or a full queue never refuses it."""
    request = await load_request(hub, command)
    if request is None:
        return session_unknown(hub)
    win = amount_or_refusal(command.win, request.session, "winAmount")
    if isinstance(win, Answer):
        return win
    if request.session.demo:
        return await hub.store.demo.pay_out(request.session, command.bet_ref, _contents(request, win))
    return await answer_contention(_pay_out(hub, request, win))


async def _pay_out(hub: Hub, request: ProviderRequest[PayOut], win: int) -> Answer:
    session, bet = request.session, request.bet
    balance = BalanceLookup(hub, session, request.until_s)
    asked = _contents(request, win)
    if bet is None and hub.recovering(session.casino_id):
        await record_lost_bet(hub, session, request.command.bet_ref, verb="pay-out", win=win)
        return Answer(Refusal.NOT_TAKEN)
    if bet is None and session.jackpot_wins:
        bet = await _jackpot(hub, request, win)
    if bet is None:
        return Answer(Refusal.BET_UNKNOWN)

    def rule(current: Bet, terms: Terms, over: bool) -> Ruling:  # noqa: FBT001 - the shape of a Rule
        return bet_requests.pay_out(current, asked, terms, waited=over)

    refusal, bet = await decide_request(hub, request, bet, rule=rule)
    if refusal is None and request.provider.pay_out_waits and not await _paid(hub, request, bet):
        return Answer(Refusal.OUTCOME_UNKNOWN)
    await point("payout.before_answer")
    return await balance.answer(refusal, bet, "pay_out")


def _contents(request: ProviderRequest[PayOut], win: int) -> RequestContents:
    session = request.session
    return RequestContents(session.casino_id, session.player_id, request.command.round_ref, win=win)


async def _jackpot(hub: Hub, request: ProviderRequest[PayOut], win: int) -> Bet:
    """Open a bet without a stake for a jackpot win, in a game that may have them."""
    born = evolve(await unsaved_bet(hub, request, Origin.JACKPOT), win=win)
    return await commit_new_bet(hub, born, bet_requests.open_jackpot)


async def _paid(hub: Hub, request: ProviderRequest[PayOut], bet: Bet) -> bool:
    """Wait until the casino has accepted the win, for a provider with `pay_out_waits`. Return False if it took too long."""
    kind = PaymentKind.JACKPOT if bet.origin is Origin.JACKPOT else PaymentKind.PAYOUT
    while bet.payments[kind].state is not PaymentState.ACCEPTED:
        if hub.state.closing or hub.waiters.over(request.until_s):
            return False
        await hub.waiters.wait(bet.bet_id, bet.version, request.until_s)
        found = await hub.store.bets.by_id(bet.bet_id)
        assert found is not None
        bet = found
    return True
