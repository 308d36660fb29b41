"""What a casino's list of a bet mends by itself: the named rules of reconciliation.

Every rule takes in what the casino lists as if it had been heard of in time, through the rules of outcomes; none makes
money of its own. `restore` is for a database that came back from a backup: it repeats decisions that this hub had
made and lost, as far as the casino's books prove them, and is used in recovery mode alone.

Owns: the rules and their names. Never: judges what is left (reconciliation). Spec: money.md 2.4, 3.6, 4.6 and 8.
"""

from __future__ import annotations

from enum import Enum

from croupier.core import bet_requests, effects
from croupier.core.bet import OK, Bet, BetEvent, BetState, Origin
from croupier.core.draft import Draft
from croupier.core.money import BadAmount, parse_amount
from croupier.core.outcomes import differences, heard, line_of, lines_of, takes_late_yes
from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import Contents, InfoList, PaymentKind, Yes
from croupier.core.reconciliation import Difference, compare, foreign
from croupier.core.remembered import Verdict


class Rule(Enum):
    """The rules by their names, as the trace and the commands tell them."""

    BOOKED_UNHEARD = "booked_unheard"
    """Without an outcome here and listed there: accepted."""
    ACCEPTED_LATE = "accepted_late"
    """A stake that had ended is listed: a late accept, which goes back (money.md 3.6)."""
    PAID_AFTER_ALL = "paid_after_all"
    """Owed money that was given up is listed: it was paid."""
    SETTLED_BEFORE = "settled_before_restore"
    """A bet that is on here was settled and paid before the database went back."""
    RETURNED_BEFORE = "returned_before_restore"
    """A bet that is on or settled here had given its stake back before the database went back."""


def heal(d: Draft[Bet], seen: InfoList) -> list[Rule]:
    """Take in what is listed with the contents that were ordered; the rules that were applied."""
    foreign_return = PaymentKind.BET_RETURN in foreign(d.subject, seen)
    applied = []
    for kind in PaymentKind:
        payment = d.payments.get(kind)
        line = None if payment is None else line_of(d, payment, seen)
        if payment is None or line is None or (foreign_return and kind is PaymentKind.STAKE):
            continue
        rule = _rule_for(d, payment, line)
        if rule is not None and heard(d, kind, Yes(line)) is Verdict.OK:
            applied.append(rule)
    return applied


def _rule_for(d: Draft[Bet], payment: Payment, line: Contents) -> Rule | None:
    if payment.state is PaymentState.ACCEPTED or differences(d, payment, line) or not takes_late_yes(d, payment):
        return None
    if payment.undecided or payment.state is PaymentState.PARKED:
        return Rule.BOOKED_UNHEARD
    return Rule.ACCEPTED_LATE if payment.kind is PaymentKind.STAKE else Rule.PAID_AFTER_ALL


# --- after a restore ----------------------------------------------------------------------------------------


_NO_HINDRANCE = frozenset({Difference.NOT_IN_HUB, Difference.BOOKED_TWICE})
"""Differences beside which decisions are repeated: what is listed twice goes on by the line that fits."""


class _Unproved(Exception):
    """The list does not prove a course of decisions that this hub could have taken."""


def restore(draft: Draft[Bet], seen: InfoList) -> list[Rule]:
    """Repeat on the draft what the casino's list proves that this hub had decided; empty if it proves nothing.

    The draft is used up either way: commit it only if rules are returned.
    """
    kinds = foreign(draft.subject, seen)
    if not kinds or any(one.difference not in _NO_HINDRANCE for one in compare(draft.subject, seen, draft.terms)):
        return []
    try:
        return _repeat(draft, seen, kinds)
    except (_Unproved, BadAmount):
        return []


def _repeat(d: Draft[Bet], seen: InfoList, kinds: set[PaymentKind]) -> list[Rule]:
    applied = []
    _hear(d, seen, PaymentKind.STAKE)
    if PaymentKind.PAYOUT in kinds:
        _settle(d, seen)
        applied.append(Rule.SETTLED_BEFORE)
    if kinds & {PaymentKind.BET_RETURN, PaymentKind.PAYOUT_RETURN}:
        _give_back(d, seen)
        applied.append(Rule.RETURNED_BEFORE)
    left = {line.kind for line in seen.payments if line.kind not in d.payments}
    open_still = [k for k, p in d.payments.items() if lines_of(seen, k) and p.state is not PaymentState.ACCEPTED]
    if left or open_still:
        raise _Unproved
    return applied


def _settle(d: Draft[Bet], seen: InfoList) -> None:
    """The casino paid a win on a bet that is on: only this hub orders payouts, so it had been settled with it."""
    line, *others = lines_of(seen, PaymentKind.PAYOUT)
    if any(other.amount != line.amount for other in others):
        raise _Unproved  # which of the two it had been settled with
    win = parse_amount(line.amount or "", d.subject.currency)
    _claim(d)
    if d.subject.state is BetState.ON:
        effects.settle(d, win)
    if d.subject.state is not BetState.SETTLED or d.subject.win != win:
        raise _Unproved
    _hear(d, seen, PaymentKind.PAYOUT)


def _give_back(d: Draft[Bet], seen: InfoList) -> None:
    """The casino has a return of ours: the bet had been refunded, or nobody had claimed it."""
    if d.subject.state in (BetState.ON, BetState.UNCLAIMED):
        effects.give_back(d, BetEvent.REFUND)
        d.set(refund_answer=OK)
    elif d.subject.state is BetState.SETTLED and d.subject.origin is not Origin.JACKPOT:
        bet_requests.undo(d)
        d.set(refund_answer=OK)
    elif PaymentKind.BET_RETURN not in d.payments:
        raise _Unproved
    for kind in (PaymentKind.PAYOUT, PaymentKind.PAYOUT_RETURN, PaymentKind.BET_RETURN):
        if kind in d.payments and lines_of(seen, kind):
            _hear(d, seen, kind)


def _claim(d: Draft[Bet]) -> None:
    if d.subject.state is BetState.UNCLAIMED:
        effects.move(d, BetEvent.CLAIMED)
        effects.confirm(d)


def _hear(d: Draft[Bet], seen: InfoList, kind: PaymentKind) -> None:
    """The payment is listed with the very contents that were ordered: accepted."""
    payment = d.payments.get(kind)
    if payment is None or payment.state is PaymentState.ACCEPTED:
        return
    line = line_of(d, payment, seen)
    if line is None or differences(d, payment, line) or heard(d, kind, Yes(line)) is not Verdict.OK:
        raise _Unproved
