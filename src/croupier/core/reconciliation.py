"""Comparison of one bet's three records: the hub's, the casino's list, and the answers given to the provider.

Owns: the closed list of differences, and their detection. Never: repairs one (healing), sends a query, reads a clock.
A list may be slightly older than the hub's record, so a payment decided within `accept_wait_s` may be missing from it.
Spec: money.md 4.2, money.md 5 (I2, I6, I7), money.md 8.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.bet import OK, Bet, BetState, Origin
from croupier.core.draft import Draft, Terms
from croupier.core.money import BadAmount, format_amount, parse_amount
from croupier.core.outcomes import differences, line_of, lines_of
from croupier.core.payment import GIVES, Payment, PaymentState
from croupier.core.readings import Contents, InfoList, PaymentKind
from croupier.core.words import Word


class Difference(Word):
    """Differences between the records; the value is stored."""

    BOOKED_TWICE = "booked_twice"
    """The casino lists one payment more than once."""
    NOT_IN_HUB = "not_in_hub"
    """The casino lists a payment that the hub never ordered."""
    FORGOTTEN = "forgotten"
    """The casino accepted the payment and does not list it."""
    BOOKED_AFTER_ALL = "booked_after_all"
    """The payment ended without a booking in the hub, and the casino lists it."""
    AMOUNT = "amount_differs"
    PLAYER = "player_differs"
    TAX = "tax_differs"
    NUMBER = "number_differs"
    """The casino lists another PartnerTransactionId than the one it accepted with."""
    TOLD = "told_otherwise"
    """Hub and casino agree, and the provider was answered otherwise."""
    UNKNOWN_BET = "unknown_bet"
    """The casino lists a bet of the hub that the hub does not have."""


@dataclass(frozen=True, slots=True)
class Found:
    """One difference, with a text for a person. `kind` None means the bet as a whole."""

    difference: Difference
    kind: PaymentKind | None
    words: str

    @property
    def about(self) -> str:
        """The stored name of its payment kind, or `bet`."""
        return "bet" if self.kind is None else self.kind.value


_FACTS = {"amount": Difference.AMOUNT, "player": Difference.PLAYER, "tax": Difference.TAX}
_AT_REST = frozenset({BetState.ON, BetState.SETTLED, BetState.RETURNED, BetState.REFUSED, BetState.EXPIRED,
                      BetState.CANCELLED, BetState.TOMBSTONE})  # fmt: skip
"""States in which the answers to the provider must equal the casino's list, once no payment is under way."""


def compare(bet: Bet, seen: InfoList, terms: Terms) -> tuple[Found, ...]:
    """Return every difference between the three records; empty if they agree. Undecided payments are no difference."""
    d = Draft(bet, terms)
    found = [one for kind in PaymentKind for one in _of_kind(d, kind, lines_of(seen, kind))]
    at_rest = _at_rest(bet) and all(_surely_listed(terms, payment) for payment in bet.payments.values())
    if not found and at_rest and (words := _answered_otherwise(bet, seen)) is not None:
        found.append(Found(Difference.TOLD, None, words))
    return tuple(found)


def doubles(seen: InfoList) -> list[Found]:
    """Return the payments that the casino lists more than once, whatever the hub's record says."""
    return [one for kind in PaymentKind if (one := _double(kind, lines_of(seen, kind))) is not None]


def _double(kind: PaymentKind, lines: list[Contents]) -> Found | None:
    if len(lines) < 2:
        return None
    words = "; ".join(sorted(map(_said, lines)))
    return Found(Difference.BOOKED_TWICE, kind, f"listed {len(lines)} times: {words}")


def never_ordered(bet: Bet, seen: InfoList) -> set[PaymentKind]:
    """Return the kinds that the casino lists and the hub never ordered."""
    return {line.kind for line in seen.payments if line.kind is not None} - set(bet.payments)


