"""Effects of payment outcomes on a bet: state, ledger and the next payment.

Owns: one function for "accepted" and one for "refused" of every payment kind of a bet, and the moves shared with the
requests (settle, owe a return). Never: decides whether an outcome is accepted (outcomes) or how a provider is
answered (bet_requests). Spec: money.md 2, 3 and 6.
"""

from __future__ import annotations

from croupier.core import ledger
from croupier.core.bet import ENDED, OK, Bet, BetEvent, BetState, Closing, Origin, next_bet_state
from croupier.core.draft import Draft
from croupier.core.jackpot import pot_of
from croupier.core.large_win import watch_win
from croupier.core.money import tax_of
from croupier.core.payment import SLOT_CLAIM, SLOT_CLOSE, PaymentEvent, PaymentState, Step
from croupier.core.readings import No, PaymentKind
from croupier.core.refusals import CASINO_NO_TO_REFUSAL, Refusal

BetDraft = Draft[Bet]


def move(d: BetDraft, event: BetEvent) -> None:
    """Move the bet to its next state by the table."""
    d.set(state=next_bet_state(d.subject.state, event))


def owe(d: BetDraft, kind: PaymentKind, amount: int, *, tax: int | None) -> None:
    """Order a payment; a closed bet is reopened first (money.md 3.9)."""
    closed = d.subject.closing in (Closing.CLOSING, Closing.CLOSED)
    if closed:
        d.drop_call(SLOT_CLOSE)
        d.set(closing=Closing.CLOSED)
    d.order(kind, amount, tax, step=Step.REOPEN if closed else Step.MAKE)


def owe_return(d: BetDraft) -> None:
    """Order the return of the stake, at most once, and not while another payment of the bet is in flight."""
    kind = PaymentKind.BET_RETURN
    sent_before = d.payments.get(kind)
    if sent_before is not None:
        if sent_before.state is PaymentState.REFUSED and not d.subject.was_on:
            d.pay(kind, PaymentEvent.REVIVE)
            d.call_now(kind.value, Step.MAKE)
        return
    if PaymentKind.STAKE not in d.payments or any(p.undecided for p in d.payments.values()):
        return
    owe(d, kind, d.subject.stake, tax=None)


def confirm(d: BetDraft) -> None:
    """Record success for the pay-in; a pay-in-out is settled in the same decision."""
    d.set(pay_in_answer=OK, waiting_until_ms=None)
    d.drop_call(SLOT_CLAIM)
    d.tell("pay_in")
    if d.subject.origin is Origin.PAY_IN_OUT:
        assert d.subject.win is not None
        settle(d, d.subject.win)


def settle(d: BetDraft, win: int) -> None:
    """Book the stake to GGR and owe the win. A win of 0 is sent too, as the loss."""
    bet = d.subject
    move(d, BetEvent.SETTLE)
    d.set(win=win, pay_out_answer=OK, ended_ms=d.terms.now_ms)
    ggr = ledger.ggr(bet.casino_id, bet.provider_id)
    d.book(ledger.open_bets(bet.casino_id, bet.provider_id), ggr, bet.stake, why="settled")
    d.book(ggr, ledger.owed(bet.casino_id), win, why="won")
    owe(d, PaymentKind.PAYOUT, win, tax=tax_due(d, win))
    watch_win(d, win)


def tax_due(d: BetDraft, win: int) -> int | None:
    """Return the tax of a payout in minor units, or None if the casino has no rate (casino.md 2.5)."""
    rate = d.terms.casino.tax_bp
    return None if rate is None else tax_of(win, rate)


def give_back(d: BetDraft, event: BetEvent) -> None:
    """Owe the stake of a bet that is on back to the player."""
    bet = d.subject
    move(d, event)
    d.set(ended_ms=d.terms.now_ms, waiting_until_ms=None)
    d.drop_call(SLOT_CLAIM)
    source = ledger.open_bets(bet.casino_id, bet.provider_id)
    d.book(source, ledger.owed(bet.casino_id), bet.stake, why="return_decided")
    owe_return(d)


