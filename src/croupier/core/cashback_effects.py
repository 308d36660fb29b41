"""Effects of payment outcomes on a cashback: state, ledger and the next payment. `effects` does the same for bets.

Owns: state and ledger of cashbacks. Never: sends anything. Spec: money.md 2.6, 2.7, 2.9 and 6.3.
"""

from __future__ import annotations

from croupier.core import ledger
from croupier.core.cashback import Cashback, CashbackEvent, CashbackState, next_cashback_state
from croupier.core.draft import Draft
from croupier.core.payment import PaymentEvent, PaymentState, Step
from croupier.core.readings import No, PaymentKind
from croupier.core.refusals import CasinoNo

CashbackDraft = Draft[Cashback]


def move(d: CashbackDraft, event: CashbackEvent) -> None:
    """Move the cashback to its next state by the table."""
    d.set(state=next_cashback_state(d.subject.state, event))


def decide(d: CashbackDraft) -> None:
    """Book a new cashback as owed and order its payment."""
    row = d.subject
    d.book(ledger.cashback(row.casino_id), ledger.owed(row.casino_id), row.amount, why="cashback_decided")
    d.order(PaymentKind.CASHBACK, row.amount, None)


def paid(d: CashbackDraft) -> None:
    """Book the cashback as paid; if a cancel waits, send it."""
    _paid(d)
    if d.subject.state is CashbackState.TAKING_BACK:
        take_back(d)


def _paid(d: CashbackDraft) -> None:
    row = d.subject
    d.book(ledger.owed(row.casino_id), ledger.wallets(row.casino_id), row.amount, why="paid")
    move(d, CashbackEvent.ACCEPTED)


def take_back(d: CashbackDraft) -> None:
    """Order the cancel at the casino, at most once."""
    asked = d.payments.get(PaymentKind.CASHBACK_CANCEL)
    if asked is None:
        d.order(PaymentKind.CASHBACK_CANCEL, d.subject.amount, None)
    elif asked.state is PaymentState.REFUSED:
        # That refusal came before the cashback was paid.
        d.pay(PaymentKind.CASHBACK_CANCEL, PaymentEvent.REVIVE)
        d.call_now(PaymentKind.CASHBACK_CANCEL.value, Step.MAKE)


def send_safety_cancel(d: CashbackDraft) -> None:
    """Send a cancel for a cashback that ended on a refusal: a copy of the call may still be booked (decision 0028).

    The cancel leaves once no copy of the call is valid any more. The casino refuses it if it never paid.
    """
    if PaymentKind.CASHBACK_CANCEL not in d.payments:
        waits = d.terms.waits
        d.order(PaymentKind.CASHBACK_CANCEL, d.subject.amount, None)
        due_ms = waits.after_ms(d.terms.now_ms, waits.envelope_s + waits.skew_s)
        d.call_later(PaymentKind.CASHBACK_CANCEL.value, Step.MAKE, due_ms)


def refused_for_good(d: CashbackDraft) -> None:
    """End a cashback with a cancel pending that the casino refused: nothing is owed any more."""
    _owe_no_more(d)
    move(d, CashbackEvent.REFUSED_FOR_GOOD)


def given_up(d: CashbackDraft) -> None:
    """End a cashback unpaid, by a person's decision."""
    _owe_no_more(d)
    move(d, CashbackEvent.GIVE_UP)


def _owe_no_more(d: CashbackDraft) -> None:
    row = d.subject
    d.book(ledger.owed(row.casino_id), ledger.cashback(row.casino_id), row.amount, why="ended_unpaid")


def owe_again(d: CashbackDraft) -> None:
    """Owe a cashback again that ended unpaid and was then accepted by the casino."""
    row = d.subject
    d.book(ledger.cashback(row.casino_id), ledger.owed(row.casino_id), row.amount, why="cashback_decided")
    d.incident("paid_after_giving_up", "a cashback that ended unpaid was accepted after all")


def cancel_accepted(d: CashbackDraft) -> None:
    """Book the cashback as taken back."""
    row = d.subject
    if row.state is CashbackState.CANCELLED:
        _paid_after_all(d)
    d.book(ledger.wallets(row.casino_id), ledger.cashback(row.casino_id), row.amount, why="taken_back")
    move(d, CashbackEvent.CANCEL_ACCEPTED)


def cancel_refused(d: CashbackDraft, no: No) -> None:
    """Keep the cashback as paid and raise an incident, unless it was never paid."""
    if d.subject.state is CashbackState.CANCELLED:
        if no.reason is not CasinoNo.NOT_ENOUGH_FUNDS:
            return
        _paid_after_all(d)
    move(d, CashbackEvent.CANCEL_REFUSED)
    d.incident("cashback_kept", f"the casino refused to take the cashback back: {no.code} {no.message}")


def _paid_after_all(d: CashbackDraft) -> None:
    """Book a cashback as paid that ended as refused: the casino's answer to its cancel proves the payment."""
    d.pay(PaymentKind.CASHBACK, PaymentEvent.ACCEPT)
    owe_again(d)
    _paid(d)


def cancel(d: CashbackDraft) -> None:
    """Cancel a cashback: wait for its outcome if there is none, take it back if it was paid (money.md 2.9)."""
    give = d.payments[PaymentKind.CASHBACK]
    move(d, CashbackEvent.CANCEL)
    if d.subject.state is CashbackState.TAKING_BACK:
        take_back(d)
        return
    call = d.calls.get(give.kind.value)
    sent_since = call is None or call.lease_owner is not None or call.acked
    if give.undecided and give.reason is not None and not sent_since and not give.unanswered:
        # Every attempt was refused, and nothing has been sent since: it is not retried.
        d.pay(PaymentKind.CASHBACK, PaymentEvent.REFUSE)
        refused_for_good(d)
        send_safety_cancel(d)
