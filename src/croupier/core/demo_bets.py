"""Demo money: what a request does to a bet made with a virtual balance.

Owns: the rules of demo bets. What a repeat gets is ruled by `bet_requests`, as for real money; a demo has no casino, so
every stake is decided at once and nobody waits. Never: the rows (store.demo), the ledger, a casino.
Spec: provider.md 3.4 (demo) and provider.md 4.1 (what a repeat must match).

A bet is `on`, then `settled` or `returned`; `refused` for want of funds. A refund that came first is a bet that was
`returned` from its birth.
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
"""What a session begins with, in major units of its currency."""
CEILING: Final = 10**18
"""More than this nobody wins, so that a sum always fits its column."""


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
        """What its pay-in was answered: a stake is refused for want of funds only."""
        return Refusal.NOT_ENOUGH_FUNDS.value if self.state is BetState.REFUSED else OK


@dataclass(frozen=True, slots=True)
class Judged:
    """What a request does: the answer's refusal, the bet as it is then, and the money that moves to its session."""

    refusal: Refusal | None = None
    bet: DemoBet | None = None
    """None: nothing changes."""
    moved: int = 0


def open_bet(session: Session, bet_ref: str, asked: RequestContents, *, balance: int) -> Judged:
    """A new bet: its stake is taken from the balance, and with a win in `asked` it is settled at once."""
    bet = _born(session, bet_ref, asked)
    if bet.stake > balance:
        return Judged(Refusal.NOT_ENOUGH_FUNDS, replace(bet, state=BetState.REFUSED))
    if bet.win is None:
        return Judged(bet=bet, moved=-bet.stake)
    return Judged(bet=replace(bet, state=BetState.SETTLED), moved=bet.win - bet.stake)


def open_jackpot(session: Session, bet_ref: str, asked: RequestContents) -> Judged:
    """A win without a bet, in a game that may have them."""
    assert asked.win is not None
    if not session.jackpot_wins:
        return Judged(Refusal.BET_UNKNOWN)
    born = replace(_born(session, bet_ref, asked), origin=Origin.JACKPOT, state=BetState.SETTLED)
    return Judged(bet=born, moved=asked.win)


def open_tombstone(session: Session, bet_ref: str) -> Judged:
    """A refund that came before its bet: a later pay-in of this betId is refused."""
    born = _born(session, bet_ref, RequestContents(session.casino_id, session.player_id, ""))
    return Judged(bet=replace(born, origin=Origin.TOMBSTONE, state=BetState.RETURNED))


def pay_in(bet: DemoBet, asked: RequestContents) -> Judged:
    """A pay-in of a known betId."""
    return _replied(pay_in_on_record(bet, waited=False) if same_pay_in(bet, asked) else CONFLICT)


def pay_out(bet: DemoBet, asked: RequestContents) -> Judged:
    """A pay-out of a known betId: it settles once."""
    assert asked.win is not None
    answered = pay_out_on_record(bet, asked) if same_pay_out(bet, asked) else CONFLICT
    if answered is not None:
        return _replied(answered)
    return Judged(bet=replace(bet, win=asked.win, state=BetState.SETTLED), moved=asked.win)


def refund(bet: DemoBet, casino_id: int, player_id: int) -> Judged:
    """A refund of a known betId: the stake goes back, and the win with it."""
    answered = refund_on_record(bet, casino_id, player_id)
    if answered is not None:
        return _replied(answered)
    back = {BetState.ON: bet.stake, BetState.SETTLED: bet.stake - (bet.win or 0)}.get(bet.state, 0)
    return Judged(bet=replace(bet, state=BetState.RETURNED), moved=back)


def balance_after(before: int, moved: int) -> int:
    """The balance once money has moved. A refund takes back what is left of a win that was played away."""
    return min(max(before + moved, 0), CEILING)


def _replied(reply: RecordedAnswer) -> Judged:
    return Judged(reply.refusal)


def _born(session: Session, bet_ref: str, asked: RequestContents) -> DemoBet:
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