def stake_accepted(d: BetDraft) -> None:
    """Apply the accept of the stake."""
    if d.subject.state is BetState.ASKED:
        _stake_stands(d)
    else:
        _stake_late(d)


def _stake_stands(d: BetDraft) -> None:
    bet = d.subject
    source, target = ledger.wallets(bet.casino_id), ledger.open_bets(bet.casino_id, bet.provider_id)
    d.book(source, target, bet.stake, why="stake_accepted")
    d.set(was_on=True)
    if bet.waited_for(d.terms.now_ms):
        move(d, BetEvent.ACCEPTED_WAITED)
        confirm(d)
        return
    move(d, BetEvent.ACCEPTED_UNWAITED)
    d.set(waiting_until_ms=None)
    assert d.terms.provider is not None
    due = d.terms.waits.after_ms(d.terms.now_ms, d.terms.provider.claim_s)
    d.call_later(SLOT_CLAIM, Step.CLAIM_DUE, due)


def _stake_late(d: BetDraft) -> None:
    """Book a late accept to suspense and return the stake once (money.md 3.6)."""
    bet = d.subject
    move(d, BetEvent.ACCEPTED_LATE)
    d.set(ended_ms=d.terms.now_ms, waiting_until_ms=None)
    d.book(ledger.wallets(bet.casino_id), ledger.suspense(bet.casino_id), bet.stake, why="accepted_late")
    owe_return(d)


def stake_refused(d: BetDraft, no: No) -> None:
    """End the stake as refused; every repeat gets the stored answer."""
    answer = CASINO_NO_TO_REFUSAL[no.reason]
    if d.subject.state is BetState.ASKED:
        d.set(pay_in_answer=answer.value)
    move(d, BetEvent.STAKE_REFUSED)
    d.set(waiting_until_ms=None)


def stake_expired(d: BetDraft, *, with_return: bool) -> None:
    """Expire the stake without an outcome. `with_return`: info could not tell whether it was taken, so it is returned."""
    bet, now = d.subject, d.terms.now_ms
    d.pay(PaymentKind.STAKE, PaymentEvent.EXPIRE)
    move(d, BetEvent.STAKE_EXPIRED)
    d.set(waiting_until_ms=None, pay_in_answer=Refusal.CONFLICT.value)
    later = d.terms.waits.next_info_ms(bet.created_ms, now, late=True)
    if later is not None:
        d.call_later(PaymentKind.STAKE.value, Step.INFO, later, failures=0)
    if with_return:
        owe_return(d)


def payout_accepted(d: BetDraft) -> None:
    """Book the payout as paid. If the bet is being reversed, take the payout back now."""
    bet = d.subject
    payout = d.payments[PaymentKind.PAYOUT]
    d.book(ledger.owed(bet.casino_id), ledger.wallets(bet.casino_id), payout.amount, why="paid")
    if bet.state is BetState.UNDOING and PaymentKind.PAYOUT_RETURN not in d.payments:
        owe(d, PaymentKind.PAYOUT_RETURN, payout.amount, tax=payout.tax)
    if bet.state is BetState.RETURNED:
        owe_return(d)


def jackpot_accepted(d: BetDraft) -> None:
    """Book a jackpot win as paid."""
    bet = d.subject
    amount = d.payments[PaymentKind.JACKPOT].amount
    d.book(ledger.owed(bet.casino_id), ledger.wallets(bet.casino_id), amount, why="paid")


def return_accepted(d: BetDraft) -> None:
    """Book the stake as returned."""
    bet = d.subject
    source = ledger.owed(bet.casino_id) if bet.was_on else ledger.suspense(bet.casino_id)
    d.book(source, ledger.wallets(bet.casino_id), bet.stake, why="returned")
    report_unexplained_return(d)


