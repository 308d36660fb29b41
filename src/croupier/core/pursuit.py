"""Answers to the hub's own calls, and calls that are due: makes, info lists, closes, lease of a due call.

A stake without an outcome is queried by `info` and expires in the end. Money the hub owes or takes back is retried by
the schedule. An outcome inside an answer is judged in `outcomes`, like an accept.

Owns: the next action after each answer. Never: the effect of a yes on a bet (effects).
Spec: casino.md 2.1, money.md 2, 3.6 and 3.9.
"""

from __future__ import annotations

from croupier.core import cashback_effects, effects
from croupier.core.bet import BetEvent, BetState, Closing
from croupier.core.counterparty import LateAccept
from croupier.core.outcomes import (
    AnyDraft,
    accepts_late_success,
    apply_outcome,
    apply_success,
    close_if_done,
    describe_differences,
    differences,
    line_of,
    lines_of,
    make_step,
    park,
    query_stake,
    record_contradiction,
    remember,
    retry_later,
    unconfirmed_return,
)
from croupier.core.payment import SLOT_CLOSE, Payment, PaymentEvent, PaymentState, Step
from croupier.core.readings import (
    Acknowledgement,
    CloseDone,
    CloseReading,
    Contents,
    InfoList,
    InfoReading,
    No,
    PaymentKind,
    Received,
    Unknown,
    Yes,
)
from croupier.core.refusals import CasinoNo
from croupier.core.remembered import Verdict, verdict_on

__all__ = [
    "Verdict",
    "apply_close_answer",
    "apply_info_answer",
    "apply_make_answer",
    "apply_outcome",
    "apply_stale_answer",
    "differences",
    "make_step",
    "park",
    "step_when_due",
]

# --- answers to makes ----------------------------------------------------------------------------------


def apply_make_answer(d: AnyDraft, kind: PaymentKind, reading: Acknowledgement) -> None:
    """Apply the answer to a make (casino.md 2.1)."""
    payment = d.payments[kind]
    if not payment.undecided and payment.state is not PaymentState.PARKED:
        return
    call = d.calls.get(kind.value)
    if call is not None and call.acked:
        # An earlier attempt was acknowledged and had no outcome: this answer may not be about that attempt.
        d.mark_unanswered(kind)
    if _unreadable(reading) and kind in _ENDED_BY_NO:
        # An earlier attempt may be booked: a repeat that the casino could not read is no answer to it.
        reading = Unknown("refused unread")
    if isinstance(reading, Received | Unknown):
        if payment.undecided:
            _sent(d, payment, reading)
        else:
            d.drop_call(kind.value)
        return
    verdict = apply_outcome(d, kind, reading, answers_try=True)
    payment = d.payments[kind]
    if payment.state is PaymentState.PARKED:
        d.drop_call(kind.value)
    elif _refused_unreadable(payment, reading):
        _query_later(d, late=True)
    elif kind is PaymentKind.CASHBACK and payment.state is PaymentState.REFUSED:
        cashback_effects.send_safety_cancel(d)
    elif payment.undecided and verdict is Verdict.CONFLICT:
        _sent(d, payment, Unknown("it contradicts the make"))


def apply_stale_answer(d: AnyDraft, kind: PaymentKind, reading: Acknowledgement | InfoReading) -> None:
    """Apply a late answer to a call whose lease was lost: its outcome counts like an accept.

    The next step is fenced: the process that holds the lease now plans it.
    """
    if isinstance(reading, InfoList):
        _apply_stale_list(d, kind, reading)
    elif not isinstance(reading, Received | Unknown):
        apply_outcome(d, kind, reading)


def _apply_stale_list(d: AnyDraft, kind: PaymentKind, reading: InfoList) -> None:
    """Accept the payments listed. A missing one proves nothing, because the query may be an old one."""
    found = _usable(d, reading)
    for asked in dict.fromkeys((kind, PaymentKind.STAKE)):
        payment = d.payments.get(asked)
        seen = None if payment is None or found is None else line_of(d, payment, found)
        if payment is None or seen is None or payment.state is PaymentState.ACCEPTED or differences(d, payment, seen):
            continue
        if accepts_late_success(d, payment):
            apply_success(d, payment, seen)
    close_if_done(d)


