"""Automatic repair of differences between the hub and a casino's list of a bet: the named rules of reconciliation.

Every rule applies a listed payment through the rules of outcomes, as if it had been reported in time. No rule creates
money. `restore` is for a database restored from a backup, and is used in recovery mode only. It repeats decisions
that were made after the backup, as far as the casino's list proves them.

Owns: the rules and their names. Never: reports the remaining differences (reconciliation).
Spec: money.md 2.4, 3.6, 4.6 and 8.
"""

from __future__ import annotations

from croupier.core import bet_requests, effects
from croupier.core.bet import OK, Bet, BetEvent, BetState, Origin
from croupier.core.draft import Draft
from croupier.core.money import BadAmount, parse_amount
from croupier.core.outcomes import accepts_late_success, apply_outcome, differences, line_of, lines_of
from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import Contents, InfoList, PaymentKind, Yes
from croupier.core.reconciliation import Difference, compare, never_ordered
from croupier.core.remembered import Verdict
from croupier.core.words import Word


class HealingRule(Word):
    """Names of the rules, as the trace and the commands show them."""

    BOOKED_UNHEARD = "booked_unheard"
    """A payment without an outcome here is listed: it is accepted."""
    ACCEPTED_LATE = "accepted_late"
    """A stake that had ended is listed: a late accept, which is returned (money.md 3.6)."""
    PAID_AFTER_ALL = "paid_after_all"
    """A payment that was given up is listed: it is accepted."""
    SETTLED_BEFORE = "settled_before_restore"
    """A bet that is on here was settled and paid before the restore."""
    RETURNED_BEFORE = "returned_before_restore"
    """A bet that is on or settled here had returned its stake before the restore."""


def heal(d: Draft[Bet], seen: InfoList) -> list[HealingRule]:
    """Accept each payment that is listed with the contents ordered; return the rules that were applied."""
    foreign_return = PaymentKind.BET_RETURN in never_ordered(d.subject, seen)
    applied = []
    for kind in PaymentKind:
        payment = d.payments.get(kind)
        line = None if payment is None else line_of(d, payment, seen)
        if payment is None or line is None or (foreign_return and kind is PaymentKind.STAKE):
            continue
        rule = _rule_for(d, payment, line)
        if rule is not None and apply_outcome(d, kind, Yes(line)) is Verdict.OK:
            applied.append(rule)
    return applied


def _rule_for(d: Draft[Bet], payment: Payment, line: Contents) -> HealingRule | None:
    if payment.state is PaymentState.ACCEPTED or differences(d, payment, line) or not accepts_late_success(d, payment):
        return None
    if payment.undecided or payment.state is PaymentState.PARKED:
        return HealingRule.BOOKED_UNHEARD
    return HealingRule.ACCEPTED_LATE if payment.kind is PaymentKind.STAKE else HealingRule.PAID_AFTER_ALL


# --- after a restore ----------------------------------------------------------------------------------------


_NO_HINDRANCE = frozenset({Difference.NOT_IN_HUB, Difference.BOOKED_TWICE})
"""Differences that do not stop `restore`. Of a payment listed twice, the line that matches the order is used."""


class _Unproved(Exception):
    """The list does not prove a sequence of decisions that this hub could have made."""


def restore(draft: Draft[Bet], seen: InfoList) -> list[HealingRule]:
    """Repeat on the draft the decisions that the casino's list proves; return the rules, empty if it proves none.

    The draft is changed either way: commit it only if rules are returned.
    """
    kinds = never_ordered(draft.subject, seen)
    if not kinds or any(one.difference not in _NO_HINDRANCE for one in compare(draft.subject, seen, draft.terms)):
        return []
    try:
        return _repeat(draft, seen, kinds)
    except (_Unproved, BadAmount):
        return []


def _repeat(d: Draft[Bet], seen: InfoList, kinds: set[PaymentKind]) -> list[HealingRule]:
    applied = []
    _accept_listed(d, seen, PaymentKind.STAKE)
    if PaymentKind.PAYOUT in kinds:
        _settle(d, seen)
        applied.append(HealingRule.SETTLED_BEFORE)
    if kinds & {PaymentKind.BET_RETURN, PaymentKind.PAYOUT_RETURN}:
        _give_back(d, seen)
        applied.append(HealingRule.RETURNED_BEFORE)
    left = {line.kind for line in seen.payments if line.kind not in d.payments}
    open_still = [k for k, p in d.payments.items() if lines_of(seen, k) and p.state is not PaymentState.ACCEPTED]
    if left or open_still:
        raise _Unproved
    return applied


def _settle(d: Draft[Bet], seen: InfoList) -> None:
    """Settle a bet that is on with its listed payout: only this hub orders payouts, so the bet had been settled."""
    line, *others = lines_of(seen, PaymentKind.PAYOUT)
    if any(other.amount != line.amount for other in others):
        raise _Unproved  # two different amounts: the settled one is not known
    win = parse_amount(line.amount or "", d.subject.currency)
    _claim(d)
    if d.subject.state is BetState.ON:
        effects.settle(d, win)
    if d.subject.state is not BetState.SETTLED or d.subject.win != win:
        raise _Unproved
    _accept_listed(d, seen, PaymentKind.PAYOUT)


def _give_back(d: Draft[Bet], seen: InfoList) -> None:
    """Return a bet whose return is listed: it had been refunded, or its stake had not been claimed."""
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
            _accept_listed(d, seen, kind)


def _claim(d: Draft[Bet]) -> None:
    if d.subject.state is BetState.UNCLAIMED:
        effects.move(d, BetEvent.CLAIMED)
        effects.confirm(d)


def _accept_listed(d: Draft[Bet], seen: InfoList, kind: PaymentKind) -> None:
    """Accept a payment that is listed with the contents ordered; raises _Unproved for other contents."""
    payment = d.payments.get(kind)
    if payment is None or payment.state is PaymentState.ACCEPTED:
        return
    line = line_of(d, payment, seen)
    if line is None or differences(d, payment, line) or apply_outcome(d, kind, Yes(line)) is not Verdict.OK:
        raise _Unproved