def report_unexplained_return(d: BetDraft) -> None:
    """Raise an incident for a return whose stake was never confirmed and is not queried any more (I7)."""
    taken = {kind for kind, payment in d.payments.items() if payment.state is PaymentState.ACCEPTED}
    asked_after = PaymentKind.STAKE.value in d.calls
    if PaymentKind.BET_RETURN in taken and PaymentKind.STAKE not in taken and not asked_after:
        d.incident("unexplained_return", "the casino took the return of a stake that it never confirmed")


def payout_return_accepted(d: BetDraft) -> None:
    """Book the payout as taken back; now the stake is owed."""
    bet = d.subject
    ggr = ledger.ggr(bet.casino_id, bet.provider_id)
    d.book(ledger.wallets(bet.casino_id), ggr, d.payments[PaymentKind.PAYOUT_RETURN].amount, why="taken_back")
    d.book(ggr, ledger.owed(bet.casino_id), bet.stake, why="return_decided")
    move(d, BetEvent.PAYOUT_TAKEN_BACK)
    d.set(ended_ms=d.terms.now_ms)
    owe_return(d)


def payout_return_refused(d: BetDraft, no: No) -> None:
    """Keep the bet settled and raise an incident; the provider's refund stays answered with success (money.md 2.6)."""
    move(d, BetEvent.PAYOUT_KEPT)
    d.incident("payout_kept", f"the casino refused to take the payout back: {no.code} {no.message}")


def given_up(d: BetDraft, kind: PaymentKind) -> None:
    """Correct the ledger for an owed payment that a person gave up."""
    bet = d.subject
    if kind is PaymentKind.BET_RETURN and not bet.was_on:
        return
    d.book(ledger.owed(bet.casino_id), _giver(d, kind), d.payments[kind].amount, why="correction")
    if bet.state is BetState.UNDOING:
        # Nothing was paid, so nothing is taken back: only the stake is owed now.
        ggr = ledger.ggr(bet.casino_id, bet.provider_id)
        d.book(ggr, ledger.owed(bet.casino_id), bet.stake, why="return_decided")
        move(d, BetEvent.PAYOUT_TAKEN_BACK)
    if d.subject.state is BetState.RETURNED and kind is not PaymentKind.BET_RETURN:
        owe_return(d)


def owe_again(d: BetDraft, kind: PaymentKind) -> None:
    """Owe a payment again that a person gave up and the casino then accepted."""
    bet = d.subject
    if kind is PaymentKind.BET_RETURN and not bet.was_on:
        return
    d.book(_giver(d, kind), ledger.owed(bet.casino_id), d.payments[kind].amount, why="correction")
    d.incident("paid_after_giving_up", f"the {kind.value} that was given up was accepted after all")


def _giver(d: BetDraft, kind: PaymentKind) -> str:
    """Return the account that an owed payment comes from."""
    bet = d.subject
    if kind is PaymentKind.JACKPOT:
        return jackpot_account(bet)
    return ledger.ggr(bet.casino_id, bet.provider_id)


def jackpot_account(bet: Bet) -> str:
    """Return the account that a jackpot win comes from: a pot of the hub, or the provider's own."""
    pot_id = pot_of(bet.bet_ref)
    return ledger.jackpot(str(bet.provider_id) if pot_id is None else f"pot-{pot_id}")


def close_if_done(d: BetDraft) -> None:
    """Schedule the close once every payment of an ended bet has its outcome (money.md 3.9)."""
    bet = d.subject
    ended = bet.state in ENDED
    open_still = bet.closing in (Closing.OPEN, Closing.REOPENED)
    if not (ended and open_still and d.terms.casino.close):
        return
    states = {p.state for p in d.payments.values()}
    if PaymentState.ACCEPTED in states and not states & {
        PaymentState.CREATED,
        PaymentState.SENT,
        PaymentState.PARKED,
    }:
        d.set(closing=Closing.CLOSING)
        d.call_now(SLOT_CLOSE, Step.CLOSE)