_ENDED_BY_NO = frozenset({PaymentKind.PAYOUT_RETURN, PaymentKind.CASHBACK, PaymentKind.CASHBACK_CANCEL})
"""Payments that a no may end and that are retried: see decision 0012."""


def _unreadable(reading: Acknowledgement) -> bool:
    """Return whether the casino could not read the call, for example because of a wrong clock (103753)."""
    return isinstance(reading, No) and reading.reason is CasinoNo.WRONG_DATA


def _refused_unreadable(payment: Payment, reading: Acknowledgement) -> bool:
    """Return whether a stake was refused because the call could not be read.

    A copy of the call may still be read and booked, and its answer would reach no request. The no stands, and info is
    queried at the times of an expired stake; a stake listed then is a late accept (money.md 3.6).
    """
    return payment.kind is PaymentKind.STAKE and payment.state is PaymentState.REFUSED and _unreadable(reading)


def _sent(d: AnyDraft, payment: Payment, reading: Received | Unknown) -> None:
    kind, acked = payment.kind, isinstance(reading, Received)
    d.note(made=reading.why if isinstance(reading, Unknown) else "received")
    d.pay(kind, PaymentEvent.SEND)
    if not acked:
        d.pay(kind, PaymentEvent.SEND, reason=None)
    if isinstance(reading, Unknown) and reading.sent:
        d.mark_unanswered(kind)
    if kind is PaymentKind.STAKE:
        _plan_stake(d, acked=acked)
    elif acked:
        _wait_for_accept(d, kind)
    else:
        retry_later(d, kind, make_step(d), why=reading.why if isinstance(reading, Unknown) else None)


def _wait_for_accept(d: AnyDraft, kind: PaymentKind) -> None:
    """Wait for the accept of an acknowledged payment. An accept missing since the earlier attempt counts as a failure."""
    due = d.terms.waits.after_ms(d.terms.now_ms, d.terms.waits.accept_wait_s)
    if d.calls[kind.value].acked:
        retry_later(d, kind, Step.MAKE)
        if not d.payments[kind].undecided:
            return
        due = max(due, d.calls[kind.value].due_ms)
    d.call_later(kind.value, Step.MAKE, due, acked=True)


def _plan_stake(d: AnyDraft, *, acked: bool) -> None:
    """Retry the stake while it is unacknowledged, within the hold time and wanted; otherwise query info."""
    terms, slot = d.terms, PaymentKind.STAKE.value
    payment, failures = d.payments[PaymentKind.STAKE], d.calls[slot].failures + 1
    retry = terms.waits.retry_ms(created_ms=payment.created_ms, now_ms=terms.now_ms, failures=failures, luck=terms.luck)
    hold_end = terms.waits.after_ms(payment.created_ms, terms.hold_s)
    wanted = d.subject.state is BetState.ASKED
    if wanted and not acked and retry is not None and retry < hold_end:
        d.call_later(slot, Step.MAKE, retry, failures=failures)
    else:
        query_stake(d)


# --- info -----------------------------------------------------------------------------------------------


def apply_info_answer(d: AnyDraft, kind: PaymentKind, reading: InfoReading, *, asked_ms: int) -> None:
    """Apply the answer to an info query that left at `asked_ms`: the list may be as old as that (money.md 2.4)."""
    if kind is not PaymentKind.STAKE:
        _stake_seen(d, reading)
    payment = d.payments[kind]
    if payment.state is PaymentState.PARKED:
        _parked_informed(d, payment, reading)
    elif kind is PaymentKind.STAKE:
        _stake_informed(d, payment, reading, asked_ms=asked_ms)
    elif payment.undecided:
        _give_informed(d, payment, reading)
    close_if_done(d)


def _parked_informed(d: AnyDraft, payment: Payment, reading: InfoReading) -> None:
    """Apply a query made for a person: a success ends the payment, anything else leaves it parked."""
    found = _usable(d, reading)
    seen = None if found is None else line_of(d, payment, found)
    if seen is not None and not differences(d, payment, seen):
        apply_success(d, payment, seen)
    else:
        d.drop_call(payment.kind.value)


