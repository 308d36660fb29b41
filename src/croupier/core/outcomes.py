"""Outcomes of payments: which statement of a casino is accepted, and the retry of a payment that it does not end.

A stake ends on a yes or a no. Money the hub owes ends on a yes only: a no means "not yet". Money the hub takes back
ends on a yes or on a no of the table. A contradiction changes no money and raises an incident. An answer that was not
understood is never read as a no. A no proves that nothing was booked only if every earlier attempt was answered. An
unanswered attempt may be booked, and may be the reason why its repeat is refused (decision 0035).

Owns: these rules for every payment kind, the retry schedule, parking. Never: interprets an answer to the hub's own
call (pursuit), applies the effect of a yes (effects).
Spec: casino.md 1.1, 1.2 and 2.1, money.md 2.5 to 2.7, 3.6 and 3.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from croupier.core import cashback_effects, effects
from croupier.core.bet import Bet, BetState, Closing
from croupier.core.cashback import CashbackState
from croupier.core.counterparty import LateAccept
from croupier.core.draft import Draft
from croupier.core.money import format_amount, same_amount
from croupier.core.payment import GIVES, Payment, PaymentEvent, PaymentState, Step
from croupier.core.readings import Contents, Exists, InfoList, No, PaymentKind, PaymentOutcome, Yes
from croupier.core.records import evolve
from croupier.core.refusals import CasinoNo
from croupier.core.remembered import Verdict, verdict_on, with_mark

AnyDraft = Draft[Any]


@dataclass(frozen=True, slots=True)
class _Effect:
    accepted: Callable[[AnyDraft], None]
    refused: Callable[[AnyDraft, No], None] | None
    """None if a no means "not yet"."""
    owe_again: Callable[[AnyDraft], None] | None = None


def _bet_again(kind: PaymentKind) -> Callable[[AnyDraft], None]:
    return lambda d: effects.owe_again(d, kind)


_EFFECTS: dict[PaymentKind, _Effect] = {
    PaymentKind.STAKE: _Effect(effects.stake_accepted, effects.stake_refused),
    PaymentKind.PAYOUT: _Effect(effects.payout_accepted, None, _bet_again(PaymentKind.PAYOUT)),
    PaymentKind.BET_RETURN: _Effect(effects.return_accepted, None, _bet_again(PaymentKind.BET_RETURN)),
    PaymentKind.PAYOUT_RETURN: _Effect(effects.payout_return_accepted, effects.payout_return_refused),
    PaymentKind.JACKPOT: _Effect(effects.jackpot_accepted, None, _bet_again(PaymentKind.JACKPOT)),
    PaymentKind.CASHBACK: _Effect(cashback_effects.paid, None, cashback_effects.owe_again),
    PaymentKind.CASHBACK_CANCEL: _Effect(cashback_effects.cancel_accepted, cashback_effects.cancel_refused),
}


# --- an outcome: an accept, an inline acknowledgement, or a line of info --------------------------------


def apply_outcome(d: AnyDraft, kind: PaymentKind, outcome: PaymentOutcome, *, answers_try: bool = False) -> Verdict:
    """Apply an outcome to the payment; return the verdict, which is the answer to an accept.

    `answers_try`: the outcome answers an attempt whose failure is not counted yet. An outcome that was applied before
    changes nothing, unless it may belong to a newer attempt.
    """
    payment = d.payments.get(kind)
    if payment is None:
        return Verdict.CONFLICT
    if answers_try and payment.state is PaymentState.PARKED:
        # A person has retried the payment: the new answer is reported to them, even if it is the same.
        payment = d.payments[kind] = evolve(payment, heard=None)
    newer_try = answers_try or _attempted(d, payment)
    before = verdict_on(payment, outcome, d.subject.currency)
    if before is not None and _applied_before(payment, outcome, before, newer_try=newer_try):
        return before
    d.note(heard=type(outcome).__name__, kind=kind.value)
    verdict = _apply(d, payment, outcome, newer_try=newer_try)
    if before is None and (verdict is Verdict.CONFLICT or (payment.undecided and not isinstance(outcome, Yes))):
        remember(d, kind, outcome, verdict=verdict)
    close_if_done(d)
    return verdict


def _apply(d: AnyDraft, payment: Payment, outcome: PaymentOutcome, *, newer_try: bool) -> Verdict:
    if isinstance(outcome, No):
        return _apply_no(d, payment, outcome, newer_try=newer_try)
    if isinstance(outcome, Exists):
        return _apply_exists(d, payment, outcome, newer_try=newer_try)
    return apply_success(d, payment, outcome.contents)


def _attempted(d: AnyDraft, payment: Payment) -> bool:
    """Return whether an attempt is in flight, or was acknowledged, since the last failure: a refusal may belong to it.

    One attempt fails once, however often its refusal is resent (casino.md 1.2).
    """
    call = d.calls.get(payment.kind.value)
    return call is not None and call.step is Step.MAKE and (call.acked or call.lease_owner is not None)


def _applied_before(payment: Payment, outcome: PaymentOutcome, before: Verdict, *, newer_try: bool) -> bool:
    """Return whether an outcome that was applied before may be ignored, because nothing since gives it another meaning."""
    if payment.state is PaymentState.ACCEPTED:
        return before is Verdict.CONFLICT
    if isinstance(outcome, No) or outcome == Exists(None):
        return not (payment.undecided and newer_try)
    return payment.state in (PaymentState.REFUSED, PaymentState.EXPIRED)


def remember(d: AnyDraft, kind: PaymentKind, outcome: PaymentOutcome, *, verdict: Verdict) -> None:
    """Store the outcome on the payment, so that its repeat changes nothing."""
    d.payments[kind] = with_mark(d.payments[kind], outcome, d.subject.currency, verdict=verdict)


def record_contradiction(d: AnyDraft, payment: Payment, outcome: PaymentOutcome, *, note: str) -> Verdict:
    """Raise an incident once. The same outcome again raises none, even after the incident was closed."""
    if verdict_on(d.payments[payment.kind], outcome, d.subject.currency) is not Verdict.CONFLICT:
        remember(d, payment.kind, outcome, verdict=Verdict.CONFLICT)
        d.incident("contradiction", f"{payment.kind.value}: {note}")
    return Verdict.CONFLICT


ID_OF_ANOTHER = "payment's PartnerTransactionId"


def differences(d: AnyDraft, payment: Payment, said: Contents) -> list[str]:
    """Return the names of facts that differ from the order (casino.md 1.1 and 1.2; amounts compare as numbers).

    A missing fact is no difference: an inline answer need not repeat the order (casino.md 2.1).
    """
    currency = d.subject.currency
    found = []
    if said.subject_id not in (None, payment.subject_id):
        found.append("id")
    if said.player_ref not in (None, d.subject.player_ref):
        found.append("player")
    if said.kind not in (None, payment.kind):
        found.append("type")
    if said.amount is not None and not same_amount(said.amount, payment.amount, currency):
        found.append("amount")
    if _tax_stated(said) and not same_amount(said.tax or "0", payment.tax or 0, currency):
        found.append("tax")
    if _id_is_taken(d, payment, said.partner_tx):
        found.append(ID_OF_ANOTHER)
    return found


def describe_differences(d: AnyDraft, payment: Payment, said: Contents) -> str:
    """Return the differences as text for a person, with both amounts."""
    ordered = format_amount(payment.amount, d.subject.currency)
    amount = f"amount ({said.amount}, not {ordered})"
    return ", ".join(amount if fact == "amount" else fact for fact in differences(d, payment, said))


def _id_is_taken(d: AnyDraft, payment: Payment, partner_tx: str | None) -> bool:
    """Return whether another payment of this casino already has this id: then the outcome is not about this payment."""
    if partner_tx is None or partner_tx == payment.partner_tx or d.terms.casino.reuses_transaction_ids:
        return False
    others = {other.partner_tx for kind, other in d.payments.items() if kind is not payment.kind}
    return partner_tx in others or partner_tx in d.terms.held


def _tax_stated(said: Contents) -> bool:
    """Return whether a tax is stated: beside an amount, a missing TaxAmount states a tax of 0."""
    return said.amount is not None or said.tax is not None


def lines_of(seen: InfoList, kind: PaymentKind) -> list[Contents]:
    """Return the listed payments of one kind. More than one is a double booking of the casino."""
    return [line for line in seen.payments if line.kind is kind]


def line_of(d: AnyDraft, payment: Payment, seen: InfoList) -> Contents | None:
    """Return the listed line of this payment, or None.

    Of several, prefer those with the contents ordered, and among them the known PartnerTransactionId.
    """
    lines = lines_of(seen, payment.kind)
    fitting = [line for line in lines if not differences(d, payment, line)]
    known = [line for line in fitting if line.partner_tx == payment.partner_tx]
    return next(iter(known or fitting or lines), None)


def apply_success(d: AnyDraft, payment: Payment, said: Contents) -> Verdict:
    """Apply a success from an accept, an inline answer or an info list; return the verdict."""
    wrong = differences(d, payment, said)
    if wrong:
        return record_contradiction(
            d, payment, Yes(said), note=f"accepted with another {describe_differences(d, payment, said)}"
        )
    if payment.state is PaymentState.ACCEPTED:
        if payment.partner_tx is None:
            # A person accepted it, or its cancel proved it. The casino now confirms it and names its id.
            d.payments[payment.kind] = evolve(payment, partner_tx=said.partner_tx)
            return Verdict.OK
        if payment.partner_tx == said.partner_tx:
            return Verdict.OK
        return record_contradiction(
            d, payment, Yes(said), note=f"accepted twice: {payment.partner_tx} and {said.partner_tx}"
        )
    if not accepts_late_success(d, payment):
        return record_contradiction(
            d, payment, Yes(said), note="accepted after the stake had ended; this casino undoes it itself"
        )
    _accept(d, payment, said)
    return Verdict.OK


def accepts_late_success(d: AnyDraft, payment: Payment) -> bool:
    """Return whether a success is applied; one for an ended stake is then returned (money.md 3.6)."""
    if payment.kind is not PaymentKind.STAKE or payment.undecided or payment.state is PaymentState.PARKED:
        return True
    wanted_back = PaymentKind.BET_RETURN in d.payments or d.subject.state is BetState.CANCELLED
    return d.terms.casino.late_accept is LateAccept.RETURN or wanted_back


def _accept(d: AnyDraft, payment: Payment, said: Contents) -> None:
    effect = _EFFECTS[payment.kind]
    given_up_before = payment.state is PaymentState.REFUSED
    d.pay(payment.kind, PaymentEvent.ACCEPT, partner_tx=said.partner_tx)
    if given_up_before and effect.owe_again is not None:
        effect.owe_again(d)
    effect.accepted(d)


def _apply_exists(d: AnyDraft, payment: Payment, outcome: Exists, *, newer_try: bool) -> Verdict:
    said = outcome.contents
    if said is None:
        if payment.undecided:
            _query_existing(d, payment, newer_try=newer_try)
        return Verdict.OK
    wrong = differences(d, payment, said)
    if not wrong:
        return apply_success(d, payment, said)
    if payment.undecided:
        park(d, payment.kind, f"the casino has it with another {describe_differences(d, payment, said)}")
        return Verdict.CONFLICT
    return record_contradiction(
        d, payment, outcome, note=f"exists with another {describe_differences(d, payment, said)}"
    )


def _query_existing(d: AnyDraft, payment: Payment, *, newer_try: bool) -> None:
    """Schedule an info query for a payment that exists with unknown contents. A cashback has no info and is repeated."""
    d.pay(payment.kind, PaymentEvent.SEND, reason=None)
    d.mark_unanswered(payment.kind)
    if isinstance(d.subject, Bet):
        d.call_later(payment.kind.value, Step.INFO, d.terms.now_ms)
    elif newer_try:
        retry_later(d, payment.kind, Step.MAKE)


def _apply_no(d: AnyDraft, payment: Payment, no: No, *, newer_try: bool) -> Verdict:
    if payment.state is PaymentState.ACCEPTED:
        return record_contradiction(d, payment, no, note=f"refused after it was accepted: {no.code} {no.message}")
    if not payment.undecided:
        return Verdict.OK
    refused, proves = _EFFECTS[payment.kind].refused, not _doubtful(d, payment)
    d.keep_refusal(payment.kind, no)
    if refused is None:
        _not_yet(d, payment, no, proves=proves, newer_try=newer_try)
    elif proves:
        d.pay(payment.kind, PaymentEvent.REFUSE)
        refused(d, no)
    else:
        _settle_doubt(d, payment, newer_try=newer_try)
    return Verdict.OK


def _not_yet(d: AnyDraft, payment: Payment, no: No, *, proves: bool, newer_try: bool) -> None:
    """Retry owed money after a no, unless the no proves that nothing is to be returned. `payment` is its state before."""
    kind = payment.kind
    if kind is PaymentKind.CASHBACK and d.subject.state is CashbackState.CANCEL_WANTED:
        if proves:
            d.pay(kind, PaymentEvent.REFUSE)
            cashback_effects.refused_for_good(d)
        else:
            _settle_doubt(d, payment, newer_try=newer_try)
    elif unconfirmed_return(d, kind):
        _nothing_to_return(d, payment, no, proves=proves, newer_try=newer_try)
    elif newer_try:
        retry_later(d, kind, make_step(d))


def _nothing_to_return(d: AnyDraft, payment: Payment, no: No, *, proves: bool, newer_try: bool) -> None:
    """Handle the refused return of an unconfirmed stake: 103805 proves that the stake was never booked, else info does."""
    unknown = no.reason is CasinoNo.BET_UNKNOWN
    if unknown and proves:
        d.pay(payment.kind, PaymentEvent.REFUSE)
    elif d.terms.casino.info:
        if not proves:
            _settle_doubt(d, payment, newer_try=newer_try)
        elif newer_try:
            retry_later(d, payment.kind, Step.INFO)
        elif d.calls[payment.kind.value].step is not Step.INFO:
            # The failure of that attempt is counted: the refusal changes the next step, not its time.
            d.call_later(payment.kind.value, Step.INFO, d.calls[payment.kind.value].due_ms)
    elif unknown and payment.reason == no.reason.value and not _nothing_sent_since(d, payment):
        # Without info, the same proof from two attempts in a row is accepted.
        d.pay(payment.kind, PaymentEvent.REFUSE)
    elif newer_try:
        retry_later(d, payment.kind, make_step(d))


# --- a no that proves nothing ----------------------------------------------------------------------------


def _doubtful(d: AnyDraft, payment: Payment) -> bool:
    """Return whether another attempt than the refused one may be booked."""
    call = d.calls.get(payment.kind.value)
    # It was acknowledged, no accept came, and it was resent: the outcome may belong to either attempt.
    resent = call is not None and call.acked and call.step is Step.MAKE and call.lease_owner is not None
    return payment.unanswered or resent


def _settle_doubt(d: AnyDraft, payment: Payment, *, newer_try: bool) -> None:
    """Handle a refusal after an unanswered attempt: query info; without info, retry once, then park.

    `payment` is its state before this no. The same no again changes nothing.
    """
    kind, call = payment.kind, d.calls[payment.kind.value]
    d.pay(kind, PaymentEvent.SEND)
    d.mark_unanswered(kind)
    d.note(proof="none: an earlier try went unanswered")
    if kind is PaymentKind.STAKE:
        if call.step is not Step.INFO:
            query_stake(d)
    elif isinstance(d.subject, Bet) and d.terms.casino.info:
        if call.step is not Step.INFO or payment.reason is None:
            # No copy of any attempt is valid any more when this query leaves: a payment it does not list is not booked.
            dead_ms = d.terms.waits.after_ms(d.terms.now_ms, d.terms.waits.envelope_s + d.terms.waits.skew_s)
            d.call_later(kind.value, Step.INFO, dead_ms, acked=False)
    elif payment.reason is None:
        if newer_try:
            retry_later(d, kind, make_step(d))
    elif not _nothing_sent_since(d, payment):
        park(d, kind, "refused twice, and the outcome of an earlier attempt is not known")


def _nothing_sent_since(d: AnyDraft, payment: Payment) -> bool:
    """Return whether nothing was sent since the stored no: then the same no is a repeat of it."""
    call = d.calls[payment.kind.value]
    waits = call.step is Step.REOPEN or (call.lease_owner is None and not call.acked)
    return payment.reason is not None and waits


def query_stake(d: AnyDraft) -> None:
    """Schedule the first info query for a stake; failures of queries are counted from 0."""
    payment = d.payments[PaymentKind.STAKE]
    due = d.terms.waits.next_info_ms(payment.created_ms, d.terms.now_ms, late=False)
    d.call_later(PaymentKind.STAKE.value, Step.INFO, due or d.terms.now_ms, failures=0)


def unconfirmed_return(d: AnyDraft, kind: PaymentKind) -> bool:
    """Return whether the payment is the return of a stake that the casino never confirmed."""
    # The draft's payments, not the subject's: this decision may just have confirmed the stake.
    unconfirmed = kind is PaymentKind.BET_RETURN and not d.subject.was_on
    return unconfirmed and d.payments[PaymentKind.STAKE].state is not PaymentState.ACCEPTED


def make_step(d: AnyDraft) -> Step:
    """Return the step of the next attempt: a bet that had been closed is reopened before each one."""
    reopened = isinstance(d.subject, Bet) and d.subject.closing is not Closing.OPEN
    return Step.REOPEN if reopened else Step.MAKE


def retry_later(d: AnyDraft, kind: PaymentKind, step: Step, *, why: str | None = None) -> None:
    """Count one more failure and schedule the next attempt, or park the payment.

    `why`: the part of the answer that could not be read, or the reason why none came.
    """
    terms, payment = d.terms, d.payments[kind]
    call = d.calls[kind.value]
    failures = call.failures + 1
    due = terms.waits.retry_ms(created_ms=payment.created_ms, now_ms=terms.now_ms, failures=failures, luck=terms.luck)
    if failures == terms.waits.incident_after:
        d.incident(
            "not_accepted", f"{kind.value} failed {failures} times; last: {why or payment.message or 'no answer'}"
        )
    if due is None:
        park(d, kind, "the schedule is used up")
        return
    d.call_later(kind.value, step, due, failures=failures, acked=False)


def park(d: AnyDraft, kind: PaymentKind, why: str) -> None:
    """Hold the payment for review. A request that waits for the stake is answered now."""
    d.pay(kind, PaymentEvent.PARK)
    if kind is PaymentKind.STAKE:
        d.set(waiting_until_ms=None)
    d.incident("parked", f"{kind.value}: {why}")


def close_if_done(d: AnyDraft) -> None:
    """Close a bet whose last open payment has its outcome."""
    if isinstance(d.subject, Bet):
        effects.close_if_done(d)


assert frozenset(k for k, e in _EFFECTS.items() if e.refused is None) == GIVES
