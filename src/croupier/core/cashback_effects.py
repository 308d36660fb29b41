"""What the outcome of each payment means for its cashback. The twin of `effects`, for cashbacks.

Owns: state and ledger of cashbacks. Never: sends. Spec: money.md 2.6, 2.7, 2.9 and 6.3.
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
    """Take the cashback along the table."""
    d.set(state=next_cashback_state(d.subject.state, event))


def decide(d: CashbackDraft) -> None:
    """Owe a new cashback."""
    row = d.subject
    d.book(ledger.cashback(row.casino_id), ledger.owed(row.casino_id), row.amount, "cashback_decided")
    d.order(PaymentKind.CASHBACK, row.amount, None)


def paid(d: CashbackDraft) -> None:
    """The casino paid it; if it was to be cancelled, taking it back starts now."""
    _paid(d)
    if d.subject.state is CashbackState.TAKING_BACK:
        take_back(d)


def _paid(d: CashbackDraft) -> None:
    row = d.subject
    d.book(ledger.owed(row.casino_id), ledger.wallets(row.casino_id), row.amount, "paid")
    move(d, CashbackEvent.ACCEPTED)


def take_back(d: CashbackDraft) -> None:
    """Ask the casino for it again, once."""
    asked = d.payments.get(PaymentKind.CASHBACK_CANCEL)
    if asked is None:
        d.order(PaymentKind.CASHBACK_CANCEL, d.subject.amount, None)
    elif asked.state is PaymentState.REFUSED:
        # That was before it was paid.
        d.pay(PaymentKind.CASHBACK_CANCEL, PaymentEvent.REVIVE)
        d.call_now(PaymentKind.CASHBACK_CANCEL.value, Step.MAKE)


def make_sure(d: CashbackDraft) -> None:
    """It was cancelled on a no to a call. A copy of the call may still be booked, and nobody would say so (decision 0028).

    Once no copy is valid any more, the casino is asked to take it back: what it never paid it refuses.
    """
    if PaymentKind.CASHBACK_CANCEL not in d.payments:
        waits = d.terms.waits
        d.order(PaymentKind.CASHBACK_CANCEL, d.subject.amount, None)
        due_ms = waits.after_ms(d.terms.now_ms, waits.envelope_s + waits.skew_s)
        d.call_later(PaymentKind.CASHBACK_CANCEL.value, Step.MAKE, due_ms)


def refused_for_good(d: CashbackDraft) -> None:
    """It was to be cancelled and the casino said no: nobody owes anything any more."""
    _owe_no_more(d)
    move(d, CashbackEvent.REFUSED_FOR_GOOD)


def given_up(d: CashbackDraft) -> None:
    """A person ended it unpaid."""
    _owe_no_more(d)
    move(d, CashbackEvent.GIVE_UP)


def _owe_no_more(d: CashbackDraft) -> None:
    row = d.subject
    d.book(ledger.owed(row.casino_id), ledger.cashback(row.casino_id), row.amount, "ended_unpaid")


def taken_up_again(d: CashbackDraft) -> None:
    """It ended unpaid, and then the casino paid it after all."""
    row = d.subject
    d.book(ledger.cashback(row.casino_id), ledger.owed(row.casino_id), row.amount, "cashback_decided")
    d.incident("paid_after_giving_up", "a cashback that ended unpaid was accepted after all")


def cancel_accepted(d: CashbackDraft) -> None:
    """The casino took it back."""
    row = d.subject
    if row.state is CashbackState.CANCELLED:
        _paid_after_all(d)
    d.book(ledger.wallets(row.casino_id), ledger.cashback(row.casino_id), row.amount, "taken_back")
    move(d, CashbackEvent.CANCEL_ACCEPTED)


def cancel_refused(d: CashbackDraft, no: No) -> None:
    """The cashback stands, and a person looks; unless it was never paid."""
    if d.subject.state is CashbackState.CANCELLED:
        if no.reason is not CasinoNo.NOT_ENOUGH_FUNDS:
            return
        _paid_after_all(d)
    move(d, CashbackEvent.CANCEL_REFUSED)
    d.incident("cashback_kept", f"the casino refused to take the cashback back: {no.code} {no.message}")


def _paid_after_all(d: CashbackDraft) -> None:
    """It ended as refused, and what the casino says of its cancel shows that it was booked."""
    d.pay(PaymentKind.CASHBACK, PaymentEvent.ACCEPT)
    taken_up_again(d)
    _paid(d)


def cancel(d: CashbackDraft) -> None:
    """Cancel: wait for the outcome if there is none, take back if it was paid (money.md 2.9)."""
    give = d.payments[PaymentKind.CASHBACK]
    move(d, CashbackEvent.CANCEL)
    if d.subject.state is CashbackState.TAKING_BACK:
        take_back(d)
        return
    call = d.calls.get(give.kind.value)
    sent_since = call is None or call.lease_owner is not None or call.acked
    if give.undecided and give.reason is not None and not sent_since and not give.unanswered:
        # Every try was refused, and nothing has been sent since: no more tries.
        d.pay(PaymentKind.CASHBACK, PaymentEvent.REFUSE)
        refused_for_good(d)
        make_sure(d)
