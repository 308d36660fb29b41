"""Outcomes of a payment that were applied before: the same outcome again changes nothing.

The payment's state tells which outcome ended it. An outcome that did not end it (a contradiction, a refusal of owed
money, a success that was not accepted) is stored on the payment as a hash of its contents, with its verdict. The
casino's Message is not part of the contents, because it may hold a time or a number.

Owns: these marks. Never: judges an outcome (outcomes). Spec: casino.md 1.2 ("the same outcome again").
"""

from __future__ import annotations

import hashlib

from croupier.core.money import BadAmount, parse_amount
from croupier.core.payment import Payment
from croupier.core.readings import Contents, Exists, No, PaymentOutcome
from croupier.core.records import evolve
from croupier.core.words import Word

MOST = 20
"""The largest number of marks on one payment; beyond it the oldest is dropped."""
_HEX = 16


class Verdict(Word):
    """The hub's answer to an accept."""

    OK = "ok"
    CONFLICT = "conflict"


_LETTERS = {Verdict.OK: "o", Verdict.CONFLICT: "c"}
_VERDICTS = {letter: verdict for verdict, letter in _LETTERS.items()}


def verdict_on(payment: Payment, outcome: PaymentOutcome, currency: str) -> Verdict | None:
    """Return the earlier verdict on the same outcome; None if it is new."""
    if not payment.heard:
        return None
    mark = _mark(outcome, currency)
    found = [word for word in _words(payment) if word[1:] == mark]
    return _VERDICTS[found[0][0]] if found else None


def with_mark(payment: Payment, outcome: PaymentOutcome, currency: str, *, verdict: Verdict) -> Payment:
    """Return the payment with a mark of this outcome and its verdict."""
    mark = _mark(outcome, currency)
    others = [word for word in _words(payment) if word[1:] != mark]
    return evolve(payment, heard=" ".join([*others, _LETTERS[verdict] + mark][-MOST:]))


def _words(payment: Payment) -> list[str]:
    return (payment.heard or "").split()


def _mark(outcome: PaymentOutcome, currency: str) -> str:
    facts: tuple[object, ...]
    if isinstance(outcome, No):
        facts = ("no", outcome.code)
    elif isinstance(outcome, Exists):
        facts = ("exists", *_facts(outcome.contents, currency))
    else:
        facts = ("yes", *_facts(outcome.contents, currency))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:_HEX]


def _facts(said: Contents | None, currency: str) -> tuple[object, ...]:
    if said is None:
        return ()
    kind = None if said.kind is None else said.kind.value
    amount = _number(said.amount, currency)
    # Beside an amount, no TaxAmount states a tax of 0.
    tax = 0 if said.tax is None and amount is not None else _number(said.tax, currency)
    return said.subject_id, said.player_ref, kind, amount, tax, said.partner_tx


def _number(text: str | None, currency: str) -> int | str | None:
    """Return an amount as a number, or the text if it is not an amount."""
    try:
        return None if text is None else parse_amount(text, currency)
    except BadAmount:
        return text
