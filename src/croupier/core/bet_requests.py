"""Rules of a provider's requests: answer from the record, wait, or decide.

Owns: the rules of pay-in, pay-out, pay-in-out and refund for every state of a bet, and the creation of bets.
Never: waits, checks sessions or limits (session), interprets the casino's answers (pursuit).
Spec: provider.md 4, money.md 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from croupier.core import ledger
from croupier.core.bet import (
    IS_ON,
    NOT_WANTED,
    OK,
    STAKE_UNDECIDED,
    Bet,
    BetEvent,
    BetState,
    Origin,
)
from croupier.core.draft import CORRECTION, Decision, Draft, Terms
from croupier.core.effects import (
    confirm,
    give_back,
    jackpot_account,
    move,
    owe,
    owe_return,
    settle,
    tax_due,
)
from croupier.core.large_win import beyond_limits, watch_win
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.core.records import evolve
from croupier.core.refusals import Refusal


@dataclass(frozen=True, slots=True)
class RequestContents:
    """The contents of a request that a repeat must match (provider.md 4.1). Amounts are minor units."""

    casino_id: int
    player_id: int
    round_ref: str
    stake: int | None = None
    win: int | None = None


class OnRecord(Protocol):
    """The fields of a bet that the rules of a repeat read, for real and for demo money."""

    @property
    def casino_id(self) -> int:
        """The casino of the player."""

    @property
    def player_id(self) -> int:
        """The player of the bet."""

    @property
    def round_ref(self) -> str:
        """The provider's round."""

    @property
    def origin(self) -> Origin:
        """The request that created the bet."""

    @property
    def stake(self) -> int:
        """The stake, minor units."""

    @property
    def win(self) -> int | None:
        """The win, minor units; None before it is decided."""

    @property
    def state(self) -> BetState:
        """The state of the bet."""

    @property
    def pay_in_answer(self) -> str | None:
        """The stored answer of its pay-in."""


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """The stored answer, returned without a change; None is success."""

    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The stake is undecided: wait for it, then apply the rule again with `waited`."""


Ruling = RecordedAnswer | Wait | Decision[Bet]
CONFLICT = RecordedAnswer(Refusal.CONFLICT)
NOT_KNOWN = RecordedAnswer(Refusal.OUTCOME_UNKNOWN)


# --- creation -------------------------------------------------------------------------------------------


def open_bet(bet: Bet, terms: Terms) -> Decision[Bet]:
    """Create a bet and the payment of its stake. A stake of 0 is not sent to a casino with `skip_zero`."""
    d = Draft(bet, terms, new=True)
    if bet.stake == 0 and terms.casino.skip_zero:
        d.set(state=BetState.ON, was_on=True)
        confirm(d)
    else:
        d.order(PaymentKind.STAKE, bet.stake, None)
    return d.finish("opened")


def open_jackpot(bet: Bet, terms: Terms) -> Decision[Bet]:
    """Create the bet of a jackpot win without a stake; the win is owed at once (provider.md 4.3, decision 0050)."""
    assert bet.win is not None
    d = Draft(bet, terms, new=True)
    d.set(state=BetState.SETTLED, pay_out_answer=OK, ended_ms=terms.now_ms)
    d.book(jackpot_account(bet), ledger.owed(bet.casino_id), bet.win, why="won")
    owe(d, PaymentKind.JACKPOT, bet.win, tax=tax_due(d, bet.win))
    watch_win(d, bet.win)
    return d.finish("jackpot_won")


def open_tombstone(bet: Bet, terms: Terms) -> Decision[Bet]:
    """Record a refund that arrived before its bet; a later pay-in of this betId is refused."""
    d = Draft(bet, terms, new=True)
    d.set(state=BetState.TOMBSTONE, refund_answer=OK)
    return d.finish("tombstone")


# --- pay-in and pay-in-out -----------------------------------------------------------------------------


def pay_in(bet: Bet, asked: RequestContents, terms: Terms, *, until_ms: int, waited: bool) -> Ruling:
    """Apply a pay-in to a known betId.

    `until_ms` is the deadline of this request. `waited` is true once the request has waited for the stake.
    """
    if not same_pay_in(bet, asked):
        return CONFLICT
    if bet.state is BetState.ASKED:
        return _pay_in_asked(bet, terms, until_ms, waited=waited)
    if bet.state is BetState.UNCLAIMED:
        d = Draft(bet, terms)
        move(d, BetEvent.CLAIMED)
        confirm(d)
        return d.finish("claimed")
    return pay_in_on_record(bet, waited=waited)


def pay_in_on_record(bet: OnRecord, *, waited: bool) -> RecordedAnswer:
    """Return the answer to a repeated pay-in of a bet whose stake is decided."""
    if bet.state in (BetState.ON, BetState.SETTLED):
        return RecordedAnswer()
    if bet.state is BetState.REFUSED:
        return RecordedAnswer(Refusal(bet.pay_in_answer))
    if bet.state in NOT_WANTED and waited:
        # Refunded while this request waited. The refund was answered with success, so the outcome is not reported (3.4).
        return NOT_KNOWN
    return CONFLICT


def same_pay_in(bet: OnRecord, asked: RequestContents) -> bool:
    """Return whether a pay-in repeats the one that created the bet."""
    if bet.origin is Origin.TOMBSTONE:
        return False
    origin = Origin.PAY_IN if asked.win is None else Origin.PAY_IN_OUT
    win = bet.win if origin is Origin.PAY_IN_OUT else None
    mine = (bet.casino_id, bet.player_id, bet.round_ref, bet.origin, bet.stake, win)
    return mine == (asked.casino_id, asked.player_id, asked.round_ref, origin, asked.stake, asked.win)


def _pay_in_asked(bet: Bet, terms: Terms, until_ms: int, *, waited: bool) -> Ruling:
    if bet.stake_parked:
        return NOT_KNOWN
    waiting = bet.waiting_until_ms
    if waited:
        return _stop_waiting(bet, terms) if waiting is not None and waiting <= until_ms else NOT_KNOWN
    if waiting is not None and waiting >= until_ms:
        return Wait()
    d = Draft(bet, terms)
    d.set(waiting_until_ms=until_ms)
    return d.finish("joined")


def _stop_waiting(bet: Bet, terms: Terms) -> Decision[Bet]:
    """End the wait: an accept from now on finds no request waiting (money.md 3.4)."""
    d = Draft(bet, terms)
    d.set(waiting_until_ms=None)
    return d.finish("wait_over")


# --- pay-out ---------------------------------------------------------------------------------------------


def pay_out(bet: Bet, asked: RequestContents, terms: Terms, *, waited: bool) -> Ruling:
    """Apply a pay-out to a known betId. It waits for an undecided stake, as a pay-in does."""
    assert asked.win is not None
    if not same_pay_out(bet, asked):
        return CONFLICT
    if bet.state is BetState.ASKED:
        return NOT_KNOWN if waited or bet.stake_parked else Wait()
    answered = pay_out_on_record(bet, asked)
    if answered is not None:
        return answered
    d = Draft(bet, terms)
    if bet.state is BetState.UNCLAIMED:
        move(d, BetEvent.CLAIMED)
        confirm(d)
    settle(d, asked.win)
    d.tell("pay_out")
    return d.finish("settled")


def pay_out_on_record(bet: OnRecord, asked: RequestContents) -> RecordedAnswer | None:
    """Return the answer to a pay-out of a bet that is not on; None for a bet still to be settled."""
    if bet.state is BetState.SETTLED:
        return RecordedAnswer() if bet.win == asked.win else CONFLICT
    return None if bet.state in IS_ON else CONFLICT


def same_pay_out(bet: OnRecord, asked: RequestContents) -> bool:
    """Return whether the contents of a pay-out match this bet."""
    if bet.origin in (Origin.TOMBSTONE, Origin.PAY_IN_OUT):
        return False
    mine = (bet.casino_id, bet.player_id, bet.round_ref)
    return mine == (asked.casino_id, asked.player_id, asked.round_ref)


# --- refund ----------------------------------------------------------------------------------------------


def refund(bet: Bet, terms: Terms, *, casino_id: int, player_id: int) -> Ruling:
    """Apply a refund to a known betId. For its own player the answer is always success, whatever is still to be done."""
    answered = refund_on_record(bet, casino_id, player_id)
    if answered is not None:
        return answered
    d = Draft(bet, terms)
    d.set(refund_answer=OK)
    d.tell("refund")
    if bet.state in (BetState.UNCLAIMED, BetState.ON):
        give_back(d, BetEvent.REFUND)
    elif bet.state is BetState.SETTLED:
        undo(d)
    else:
        move(d, BetEvent.REFUND)
        d.set(waiting_until_ms=None)
    return d.finish("refunded")


def refund_on_record(bet: OnRecord, casino_id: int, player_id: int) -> RecordedAnswer | None:
    """Return the answer to a refund of another player or of a refunded bet; None for one still to be applied."""
    if (bet.casino_id, bet.player_id) != (casino_id, player_id) or bet.origin is Origin.JACKPOT:
        return CONFLICT
    return RecordedAnswer() if bet.state in NOT_WANTED else None


def undo(d: Draft[Bet]) -> None:
    """Reverse a settled bet: wait for the payout's outcome, take the payout back, then return the stake (money.md 3.8)."""
    bet, payout = d.subject, d.payments[PaymentKind.PAYOUT]
    if payout.amount == 0 or payout.state is PaymentState.REFUSED:
        move(d, BetEvent.REFUND)
        source = ledger.ggr(bet.casino_id, bet.provider_id)
        d.book(source, ledger.owed(bet.casino_id), bet.stake, why="return_decided")
        d.set(ended_ms=d.terms.now_ms)
        owe_return(d)
        return
    move(d, BetEvent.REFUND_PAID)
    if payout.state is PaymentState.ACCEPTED:
        owe(d, PaymentKind.PAYOUT_RETURN, payout.amount, tax=payout.tax)


