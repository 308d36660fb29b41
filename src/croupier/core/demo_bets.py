"""Rules of demo bets, which are made with a virtual balance.

Owns: the effect of each request on a demo bet. Repeats are answered by `bet_requests`, as for real money. A demo has no
casino, so every stake is decided at once and no request waits. Never: the rows (store.demo), the ledger, a casino.
Spec: provider.md 3.4 (demo) and provider.md 4.1 (contents of a repeat).

A bet is `on`, then `settled` or `returned`; it is `refused` without enough funds. A refund that arrives before its bet
creates a bet in the state `returned`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from croupier.core.bet import OK, BetState, Origin
from croupier.core.bet_requests import (
    CONFLICT,
    RecordedAnswer,
    RequestContents,
    pay_in_on_record,
    pay_out_on_record,
    refund_on_record,
    same_pay_in,
    same_pay_out,
)
from croupier.core.refusals import Refusal
from croupier.core.session import Session

START: Final = 1000
"""The initial balance of a session, in major units of its currency."""
CEILING: Final = 10**18
"""The largest balance, in minor units, so that a sum always fits its column."""


@dataclass(frozen=True, slots=True)
class DemoBet:
    """One demo bet. Amounts are minor units; the money is that of the session that made it."""

    provider_id: int
    bet_ref: str
    session_id: str
    casino_id: int
    player_id: int
    round_ref: str
    origin: Origin
    stake: int
    win: int | None
    state: BetState

    @property
    def pay_in_answer(self) -> str:
        """The stored answer of its pay-in; a stake is refused only for lack of funds."""
        return Refusal.NOT_ENOUGH_FUNDS.value if self.state is BetState.REFUSED else OK


@dataclass(frozen=True, slots=True)
class Judged:
    """The effect of a request: the refusal of its answer, the bet afterwards, and the change of the session's balance."""

    refusal: Refusal | None = None
    bet: DemoBet | None = None
    """None: nothing changes."""
    moved: int = 0


def open_bet(session: Session, bet_ref: str, asked: RequestContents, *, balance: int) -> Judged:
    """Create a bet and take its stake from the balance; a win in `asked` settles it at once."""
    bet = _new_bet(session, bet_ref, asked)
    if bet.stake > balance:
        return Judged(Refusal.NOT_ENOUGH_FUNDS, replace(bet, state=BetState.REFUSED))
    if bet.win is None:
        return Judged(bet=bet, moved=-bet.stake)
    return Judged(bet=replace(bet, state=BetState.SETTLED), moved=bet.win - bet.stake)


def open_jackpot(session: Session, bet_ref: str, asked: RequestContents) -> Judged:
    """Create the bet of a jackpot win, if the game has jackpot wins."""
    assert asked.win is not None
    if not session.jackpot_wins:
        return Judged(Refusal.BET_UNKNOWN)
    bet = replace(_new_bet(session, bet_ref, asked), origin=Origin.JACKPOT, state=BetState.SETTLED)
    return Judged(bet=bet, moved=asked.win)


def open_tombstone(session: Session, bet_ref: str) -> Judged:
    """Record a refund that arrived before its bet; a later pay-in of this betId is refused."""
    bet = _new_bet(session, bet_ref, RequestContents(session.casino_id, session.player_id, ""))
    return Judged(bet=replace(bet, origin=Origin.TOMBSTONE, state=BetState.RETURNED))


def pay_in(bet: DemoBet, asked: RequestContents) -> Judged:
    """Apply a pay-in to a known betId."""
    return _replied(pay_in_on_record(bet, waited=False) if same_pay_in(bet, asked) else CONFLICT)


def pay_out(bet: DemoBet, asked: RequestContents) -> Judged:
    """Apply a pay-out to a known betId; a bet is settled once."""
    assert asked.win is not None
    answered = pay_out_on_record(bet, asked) if same_pay_out(bet, asked) else CONFLICT
    if answered is not None:
        return _replied(answered)
    return Judged(bet=replace(bet, win=asked.win, state=BetState.SETTLED), moved=asked.win)


def refund(bet: DemoBet, casino_id: int, player_id: int) -> Judged:
    """Apply a refund to a known betId: the stake is returned, and the win is taken back."""
    answered = refund_on_record(bet, casino_id, player_id)
    if answered is not None:
        return _replied(answered)
    back = {BetState.ON: bet.stake, BetState.SETTLED: bet.stake - (bet.win or 0)}.get(bet.state, 0)
    return Judged(bet=replace(bet, state=BetState.RETURNED), moved=back)


def balance_after(before: int, moved: int) -> int:
    """Return the balance after a change, never below 0 or above CEILING: a refund takes back what is left of a spent win."""
    return min(max(before + moved, 0), CEILING)


def _replied(reply: RecordedAnswer) -> Judged:
    return Judged(reply.refusal)


def _new_bet(session: Session, bet_ref: str, asked: RequestContents) -> DemoBet:
    return DemoBet(
        provider_id=session.provider_id,
        bet_ref=bet_ref,
        session_id=session.session_id,
        casino_id=session.casino_id,
        player_id=session.player_id,
        round_ref=asked.round_ref,
        origin=Origin.PAY_IN if asked.win is None else Origin.PAY_IN_OUT,
        stake=asked.stake or 0,
        win=asked.win,
        state=BetState.ON,
    )