def _stake_seen(d: AnyDraft, reading: InfoReading) -> None:
    """Apply a late accept: a list queried for another payment may show the stake of an ended bet."""
    stake = d.payments.get(PaymentKind.STAKE)
    if stake is None or stake.state not in (PaymentState.EXPIRED, PaymentState.REFUSED):
        return
    found = _usable(d, reading)
    seen = None if found is None else line_of(d, stake, found)
    if seen is not None and not differences(d, stake, seen):
        apply_success(d, stake, seen)


def _stake_informed(d: AnyDraft, payment: Payment, reading: InfoReading, *, asked_ms: int) -> None:
    if payment.state is PaymentState.ACCEPTED:
        return
    found = _usable(d, reading)
    seen = None if found is None else line_of(d, payment, found)
    d.note(info="unusable" if found is None else "there" if seen else "not there")
    if seen is not None:
        _stake_listed(d, payment, seen)
    elif payment.undecided:
        _stake_not_listed(d, payment, usable=found is not None, asked_ms=asked_ms)
    else:
        _query_later(d, late=True)


def _usable(d: AnyDraft, reading: InfoReading) -> InfoList | None:
    """Return the list, or None if it proves nothing, as one with a return that the hub never sent."""
    if not isinstance(reading, InfoList):
        return None
    foreign = lines_of(reading, PaymentKind.BET_RETURN)
    if foreign and PaymentKind.BET_RETURN not in d.payments:
        _foreign_return(d, foreign[0])
        return None
    return reading


def _foreign_return(d: AnyDraft, foreign: Contents) -> None:
    """Raise an incident for a listed return that the hub never sent, once."""
    stake = d.payments.get(PaymentKind.STAKE)
    if stake is not None and verdict_on(stake, Yes(foreign), d.subject.currency) is not None:
        return
    d.incident("foreign_return", "the casino shows a return that the hub never sent")
    if stake is not None:
        remember(d, PaymentKind.STAKE, Yes(foreign), verdict=Verdict.CONFLICT)


def _stake_listed(d: AnyDraft, payment: Payment, seen: Contents) -> None:
    wrong = differences(d, payment, seen)
    if wrong and payment.undecided:
        park(d, payment.kind, f"the casino has it with another {describe_differences(d, payment, seen)}")
    elif wrong:
        record_contradiction(
            d, payment, Yes(seen), note=f"info shows it with another {describe_differences(d, payment, seen)}"
        )
        _query_later(d, late=True)
    elif apply_success(d, payment, seen) is Verdict.CONFLICT:
        _query_later(d, late=True)


def _stake_not_listed(d: AnyDraft, payment: Payment, *, usable: bool, asked_ms: int) -> None:
    waits = d.terms.waits
    if usable and waits.not_there_proves(payment.created_ms, asked_ms, d.terms.hold_s):
        effects.stake_expired(d, with_return=False)
    elif not usable and waits.last_info_reached(payment.created_ms, asked_ms):
        if d.terms.casino.late_accept is LateAccept.RETURN or d.subject.state is BetState.UNWANTED:
            effects.stake_expired(d, with_return=True)
        else:
            retry_later(d, payment.kind, Step.INFO)
    else:
        _query_later(d, late=False)


def _query_later(d: AnyDraft, *, late: bool) -> None:
    slot, payment = PaymentKind.STAKE.value, d.payments[PaymentKind.STAKE]
    due = d.terms.waits.next_info_ms(payment.created_ms, d.terms.now_ms, late=late)
    if due is not None:
        d.call_later(slot, Step.INFO, due)
    elif late:
        d.drop_call(slot)
        effects.report_unexplained_return(d)
    else:
        retry_later(d, PaymentKind.STAKE, Step.INFO)


def _give_informed(d: AnyDraft, payment: Payment, reading: InfoReading) -> None:
    kind = payment.kind
    if not isinstance(reading, InfoList):
        retry_later(d, kind, Step.INFO, why=reading.why)
        return
    seen = line_of(d, payment, reading)
    if seen is None:
        _give_not_listed(d, kind)
    elif differences(d, payment, seen):
        park(d, kind, "the casino has it with other contents")
    else:
        apply_success(d, payment, seen)


