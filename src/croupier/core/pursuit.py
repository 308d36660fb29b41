"""What the casino said, believed or not: accepts, answers to makes, info lists, closes.

Theory. A stake ends on a yes or a no; without either it is asked after (`info`) and in the end expires. Money
we owe ends on a yes only: a no is "not yet". Money we take back ends on a yes or on a no of the table. A
contradiction changes no money and calls for a person. What was not understood is never read as a no.

Owns: those rules for every payment kind, and the next action after each. Never: what a yes means for the
bet (effects). Spec: casino.md 1.1 and 2.1, money.md 2 and 3.6 to 3.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from croupier.core import cashback_effects, effects
from croupier.core.bet import Bet, BetEvent, BetState, Closing
from croupier.core.cashback import CashbackState
from croupier.core.counterparty import LateAccept
from croupier.core.draft import Draft
from croupier.core.money import same_amount
from croupier.core.payment import (
    GIVES,
    SLOT_CLOSE,
    Payment,
    PaymentEvent,
    PaymentState,
    Step,
)
from croupier.core.readings import (
    Acknowledgement,
    CloseDone,
    CloseReading,
    Contents,
    Exists,
    InfoList,
    InfoReading,
    No,
    Outcome,
    PaymentKind,
    Received,
    Unknown,
)
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
        verdict = _heard_yes(d, payment, outcome.contents)
    _after(d)
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


def _heard_yes(d: AnyDraft, payment: Payment, said: Contents) -> Verdict:
    wrong = differences(d, payment, said)
    if wrong:
        return _conflict(d, payment, f"accepted with another {', '.join(wrong)}")
    if payment.state is PaymentState.ACCEPTED:
        if payment.partner_tx == said.partner_tx:
            return Verdict.OK
        return _conflict(d, payment, f"accepted twice: {payment.partner_tx} and {said.partner_tx}")
    if not _takes_late_yes(d, payment):
        return _conflict(d, payment, "accepted after the stake had ended; this casino undoes it itself")
    _accept(d, payment, said)
    return Verdict.OK


def _takes_late_yes(d: AnyDraft, payment: Payment) -> bool:
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
        return _heard_yes(d, payment, said)
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
    elif _unconfirmed_return(d, kind) and no.reason is CasinoNo.BET_UNKNOWN:
        d.pay(kind, PaymentEvent.REFUSE)
    elif _unconfirmed_return(d, kind):
        again(d, kind, Step.INFO)
    else:
        again(d, kind, make_step(d))


def _unconfirmed_return(d: AnyDraft, kind: PaymentKind) -> bool:
    return kind is PaymentKind.BET_RETURN and not d.subject.was_on and not d.subject.stake_confirmed


def _conflict(d: AnyDraft, payment: Payment, note: str) -> Verdict:
    d.incident("contradiction", f"{payment.kind.value}: {note}")
    return Verdict.CONFLICT


# --- an answer to a call of ours -----------------------------------------------------------------------


def made(d: AnyDraft, kind: PaymentKind, reading: Acknowledgement) -> None:
    """The answer to a make (casino.md 2.1)."""
    payment = d.payments[kind]
    if not payment.undecided and payment.state is not PaymentState.PARKED:
        return
    if isinstance(reading, Received | Unknown):
        if payment.undecided:
            _sent(d, payment, reading)
        else:
            d.drop_call(kind.value)
        return
    verdict = heard(d, kind, reading)
    payment = d.payments[kind]
    if payment.state is PaymentState.PARKED:
        d.drop_call(kind.value)
    elif payment.undecided and verdict is Verdict.CONFLICT:
        _sent(d, payment, Unknown("it contradicts the make"))


def _sent(d: AnyDraft, payment: Payment, reading: Received | Unknown) -> None:
    kind, acked = payment.kind, isinstance(reading, Received)
    d.note(made=reading.why if isinstance(reading, Unknown) else "received")
    d.pay(kind, PaymentEvent.SEND, reason=None)
    if kind is PaymentKind.STAKE:
        _plan_stake(d, acked=acked)
    elif acked:
        due = d.terms.waits.after_ms(d.terms.now_ms, d.terms.waits.accept_wait_s)
        d.call_later(kind.value, Step.MAKE, due, acked=True)
    else:
        again(d, kind, make_step(d))


def _plan_stake(d: AnyDraft, *, acked: bool) -> None:
    """Send again while nothing was acknowledged and the hold time lasts; then ask by info."""
    terms, slot = d.terms, PaymentKind.STAKE.value
    payment, call = d.payments[PaymentKind.STAKE], d.calls[slot]
    acked = acked or call.acked
    failures = call.failures + (0 if acked else 1)
    retry = terms.waits.retry_ms(created_ms=payment.created_ms, now_ms=terms.now_ms, failures=failures, luck=terms.luck)
    hold_end = terms.waits.after_ms(payment.created_ms, terms.hold_s)
    if not acked and retry is not None and retry < hold_end:
        d.call_later(slot, Step.MAKE, retry, failures=failures)
        return
    due = terms.waits.next_info_ms(payment.created_ms, terms.now_ms, late=False) or terms.now_ms
    d.call_later(slot, Step.INFO, due, failures=failures, acked=acked)


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
    """A person must look."""
    d.pay(kind, PaymentEvent.PARK)
    d.incident("parked", f"{kind.value}: {why}")


# --- info -----------------------------------------------------------------------------------------------


def informed(d: AnyDraft, kind: PaymentKind, reading: InfoReading) -> None:
    """The answer to a question after a payment (money.md 2)."""
    if kind is not PaymentKind.STAKE:
        _stake_seen(d, reading)
    payment = d.payments[kind]
    if payment.state is PaymentState.PARKED:
        _parked_informed(d, payment, reading)
    elif kind is PaymentKind.STAKE:
        _stake_informed(d, payment, reading)
    elif payment.undecided:
        _give_informed(d, payment, reading)
    _after(d)


def _parked_informed(d: AnyDraft, payment: Payment, reading: InfoReading) -> None:
    """A person asked once more: a success ends it, anything else leaves it to the person."""
    found = _usable(d, reading)
    seen = None if found is None else _find(found, payment.kind)
    if seen is not None and not differences(d, payment, seen):
        _heard_yes(d, payment, seen)
    else:
        d.drop_call(payment.kind.value)


def _stake_seen(d: AnyDraft, reading: InfoReading) -> None:
    """A list asked for another payment may show the stake of an ended bet: a late accept."""
    stake = d.payments.get(PaymentKind.STAKE)
    if stake is None or stake.state is not PaymentState.EXPIRED:
        return
    found = _usable(d, reading)
    seen = None if found is None else _find(found, PaymentKind.STAKE)
    if seen is not None and not differences(d, stake, seen):
        _heard_yes(d, stake, seen)


def _find(reading: InfoList, kind: PaymentKind) -> Contents | None:
    return next((p for p in reading.payments if p.kind is kind), None)


def _stake_informed(d: AnyDraft, payment: Payment, reading: InfoReading) -> None:
    if payment.state is PaymentState.ACCEPTED:
        return
    found = _usable(d, reading)
    seen = None if found is None else _find(found, PaymentKind.STAKE)
    d.note(info="unusable" if found is None else "there" if seen else "not there")
    if seen is not None:
        _stake_there(d, payment, seen)
    elif payment.undecided:
        _stake_missing(d, payment, usable=found is not None)
    else:
        _ask_later(d, late=True)


def _usable(d: AnyDraft, reading: InfoReading) -> InfoList | None:
    """None for an answer that says nothing; so does a list with a return that we never sent."""
    if not isinstance(reading, InfoList):
        return None
    foreign = _find(reading, PaymentKind.BET_RETURN) is not None
    if foreign and PaymentKind.BET_RETURN not in d.payments:
        d.incident("foreign_return", "the casino shows a return that the hub never sent")
        return None
    return reading


def _stake_there(d: AnyDraft, payment: Payment, seen: Contents) -> None:
    wrong = differences(d, payment, seen)
    if wrong and payment.undecided:
        park(d, payment.kind, f"the casino has it with another {', '.join(wrong)}")
    elif wrong or _heard_yes(d, payment, seen) is Verdict.CONFLICT:
        d.incident("contradiction", f"stake: info shows it with another {', '.join(wrong) or 'end'}")
        _ask_later(d, late=True)


def _stake_missing(d: AnyDraft, payment: Payment, *, usable: bool) -> None:
    waits, now = d.terms.waits, d.terms.now_ms
    if usable and waits.not_there_proves(payment.created_ms, now, d.terms.hold_s):
        effects.stake_expired(d, with_return=False)
    elif not usable and waits.last_info_reached(payment.created_ms, now):
        if d.terms.casino.late_accept is LateAccept.RETURN or d.subject.state is BetState.UNWANTED:
            effects.stake_expired(d, with_return=True)
        else:
            again(d, payment.kind, Step.INFO)
    else:
        _ask_later(d, late=False)


def _ask_later(d: AnyDraft, *, late: bool) -> None:
    slot, payment = PaymentKind.STAKE.value, d.payments[PaymentKind.STAKE]
    due = d.terms.waits.next_info_ms(payment.created_ms, d.terms.now_ms, late=late)
    if due is not None:
        d.call_later(slot, Step.INFO, due)
    elif late:
        d.drop_call(slot)
    else:
        again(d, PaymentKind.STAKE, Step.INFO)


def _give_informed(d: AnyDraft, payment: Payment, reading: InfoReading) -> None:
    kind = payment.kind
    if not isinstance(reading, InfoList):
        again(d, kind, Step.INFO)
        return
    seen = _find(reading, kind)
    if seen is None:
        _give_missing(d, kind)
    elif differences(d, payment, seen):
        park(d, kind, "the casino has it with other contents")
    else:
        _heard_yes(d, payment, seen)


def _give_missing(d: AnyDraft, kind: PaymentKind) -> None:
    """Not booked. A return of a stake nobody ever saw, refused and not there: nothing to give back."""
    if _unconfirmed_return(d, kind) and d.payments[kind].reason is not None:
        d.pay(kind, PaymentEvent.REFUSE)
    else:
        again(d, kind, make_step(d))


# --- close and reopen -----------------------------------------------------------------------------------


def closed(d: AnyDraft, slot: str, reading: CloseReading) -> None:
    """The answer to a close, or to the reopening that a payment waits for."""
    if isinstance(reading, CloseDone):
        _close_done(d, slot)
        return
    d.note(close=reading.why)
    if slot == SLOT_CLOSE:
        _close_again(d)
    elif d.payments[PaymentKind(slot)].undecided:
        again(d, PaymentKind(slot), Step.REOPEN)
    else:
        d.drop_call(slot)


def _close_done(d: AnyDraft, slot: str) -> None:
    if slot == SLOT_CLOSE:
        d.set(closing=Closing.CLOSED)
        d.drop_call(slot)
    else:
        d.set(closing=Closing.REOPENED)
        d.call_now(slot, Step.MAKE)


def _close_again(d: AnyDraft) -> None:
    terms, call = d.terms, d.calls[SLOT_CLOSE]
    failures = call.failures + 1
    due = terms.waits.retry_ms(
        created_ms=d.subject.ended_ms or d.subject.created_ms,
        now_ms=terms.now_ms,
        failures=failures,
        luck=terms.luck,
    )
    if failures == terms.waits.incident_after:
        d.incident("not_closed", f"close failed {failures} times")
    if due is None:
        d.incident("close_given_up", "the close was never confirmed")
        d.drop_call(SLOT_CLOSE)
        return
    d.call_later(SLOT_CLOSE, Step.CLOSE, due, failures=failures)


# --- what is due -----------------------------------------------------------------------------------------


def taken_up(d: AnyDraft, slot: str) -> Step | None:
    """A due call is taken up: what to do now, or None where the decision itself is the deed.

    A stake whose hold time is over is not sent again, it is asked after. A call that crashed its process
    five times is parked (money.md 4, "a poisoned call").
    """
    call = d.calls[slot]
    if call.crashes >= POISON_AFTER:
        _quarantine(d, slot)
        return None
    if call.step is Step.CLAIM_DUE:
        effects.give_back(d, BetEvent.CLAIM_OVER)
        return None
    if slot == PaymentKind.STAKE.value and call.step is Step.MAKE:
        payment = d.payments[PaymentKind.STAKE]
        hold_end = d.terms.waits.after_ms(payment.created_ms, d.terms.hold_s)
        if payment.undecided and (call.acked or d.terms.now_ms >= hold_end):
            d.pay(payment.kind, PaymentEvent.SEND)
            _ask_stake(d, payment)
            return None
    return call.step


POISON_AFTER = 5


def _ask_stake(d: AnyDraft, payment: Payment) -> None:
    due = d.terms.waits.next_info_ms(payment.created_ms, d.terms.now_ms, late=False)
    d.call_later(PaymentKind.STAKE.value, Step.INFO, due or d.terms.now_ms)


def _quarantine(d: AnyDraft, slot: str) -> None:
    if slot in {k.value for k in PaymentKind} and d.payments[PaymentKind(slot)].undecided:
        park(d, PaymentKind(slot), "its call ended five processes")
        return
    d.incident("poisoned_call", f"the {slot} call ended five processes")
    d.drop_call(slot)


def _after(d: AnyDraft) -> None:
    if isinstance(d.subject, Bet):
        effects.close_if_done(d)


assert frozenset(k for k, e in _EFFECTS.items() if e.refused is None) == GIVES
