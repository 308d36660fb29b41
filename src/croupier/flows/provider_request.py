"""What the four bet requests of a provider share: find session and bet, wait, decide, answer.

Owns: the order "first the bet, then the rest", the waiting for an undecided stake up to the hold time, and the
loop around one conditional update. Never: the rules themselves (core.requests). Spec: money.md 3.0, 3.4 and 3.10, provider.md 4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from croupier.core.bet import Bet, BetState, Origin
from croupier.core.bet_requests import RecordedAnswer, Ruling, Wait
from croupier.core.commands import Answer, PayIn, PayOut, Refund
from croupier.core.counterparty import Casino, Provider
from croupier.core.draft import Decision, Terms
from croupier.core.money import BadAmount, parse_amount
from croupier.core.refusals import Refusal
from croupier.core.session import Session
from croupier.flows.advance import TRIES, Contended, decide_once, terms_of
from croupier.flows.hub import Hub
from croupier.store.db import DbError, DbLocked, DbUnfit

C = TypeVar("C", bound=PayIn | PayOut | Refund)
RequestRule = Callable[[Bet, Terms, bool], Ruling]
"""`rule(bet, terms, over)`: what the request does to a known bet; `over`: it has waited as long as it may."""


@dataclass(frozen=True, slots=True)
class ProviderRequest(Generic[C]):
    """A request that was let in: what it asks for, its session, its counterparties, its own deadline."""

    command: C
    session: Session
    casino: Casino
    provider: Provider
    until_s: float
    """Monotonic instant at which it must have been answered."""
    until_ms: int
    bet: Bet | None = None
    """The bet that it names, as it was found on arrival; None if there is none."""


class NotTaken(Exception):
    """The database is away or busy and nothing was written by this request: safe to repeat."""


async def load_request(hub: Hub, command: C) -> ProviderRequest[C] | None:
    """The request with the bet it names, if there is one; None for a session that does not exist for it."""
    arrived = hub.clock.monotonic_s() if command.arrived_s is None else command.arrived_s
    try:
        session, bet, provider = await asyncio.gather(
            hub.store.sessions.get(command.session_id),
            hub.store.bets.by_ref(command.provider_id, command.bet_ref),
            hub.store.providers.get(command.provider_id),
        )
        if session is None or provider is None or session.provider_id != command.provider_id:
            return None
        casino = await hub.store.casinos.get(session.casino_id)
    except DbError as error:
        raise NotTaken from error
    assert casino is not None
    until_s = arrived + provider.hold_s
    until_ms = hub.clock.now_ms() + round((until_s - hub.clock.monotonic_s()) * 1000)
    return ProviderRequest(command, session, casino, provider, until_s, until_ms, bet)


def session_unknown(hub: Hub) -> Answer:
    """There is no such session, for this provider. While recovery is on it may have been lost: nobody is told so."""
    return Answer(Refusal.SESSION_UNKNOWN if hub.state.recovery is None else Refusal.NOT_TAKEN)


async def decide_request(
    hub: Hub, request: ProviderRequest[C], first: Bet, *, rule: RequestRule, asked_now: bool = False
) -> tuple[Refusal | None, Bet]:
    """Rule, wait and commit until there is an answer; the answer and the bet as it was answered.

    `asked_now`: this very request has just opened the bet, so it waits before it rules. Raises Contended.
    """
    bet, waiting, tries, wrote = first, asked_now, 0, asked_now
    while tries < TRIES:
        if waiting and _undecided(bet) and not hub.waiters.over(request.until_s) and not hub.state.closing:
            await hub.waiters.wait(bet.bet_id, bet.version, request.until_s)
            bet = await _again(hub, bet)
            continue
        try:
            ruling = await decide_once(hub, bet, partial(_judged, rule, over=waiting))
        except (DbUnfit, DbLocked) as error:
            if wrote:
                raise
            raise NotTaken from error
        if isinstance(ruling, RecordedAnswer):
            return ruling.refusal, bet
        if isinstance(ruling, Wait):
            waiting = True
        elif isinstance(ruling, Decision):
            bet, wrote = ruling.after, True
        else:
            tries += 1
            bet = await _again(hub, bet)
    raise Contended


def _judged(rule: RequestRule, bet: Bet, terms: Terms, *, over: bool) -> Ruling:
    return rule(bet, terms, over)


def _undecided(bet: Bet) -> bool:
    return bet.state is BetState.ASKED and not bet.stake_parked


async def _again(hub: Hub, bet: Bet) -> Bet:
    found = await hub.store.bets.by_id(bet.bet_id)
    assert found is not None
    return found


async def commit_new_bet(hub: Hub, born: Bet, birth: Callable[[Bet, Terms], Decision[Bet]]) -> Bet:
    """Commit the birth of a bet; if its betId exists by now, the bet that has it. Raises Contended, NotTaken."""
    for _ in range(TRIES):
        decision = birth(born, await terms_of(hub, born))
        try:
            if await hub.group_commit.commit(decision):
                return decision.after
        except (DbUnfit, DbLocked) as error:
            raise NotTaken from error
        known = await hub.store.bets.by_ref(born.provider_id, born.bet_ref)
        if known is not None:
            return known
        # Neither ours nor anybody's: the connection was lost before it was written.
    raise Contended


async def unsaved_bet(hub: Hub, request: ProviderRequest[C], origin: Origin) -> Bet:
    """A bet of this request, not yet committed, stake 0; the callers set what differs."""
    command, session = request.command, request.session
    return Bet(
        bet_id=await hub.store.ids.take(),
        casino_id=session.casino_id,
        provider_id=command.provider_id,
        player_id=session.player_id,
        player_ref=session.player_ref,
        bet_ref=command.bet_ref,
        round_ref="" if isinstance(command, Refund) else command.round_ref,
        session_id=session.session_id,
        game_id=session.game_id,
        origin=origin,
        currency=session.currency,
        stake=0,
        created_ms=hub.clock.now_ms(),
        tag_id=session.tag_id,
    )


def amount_or_refusal(text: str, session: Session, field: str) -> int | Answer:
    """The amount in minor units of the session's currency, or the refusal that names the field."""
    try:
        return parse_amount(text, session.currency)
    except BadAmount as bad:
        return Answer(Refusal.WRONG_DATA, field=field, why=bad.why)


async def answer_contention(work: Awaitable[Answer]) -> Answer:
    """A request whose decisions lost every race is answered "not known": the provider repeats it."""
    try:
        return await work
    except Contended:
        return Answer(Refusal.OUTCOME_UNKNOWN)