def _give_not_listed(d: AnyDraft, kind: PaymentKind) -> None:
    """Handle a payment that is not listed.

    A refused payout return, or the refused return of an unconfirmed stake, has ended. Anything else is sent again.
    """
    payment = d.payments[kind]
    if payment.reason is None:
        retry_later(d, kind, make_step(d))
    elif unconfirmed_return(d, kind):
        d.pay(kind, PaymentEvent.REFUSE)
    elif kind is PaymentKind.PAYOUT_RETURN:
        d.pay(kind, PaymentEvent.REFUSE)
        effects.payout_return_refused(d, No(CasinoNo(payment.reason), payment.code or 0, payment.message or ""))
    else:
        retry_later(d, kind, make_step(d))


# --- close and reopen -----------------------------------------------------------------------------------


def apply_close_answer(d: AnyDraft, slot: str, reading: CloseReading) -> None:
    """Apply the answer to a close, or to the reopen that a payment waits for."""
    if isinstance(reading, CloseDone):
        _close_done(d, slot)
        return
    d.note(close=reading.why)
    if slot == SLOT_CLOSE:
        _close_again(d, reading.why)
    elif d.payments[PaymentKind(slot)].undecided:
        retry_later(d, PaymentKind(slot), Step.REOPEN, why=reading.why)
    else:
        d.drop_call(slot)


def _close_done(d: AnyDraft, slot: str) -> None:
    if slot == SLOT_CLOSE:
        d.set(closing=Closing.CLOSED)
        d.drop_call(slot)
    else:
        d.set(closing=Closing.REOPENED)
        d.call_now(slot, Step.MAKE, failures=d.calls[slot].failures)


def _close_again(d: AnyDraft, why: str) -> None:
    terms, call = d.terms, d.calls[SLOT_CLOSE]
    failures = call.failures + 1
    due = terms.waits.retry_ms(
        created_ms=d.subject.ended_ms or d.subject.created_ms,
        now_ms=terms.now_ms,
        failures=failures,
        luck=terms.luck,
    )
    if failures == terms.waits.incident_after:
        d.incident("not_closed", f"close failed {failures} times; last: {why}")
    if due is None:
        d.incident("close_given_up", "the close was never confirmed")
        d.drop_call(SLOT_CLOSE)
        return
    d.call_later(SLOT_CLOSE, Step.CLOSE, due, failures=failures)


# --- due calls -------------------------------------------------------------------------------------------


def step_when_due(d: AnyDraft, slot: str) -> Step | None:
    """Return the step of a due call that is to run now, or None if the decision itself completes it.

    A stake past its hold time is not sent again; info is queried instead. A call whose process crashed five times is
    parked (money.md 4.4, "a poisoned call").
    """
    call = d.calls[slot]
    if call.crashes >= POISON_AFTER:
        _quarantine(d, slot)
        return None
    if call.step is Step.CLAIM_DUE and d.terms.recovering:
        # It may have been claimed after the backup: only the provider or a person can decide now.
        d.call_later(slot, Step.CLAIM_DUE, d.terms.waits.after_ms(d.terms.now_ms, CLAIM_HELD_S))
        return None
    if call.step is Step.CLAIM_DUE:
        effects.give_back(d, BetEvent.CLAIM_OVER)
        return None
    if slot == PaymentKind.STAKE.value and call.step is Step.MAKE and _only_queried(d):
        d.pay(PaymentKind.STAKE, PaymentEvent.SEND)
        query_stake(d)
        return None
    return call.step


POISON_AFTER = 5
CLAIM_HELD_S = 15
"""Seconds by which the end of a claim is postponed at a time while recovery mode is on."""


def _only_queried(d: AnyDraft) -> bool:
    """Return whether a stake is past its hold time or unwanted, so that only its outcome is queried."""
    payment = d.payments[PaymentKind.STAKE]
    hold_end = d.terms.waits.after_ms(payment.created_ms, d.terms.hold_s)
    unwanted = d.subject.state is BetState.UNWANTED
    return payment.undecided and (unwanted or d.terms.now_ms >= hold_end)


def _quarantine(d: AnyDraft, slot: str) -> None:
    if slot in {k.value for k in PaymentKind} and d.payments[PaymentKind(slot)].undecided:
        park(d, PaymentKind(slot), "five processes crashed while making its call")
        return
    d.incident("poisoned_call", f"five processes crashed while making the {slot} call")
    d.drop_call(slot)
