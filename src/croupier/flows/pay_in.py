"""Pay-in and pay-in-out: debit a stake at the casino, and answer when its outcome is known or the hold time is over.

Owns: the request from the looked-up bet to the answer. Never: rules for known bets (core.bet_requests), the call to the
casino (dispatcher). Spec: money.md 3.0 to 3.5, provider.md 4.2 and 4.4.
"""

from __future__ import annotations

from typing import NamedTuple

from croupier.core import bet_requests
from croupier.core.bet import Bet, Origin
from croupier.core.bet_requests import RequestContents, Ruling
from croupier.core.commands import Answer, PayIn
from croupier.core.draft import Terms
from croupier.core.records import evolve
from croupier.core.refusals import Refusal
from croupier.core.session import judge_new_bet
from croupier.flows.balances import BalanceLookup
from croupier.flows.hub import Hub
from croupier.flows.protect_player import within_limits
from croupier.flows.provider_request import (
    NotTaken,
    ProviderRequest,
    amount_or_refusal,
    answer_contention,
    commit_new_bet,
    decide_request,
    load_request,
    session_unknown,
    stored_bet,
    unsaved_bet,
)
from croupier.kit.log import get
from croupier.kit.point import point
from croupier.store.db import DbError

log = get("provider")

RETRY_AFTER_S = 2


class _NewBetRefused(NamedTuple):
    answer: Answer
    why: str | None = None
    """The switch or limit, for the log. It is not for the provider."""


NOT_TAKEN = _NewBetRefused(Answer(Refusal.NOT_TAKEN, retry_after_s=RETRY_AFTER_S))


async def pay_in(hub: Hub, command: PayIn) -> Answer:
    """Answer a pay-in within the provider's hold time. A command with a win is a pay-in-out."""
    request = await load_request(hub, command)
    if request is None:
        return session_unknown(hub)
    asked = _contents(request)
    if isinstance(asked, Answer):
        return asked
    if request.session.demo:
        return await _demo_pay_in(hub, request, asked)
    return await answer_contention(_RealPayIn(hub, request, asked).answer())


class _RealPayIn:
    """One pay-in of real money, from the looked-up bet to the answer."""

    def __init__(self, hub: Hub, request: ProviderRequest[PayIn], asked: RequestContents) -> None:
        self._hub = hub
        self._request = request
        self._asked = asked
        self._balance = BalanceLookup(hub, request.session, request.until_s)

    async def answer(self) -> Answer:
        hub, casino = self._hub, self._request.casino
        if self._request.bet is not None:
            return await self._known(self._request.bet)
        wait_s = hub.inbound_limits.provider_wait_s(self._request.provider, "new_bet")
        if wait_s:
            known = await stored_bet(hub, self._request.command)
            return _rate_limited(wait_s) if known is None else await self._known(known)
        refused, limits = _refused(hub, self._request, self._asked), self._request.session.limits
        if refused is not None or limits.max_stakes is not None or limits.max_loss is not None:
            # A known bet is not judged by the rules for new ones, and its stake is in the session's sums already.
            known = await stored_bet(hub, self._request.command)
            if known is not None:
                return await self._known(known)
        if refused is not None:
            return _answer_refused(self._request, refused)
        if not await self._within_limits():
            return Answer(Refusal.LIMIT)
        if hub.recovering(casino.casino_id) or not hub.admission.admit(casino.casino_id, casino.in_flight):
            known = await stored_bet(hub, self._request.command)
            return NOT_TAKEN.answer if known is None else await self._known(known)
        try:
            return await self._new()
        finally:
            hub.admission.leave(casino.casino_id)

    async def _within_limits(self) -> bool:
        """Return whether the casino's limits on the session's sums allow the bet. Raises NotTaken."""
        assert self._asked.stake is not None
        session, bet_ref = self._request.session, self._request.command.bet_ref
        try:
            return await within_limits(self._hub, session, bet_ref=bet_ref, stake=self._asked.stake)
        except DbError as error:
            raise NotTaken from error

    async def _new(self) -> Answer:
        born = await self._born()
        bet = await commit_new_bet(self._hub, born, bet_requests.open_bet)
        if bet.bet_id != born.bet_id:
            # Another request with the same betId was faster: this one is a repeat from here on.
            return await self._known(bet)
        await point("stake.after_commit")
        self._balance.start_if_unknown()
        return await self._known(bet, fresh=True)

    async def _known(self, bet: Bet, *, fresh: bool = False) -> Answer:
        request, asked = self._request, self._asked

        def rule(current: Bet, terms: Terms, over: bool) -> Ruling:  # noqa: FBT001 - the shape of a Rule
            return bet_requests.pay_in(current, asked, terms, until_ms=request.until_ms, waited=over)

        refusal, bet = await decide_request(self._hub, request, bet, rule=rule, asked_now=fresh)
        await point("stake.before_answer")
        return await self._balance.answer(refusal, bet, "pay_in")

    async def _born(self) -> Bet:
        asked = self._asked
        origin = Origin.PAY_IN if asked.win is None else Origin.PAY_IN_OUT
        assert asked.stake is not None
        born = await unsaved_bet(self._hub, self._request, origin)
        return evolve(born, stake=asked.stake, win=asked.win, waiting_until_ms=self._request.until_ms)


async def _demo_pay_in(hub: Hub, request: ProviderRequest[PayIn], asked: RequestContents) -> Answer:
    """Return the answer to a pay-in of play money. A known bet is refused by no switch and no limit."""
    wait_s = hub.inbound_limits.provider_wait_s(request.provider, "new_bet")
    refused = _NewBetRefused(_rate_limited(wait_s)) if wait_s else _refused(hub, request, asked)
    reason = None if refused is None else _answer_refused(request, refused).refusal
    answer = await hub.store.demo.pay_in(request.session, request.command.bet_ref, asked, refuse_new=reason)
    return evolve(answer, retry_after_s=wait_s) if answer.refusal is Refusal.RATE_LIMITED else answer


def _rate_limited(wait_s: int) -> Answer:
    return Answer(Refusal.RATE_LIMITED, retry_after_s=wait_s)


def _contents(request: ProviderRequest[PayIn]) -> RequestContents | Answer:
    command, session = request.command, request.session
    stake = amount_or_refusal(command.stake, session, "betAmount")
    win = None if command.win is None else amount_or_refusal(command.win, session, "winAmount")
    if isinstance(stake, Answer):
        return stake
    if isinstance(win, Answer):
        return win
    return RequestContents(session.casino_id, session.player_id, command.round_ref, stake, win)


def _refused(hub: Hub, request: ProviderRequest[PayIn], asked: RequestContents) -> _NewBetRefused | None:
    """Return the refusal of a new bet, or None. Known bets are not judged by these rules (money.md 3.0)."""
    if hub.state.closing or hub.database_health.unfit is not None or hub.waiters.over(request.until_s):
        return NOT_TAKEN
    assert asked.stake is not None
    verdict = judge_new_bet(
        request.session,
        request.casino,
        request.provider,
        stake=asked.stake,
        now_ms=hub.clock.now_ms(),
        defaults=(hub.process_settings.min_bet, hub.process_settings.max_bet),
    )
    if verdict is None:
        return None
    return _NewBetRefused(Answer(verdict.refusal, field=verdict.field), verdict.why)


def _answer_refused(request: ProviderRequest[PayIn], refused: _NewBetRefused) -> Answer:
    """Return the answer, and log the switch or limit behind it."""
    if refused.why is not None:
        log.info("provider.limit", provider=request.provider.name, casino=request.casino.name, why=refused.why)
    return refused.answer