def _of_kind(d: Draft[Bet], kind: PaymentKind, lines: list[Contents]) -> list[Found]:
    payment, double = d.payments.get(kind), _double(kind, lines)
    found = [] if double is None else [double]
    if payment is None:
        return found + [Found(Difference.NOT_IN_HUB, kind, f"listed with {_said(one)}") for one in lines[:1]]
    if lines:
        return found + _known_and_listed(d, payment, lines)
    if payment.state is PaymentState.ACCEPTED and _surely_listed(d.terms, payment):
        found.append(Found(Difference.FORGOTTEN, kind, f"accepted as {payment.partner_tx or 'a person said'}"))
    return found


def _known_and_listed(d: Draft[Bet], payment: Payment, lines: list[Contents]) -> list[Found]:
    kind, line = payment.kind, line_of(d, payment, InfoList(tuple(lines)))
    assert line is not None
    wrong = [word for word in differences(d, payment, line) if word in _FACTS]
    found = [Found(_FACTS[word], kind, f"listed with {_said(line)}") for word in wrong]
    if payment.state in (PaymentState.REFUSED, PaymentState.EXPIRED):
        found.append(Found(Difference.BOOKED_AFTER_ALL, kind, f"{payment.state.value} here, and listed"))
    numbers = {line.partner_tx for line in lines}
    if payment.state is PaymentState.ACCEPTED and payment.partner_tx is not None and payment.partner_tx not in numbers:
        found.append(Found(Difference.NUMBER, kind, f"accepted as {payment.partner_tx}, listed as {line.partner_tx}"))
    return found


def _said(line: Contents) -> str:
    tax = f", tax {line.tax}" if line.tax else ""
    return f"{line.amount}{tax} for {line.player_ref} as {line.partner_tx or 'no number'}"


def _surely_listed(terms: Terms, payment: Payment) -> bool:
    """Return whether a payment is old enough to be listed: an accept may be slightly ahead of the casino's own list."""
    decided_ms = payment.decided_ms or payment.created_ms
    return terms.waits.after_ms(decided_ms, terms.waits.accept_wait_s) <= terms.now_ms


# --- the provider's record --------------------------------------------------------------------------------


def net_by_answers(bet: Bet) -> int:
    """Return the change of the player's wallet according to the answers given to the provider; minor units."""
    if bet.refund_answer == OK:
        return 0
    won = (bet.win or 0) if bet.pay_out_answer == OK else 0
    return won - (bet.stake if bet.pay_in_answer == OK else 0)


def _answered_otherwise(bet: Bet, seen: InfoList) -> str | None:
    """Return the difference between the provider's answers and the sum of the casino's list as text, or None."""
    net = _net(bet, seen)
    if net is None or net == net_by_answers(bet):
        return None
    given = {"pay-in": bet.pay_in_answer, "pay-out": bet.pay_out_answer, "refund": bet.refund_answer}
    answers = ", ".join(f"{verb} {answer}" for verb, answer in given.items() if answer is not None) or "nothing"
    return f"the provider was told {answers}: {_signed(net_by_answers(bet), bet)}; the casino lists {_signed(net, bet)}"


def _at_rest(bet: Bet) -> bool:
    """Return whether no payment is under way and none was given up by a person."""
    if bet.state not in _AT_REST:
        return False
    for payment in bet.payments.values():
        given_up = payment.state is PaymentState.REFUSED and payment.kind in GIVES
        if payment.undecided or payment.state is PaymentState.PARKED or given_up:
            return False
    owed_without_payment = bet.state is BetState.RETURNED and PaymentKind.BET_RETURN not in bet.payments
    return not (owed_without_payment and bet.stake and bet.origin is not Origin.JACKPOT)


def _net(bet: Bet, seen: InfoList) -> int | None:
    """Return the change of the wallet by the list, gross of tax; None if an amount cannot be read."""
    try:
        amounts = [(line.kind, parse_amount(line.amount or "", bet.currency)) for line in seen.payments]
    except BadAmount:
        return None
    return sum(amount if kind in GIVES else -amount for kind, amount in amounts)


def _signed(minor: int, bet: Bet) -> str:
    sign = "-" if minor < 0 else "+"
    return f"{sign}{format_amount(abs(minor), bet.currency)} {bet.currency}"