# --- a person --------------------------------------------------------------------------------------------


class CannotDo(Exception):
    """A command that the bet's state does not allow. The text names the reason and the command that fits."""


def return_by_person(bet: Bet, terms: Terms, author: str) -> Decision[Bet]:
    """End an incomplete game by returning the stake; raises CannotDo."""
    if bet.state in STAKE_UNDECIDED:
        msg = f"bet {bet.bet_id} has no outcome of its stake yet: use `payment accept` or `payment give-up` first"
        raise CannotDo(msg)
    if bet.state not in (BetState.ON, BetState.UNCLAIMED, BetState.SETTLED) or bet.origin is Origin.JACKPOT:
        msg = f"bet {bet.bet_id} is {bet.state.value}: only a bet that is on or settled can be returned"
        raise CannotDo(msg)
    ruling = refund(bet, terms, casino_id=bet.casino_id, player_id=bet.player_id)
    assert isinstance(ruling, Decision)
    return _signed(ruling, author)


def settle_by_person(bet: Bet, win: int, terms: Terms, *, author: str, above_limits: bool = False) -> Decision[Bet]:
    """End an incomplete game by settling it with a win of `win` minor units; raises CannotDo.

    A win beyond `large_win`, `max_win` or `max_odd` needs `above_limits`: a person may have mistyped it.
    """
    if bet.state not in (BetState.ON, BetState.UNCLAIMED):
        msg = f"bet {bet.bet_id} is {bet.state.value}: only a bet that is on can be settled"
        raise CannotDo(msg)
    asked = RequestContents(bet.casino_id, bet.player_id, bet.round_ref, win=win)
    ruling = pay_out(bet, asked, terms, waited=True)
    if not isinstance(ruling, Decision):
        msg = f"bet {bet.bet_id} was made by pay-in-out and settles itself: use `bet return`"
        raise CannotDo(msg)
    beyond = beyond_limits(ruling)
    if beyond is not None and not above_limits:
        msg = f"a win of {beyond}: if it is right, give --above-limits too"
        raise CannotDo(msg)
    return _signed(ruling, author)


def _signed(decision: Decision[Bet], author: str) -> Decision[Bet]:
    return Decision(
        before=decision.before,
        after=decision.after,
        event=f"{decision.event}_by_person",
        entries=tuple(evolve(entry, why=CORRECTION) for entry in decision.entries),
        incidents=decision.incidents,
        detail=decision.detail,
        author=author,
    )
