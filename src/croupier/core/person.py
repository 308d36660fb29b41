"""Decisions of a person about a payment: retry it, accept it, give it up.

Owns: the conditions and effects of each; every decision names its author. Never: changes money without an entry
marked `correction`. Spec: operate.md 2 (payment commands), money.md 6.4.
"""

from __future__ import annotations

from typing import Any

from croupier.core import cashback_effects, effects
from croupier.core.bet import STAKE_UNDECIDED, Bet
from croupier.core.bet_requests import CannotDo
from croupier.core.draft import Decision, Draft
from croupier.core.money import format_amount
from croupier.core.payment import GIVES, UNDECIDED, PaymentEvent, PaymentState, Step
from croupier.core.pursuit import Verdict, apply_outcome, make_step
from croupier.core.readings import Contents, No, PaymentKind, Yes
from croupier.core.refusals import CasinoNo


def retry(d: Draft[Any], kind: PaymentKind, *, author: str, reason: str) -> Decision[Any]:
    """Send the payment now, or query info for a stake; raises CannotDo."""
    payment = d.payments[kind]
    if payment.state not in UNDECIDED | {PaymentState.PARKED}:
        _cannot(kind, payment.state, "be tried again")
    step = Step.INFO if kind is PaymentKind.STAKE else make_step(d)
    before = d.calls.get(kind.value)
    if before is not None and (before.acked or (before.step is Step.MAKE and before.lease_owner is not None)):
        d.mark_unanswered(
            kind
        )  # the outcome of that attempt is fenced off, or can no longer be told apart from the new one's
    d.call_later(kind.value, step, d.terms.now_ms)
    d.note(reason=reason)
    return d.finish("retried_by_person", author=author)


def accept(d: Draft[Any], kind: PaymentKind, *, author: str, reason: str) -> Decision[Any]:
    """Accept the payment as if the casino had; raises CannotDo."""
    payment = d.payments[kind]
    if payment.state is PaymentState.ACCEPTED:
        _cannot(kind, payment.state, "be accepted")
    said = Contents(
        subject_id=payment.subject_id,
        player_ref=d.subject.player_ref,
        kind=kind,
        amount=format_amount(payment.amount, d.subject.currency),
        tax=None if payment.tax is None else format_amount(payment.tax, d.subject.currency),
        partner_tx=payment.partner_tx,
    )
    if apply_outcome(d, kind, Yes(said)) is Verdict.CONFLICT:
        _cannot(kind, payment.state, "be accepted")
    d.note(reason=reason)
    d.correct()
    return d.finish("accepted_by_person", author=author)


def give_up(d: Draft[Any], kind: PaymentKind, *, author: str, reason: str) -> Decision[Any]:
    """End the payment without a booking; raises CannotDo."""
    payment = d.payments[kind]
    if payment.state not in UNDECIDED | {PaymentState.PARKED}:
        _cannot(kind, payment.state, "be given up")
    no = No(CasinoNo.OTHER, 0, f"given up by {author}: {reason}")
    d.keep_refusal(kind, no)
    d.pay(kind, PaymentEvent.REFUSE)
    _ended(d, kind, no)
    d.note(reason=reason)
    if isinstance(d.subject, Bet):
        effects.close_if_done(d)
    d.correct()
    return d.finish("given_up_by_person", author=author)


def _ended(d: Draft[Any], kind: PaymentKind, no: No) -> None:
    if kind is PaymentKind.CASHBACK:
        cashback_effects.given_up(d)
    elif kind is PaymentKind.CASHBACK_CANCEL:
        cashback_effects.cancel_refused(d, no)
    elif kind in GIVES:
        effects.given_up(d, kind)
    elif kind is PaymentKind.PAYOUT_RETURN:
        effects.payout_return_refused(d, no)
    elif d.subject.state in STAKE_UNDECIDED:
        effects.stake_refused(d, no)


def _cannot(kind: PaymentKind, state: PaymentState, what: str) -> None:
    msg = f"the {kind.value} is {state.value}: it cannot {what}"
    raise CannotDo(msg)
