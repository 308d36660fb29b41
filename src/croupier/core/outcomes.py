"""What the casino says of a payment, believed or not, and the next try of what is not ended by it.

Theory. A stake ends on a yes or a no. Money we owe ends on a yes only: a no is "not yet". Money we take back
ends on a yes or on a no of the table. A contradiction changes no money and calls for a person. What was not
understood is never read as a no.

Owns: those rules for every payment kind, the schedule of tries, the parking. Never: reads an answer to a call of
ours (pursuit), says what a yes means for the bet (effects). Spec: casino.md 1.1, money.md 2 and 3.6 to 3.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from croupier.core import cashback_effects, effects
from croupier.core.bet import Bet, BetState, Closing
from croupier.core.cashback import CashbackState
from croupier.core.counterparty import LateAccept
from croupier.core.draft import Draft
from croupier.core.money import same_amount
from croupier.core.payment import GIVES, Payment, PaymentEvent, PaymentState, Step
from croupier.core.readings import Contents, Exists, No, Outcome, PaymentKind
from croupier.core.refusals import CasinoNo

AnyDraft = Draft[Any]


class Verdict(Enum):
    """What the casino is answered to an accept."""

    OK = "ok"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class _Effect:
    accepted: Callable[[AnyDraft], None]
    refused: Callable[[AnyDraft, No], None] | None
    """None where a no is "not yet"."""
    taken_up_again: Callable[[AnyDraft], None] | None = None


def _bet_again(kind: PaymentKind) -> Callable[[AnyDraft], None]:
    return lambda d: effects.taken_up_again(d, kind)


_EFFECTS: dict[PaymentKind, _Effect] = {
    PaymentKind.STAKE: _Effect(effects.stake_accepted, effects.stake_refused),
    PaymentKind.PAYOUT: _Effect(effects.payout_accepted, None, _bet_again(PaymentKind.PAYOUT)),
    PaymentKind.BET_RETURN: _Effect(effects.return_accepted, None, _bet_again(PaymentKind.BET_RETURN)),
    PaymentKind.PAYOUT_RETURN: _Effect(effects.payout_return_accepted, effects.payout_return_refused),
    PaymentKind.JACKPOT: _Effect(effects.jackpot_accepted, None, _bet_again(PaymentKind.JACKPOT)),
    PaymentKind.CASHBACK: _Effect(cashback_effects.paid, None, cashback_effects.taken_up_again),
    PaymentKind.CASHBACK_CANCEL: _Effect(cashback_effects.cancel_accepted, cashback_effects.cancel_refused),
}


# --- an outcome: an accept, an inline acknowledgement, or what info showed ------------------------------


def heard(d: AnyDraft, kind: PaymentKind, outcome: Outcome) -> Verdict:
    """Take in an outcome of the payment; the verdict is what an accept is answered."""
    payment = d.payments.get(kind)
    if payment is None:
        return Verdict.CONFLICT
    d.note(heard=type(outcome).__name__, kind=kind.value)
    if isinstance(outcome, No):
        verdict = _heard_no(d, payment, outcome)
    elif isinstance(outcome, Exists):
        verdict = _heard_exists(d, payment, outcome.contents)
    else:
        verdict = heard_yes(d, payment, outcome.contents)
    close_if_done(d)
    return verdict


def differences(d: AnyDraft, payment: Payment, said: Contents) -> list[str]:
    """Which facts the casino states otherwise than we asked (casino.md 1.1; amounts compare as numbers)."""
    currency = d.subject.currency
    found = []
    if said.subject_id not in (None, payment.subject_id):
        found.append("id")
    if said.player_ref != d.subject.player_ref:
        found.append("player")
    if said.kind not in (None, payment.kind):
        found.append("type")
    if not same_amount(said.amount, payment.amount, currency):
        found.append("amount")
    if not same_amount(said.tax or "0", payment.tax or 0, currency):
        found.append("tax")
    return found


def heard_yes(d: AnyDraft, payment: Payment, said: Contents) -> Verdict:
    """A success, told by an accept, an inline answer or an info list."""
    wrong = differences(d, payment, said)
    if wrong:
        return _conflict(d, payment, f"accepted with another {', '.join(wrong)}")
    if payment.state is PaymentState.ACCEPTED:
        if payment.partner_tx is None:
            # A person took it as accepted, or its cancel showed it. Now the casino says so itself, and names it once.
            d.payments[payment.kind] = replace(payment, partner_tx=said.partner_tx)
            return Verdict.OK
        if payment.partner_tx == said.partner_tx:
            return Verdict.OK
        return _conflict(d, payment, f"accepted twice: {payment.partner_tx} and {said.partner_tx}")
    if not takes_late_yes(d, payment):
        return _conflict(d, payment, "accepted after the stake had ended; this casino undoes it itself")
    _accept(d, payment, said)
    return Verdict.OK


def takes_late_yes(d: AnyDraft, payment: Payment) -> bool:
    """Whether a success for an ended stake is taken in and returned (money.md 3.6)."""
    if payment.kind is not PaymentKind.STAKE or payment.undecided or payment.state is PaymentState.PARKED:
        return True
    wanted_back = PaymentKind.BET_RETURN in d.payments or d.subject.state is BetState.CANCELLED
    return d.terms.casino.late_accept is LateAccept.RETURN or wanted_back


def _accept(d: AnyDraft, payment: Payment, said: Contents) -> None:
    effect = _EFFECTS[payment.kind]
    given_up_before = payment.state is PaymentState.REFUSED
    d.pay(payment.kind, PaymentEvent.ACCEPT, partner_tx=said.partner_tx)
    if given_up_before and effect.taken_up_again is not None:
        effect.taken_up_again(d)
    effect.accepted(d)


def _heard_exists(d: AnyDraft, payment: Payment, said: Contents | None) -> Verdict:
    if said is None:
        if payment.undecided:
            _exists_bare(d, payment)
        return Verdict.OK
    wrong = differences(d, payment, said)
    if not wrong:
        return heard_yes(d, payment, said)
    if payment.undecided:
        park(d, payment.kind, f"the casino has it with another {', '.join(wrong)}")
        return Verdict.CONFLICT
    return _conflict(d, payment, f"exists with another {', '.join(wrong)}")


def _exists_bare(d: AnyDraft, payment: Payment) -> None:
    """It exists, with contents not told: info decides. A cashback knows no info, and a repeat is harmless."""
    d.pay(payment.kind, PaymentEvent.SEND)
    if isinstance(d.subject, Bet):
        d.call_later(payment.kind.value, Step.INFO, d.terms.now_ms)
    else:
        again(d, payment.kind, Step.MAKE)


def _heard_no(d: AnyDraft, payment: Payment, no: No) -> Verdict:
    if payment.state is PaymentState.ACCEPTED:
        return _conflict(d, payment, f"refused after it was accepted: {no.code} {no.message}")
    if not payment.undecided:
        return Verdict.OK
    refused = _EFFECTS[payment.kind].refused
    d.keep_words(payment.kind, no)
    if refused is not None:
        d.pay(payment.kind, PaymentEvent.REFUSE)
        refused(d, no)
    else:
        _not_yet(d, payment, no)
    return Verdict.OK


def _not_yet(d: AnyDraft, payment: Payment, no: No) -> None:
    """A no to money we owe: try again, unless it proves that there is nothing to give back."""
    kind = payment.kind
    if kind is PaymentKind.CASHBACK and d.subject.state is CashbackState.CANCEL_WANTED:
        d.pay(kind, PaymentEvent.REFUSE)
        cashback_effects.refused_for_good(d)
    elif unconfirmed_return(d, kind) and no.reason is CasinoNo.BET_UNKNOWN:
        d.pay(kind, PaymentEvent.REFUSE)
    elif unconfirmed_return(d, kind):
        again(d, kind, Step.INFO)
    else:
        again(d, kind, make_step(d))


def unconfirmed_return(d: AnyDraft, kind: PaymentKind) -> bool:
    """Whether it is the return of a stake that the casino never confirmed."""
    # The draft's payments, not the subject's: the same decision may just have confirmed it.
    unconfirmed = kind is PaymentKind.BET_RETURN and not d.subject.was_on
    return unconfirmed and d.payments[PaymentKind.STAKE].state is not PaymentState.ACCEPTED


def _conflict(d: AnyDraft, payment: Payment, note: str) -> Verdict:
    d.incident("contradiction", f"{payment.kind.value}: {note}")
    return Verdict.CONFLICT


def make_step(d: AnyDraft) -> Step:
    """A payment on a bet that had been closed asks for the reopening again before each new try."""
    reopened = isinstance(d.subject, Bet) and d.subject.closing is not Closing.OPEN
    return Step.REOPEN if reopened else Step.MAKE


def again(d: AnyDraft, kind: PaymentKind, step: Step) -> None:
    """One more failure of something pursued: next try by the schedule, or a person."""
    terms, payment = d.terms, d.payments[kind]
    call = d.calls[kind.value]
    failures = call.failures + 1
    due = terms.waits.retry_ms(created_ms=payment.created_ms, now_ms=terms.now_ms, failures=failures, luck=terms.luck)
    if failures == terms.waits.incident_after:
        d.incident("not_accepted", f"{kind.value} failed {failures} times; last: {payment.message or 'no answer'}")
    if due is None:
        park(d, kind, "the schedule is used up")
        return
    d.call_later(kind.value, step, due, failures=failures, acked=False)


def park(d: AnyDraft, kind: PaymentKind, why: str) -> None:
    """A person must look. Whoever waits for a stake is told so now: nobody waits for what comes later."""
    d.pay(kind, PaymentEvent.PARK)
    if kind is PaymentKind.STAKE:
        d.set(waiting_until_ms=None)
    d.incident("parked", f"{kind.value}: {why}")


def close_if_done(d: AnyDraft) -> None:
    """After an outcome: a bet whose last payment this was is closed."""
    if isinstance(d.subject, Bet):
        effects.close_if_done(d)


assert frozenset(k for k, e in _EFFECTS.items() if e.refused is None) == GIVES
