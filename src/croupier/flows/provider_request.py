"""The steps that the four bet requests of a provider share: find session and bet, wait, decide, answer.

Owns: the order in which they run, the wait for an undecided stake up to the hold time, and the retry loop around the
conditional update. Never: the rules (core.bet_requests). Spec: money.md 3.0, 3.4 and 3.10, provider.md 4.
"""

from __future__ import annotations

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
"""`rule(bet, terms, over)`: the effect of the request on a known bet. `over`: the request may wait no longer."""


@dataclass(frozen=True, slots=True)
class ProviderRequest(Generic[C]):
    """A request with its command, its session, its counterparties and its deadline."""

    command: C
    session: Session
    casino: Casino
    provider: Provider
    until_s: float
    """The monotonic instant at which the request must have been answered."""
    until_ms: int
    bet: Bet | None = None
    """The named bet as it was on arrival; None if there was none. For a pay-in: as `recall` knows it."""
    recalled: bool = False
    """The bet comes from memory: only a commit proves it current."""


class NotTaken(Exception):
    """The database is unavailable or busy, and this request wrote nothing. It is safe to repeat."""


async def load_request(hub: Hub, command: C) -> ProviderRequest[C] | None:
    """Load the session, the bet and the counterparties of a request. None if the provider has no such session.

    The bet of a pay-in is not read: most are new, and the commit of a new bet tells if it is not.
    """
    store = hub.store
    arrived = hub.clock.monotonic_s() if command.arrived_s is None else command.arrived_s
    try:
        session = store.sessions.at_hand(command.session_id) or await store.sessions.get(command.session_id)
        provider = store.providers.at_hand(command.provider_id) or await store.providers.get(command.provider_id)
        if session is None or provider is None or session.provider_id != command.provider_id:
            return None
        casino = store.casinos.at_hand(session.casino_id) or await store.casinos.get(session.casino_id)
        recalled = store.bets.recall_ref(command.provider_id, command.bet_ref)
        bet = recalled
        if bet is None and not isinstance(command, PayIn):
            bet = await store.bets.by_ref(command.provider_id, command.bet_ref)
    except DbError as error:
        raise NotTaken from error
    assert casino is not None
    if hub.tracer is not None and bet is not None:
        hub.tracer.about(bet.bet_id, leads=not isinstance(command, PayIn))
    until_s = arrived + provider.hold_s
    until_ms = hub.clock.now_ms() + round((until_s - hub.clock.monotonic_s()) * 1000)
    return ProviderRequest(command, session, casino, provider, until_s, until_ms, bet, recalled is not None)


async def stored_bet(hub: Hub, command: PayIn) -> Bet | None:
    """Return the bet that a pay-in names, as it is stored. Raises NotTaken."""
    try:
        known = await hub.store.bets.by_ref(command.provider_id, command.bet_ref)
    except DbError as error:
        raise NotTaken from error
    if hub.tracer is not None and known is not None:
        hub.tracer.about(known.bet_id)
    return known


def session_unknown(hub: Hub) -> Answer:
    """Answer that the provider has no such session. During recovery the session may have been lost: the answer is NOT_TAKEN."""
    return Answer(Refusal.SESSION_UNKNOWN if hub.state.recovery is None else Refusal.NOT_TAKEN)


async def decide_request(
    hub: Hub, request: ProviderRequest[C], first: Bet, *, rule: RequestRule, asked_now: bool = False
) -> tuple[Refusal | None, Bet]:
    """Apply the rule, wait and commit until there is an answer. Return the refusal, if any, and the bet as it was answered.

    `asked_now`: this request has just opened the bet, so it waits before the rule runs. Raises Contended.
    """
    bet, waiting, tries, wrote = first, asked_now, 0, asked_now
    unproven = request.recalled and first is request.bet
    while tries < TRIES:
        if waiting and _undecided(bet) and not hub.waiters.over(request.until_s) and not hub.state.closing:
            # The outcome may have been committed before this request began to wait.
            newer = _committed_since(hub, bet, 0)
            if newer is None:
                woken = await hub.waiters.wait(bet.bet_id, bet.version, request.until_s)
                newer = _committed_since(hub, bet, woken)
            bet = newer or await _again(hub, bet)
            continue
        try:
            ruling = await decide_once(hub, bet, partial(_judged, rule, over=waiting))
            if unproven and not isinstance(ruling, Decision):
                bet, unproven = await _again(hub, bet), False
                continue
        except (DbUnfit, DbLocked) as error:
            if wrote:
                raise
            raise NotTaken from error
        unproven = False
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


def _committed_since(hub: Hub, bet: Bet, woken: int | None) -> Bet | None:
    """Return the bet as a commit of this process left it that woke this request; None if another process was faster."""
    found = None if woken is None else hub.store.bets.recall(bet.bet_id)
    return found if found is not None and bet.version < found.version >= (woken or 0) else None


def _judged(rule: RequestRule, bet: Bet, terms: Terms, *, over: bool) -> Ruling:
    return rule(bet, terms, over)


def _undecided(bet: Bet) -> bool:
    return bet.state is BetState.ASKED and not bet.stake_parked


async def _again(hub: Hub, bet: Bet) -> Bet:
    found = await hub.store.bets.by_id(bet.bet_id)
    assert found is not None
    return found


async def commit_new_bet(hub: Hub, born: Bet, birth: Callable[[Bet, Terms], Decision[Bet]]) -> Bet:
    """Commit a new bet. If the betId exists by now, return the bet that has it. Raises Contended, NotTaken."""
    if hub.tracer is not None:
        hub.tracer.opened(born.bet_id)
    for _ in range(TRIES):
        decision = birth(born, await terms_of(hub, born))
        try:
            if await hub.group_commit.commit(decision):
                return decision.after
        except (DbUnfit, DbLocked) as error:
            raise NotTaken from error
        known = await hub.store.bets.by_ref(born.provider_id, born.bet_ref)
        if known is not None:
            if hub.tracer is not None:
                hub.tracer.about(known.bet_id)
            return known
        # The connection was lost before the bet was written: it is neither ours nor anybody else's.
    raise Contended


async def unsaved_bet(hub: Hub, request: ProviderRequest[C], origin: Origin) -> Bet:
    """Return a bet for this request, not yet committed, with stake 0. The callers set the differing fields."""
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
    """Return the amount in minor units of the session's currency, or a refusal that names the field."""
    try:
        return parse_amount(text, session.currency)
    except BadAmount as bad:
        return Answer(Refusal.WRONG_DATA, field=field, why=bad.why)


async def answer_contention(work: Awaitable[Answer]) -> Answer:
    """Answer OUTCOME_UNKNOWN if every decision lost its race: the provider repeats the request."""
    try:
        return await work
    except Contended:
        return Answer(Refusal.OUTCOME_UNKNOWN)
