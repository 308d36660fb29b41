"""Which words of a casino about a payment were taken in before: the same outcome again changes nothing.

What ends a payment is told by its state. What does not end it (a contradiction, a refusal of money that is owed, a
success that is not believed) is remembered on the payment by its contents, with the verdict that it got. The casino's
Message is not contents: it may carry a time or a number of its own.

Owns: those marks. Never: judges an outcome (outcomes). Spec: casino.md 1.2 ("the same outcome again").
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from enum import Enum

from croupier.core.money import BadAmount, parse_amount
from croupier.core.payment import Payment
from croupier.core.readings import Contents, Exists, No, Outcome

MOST = 20
"""So many different words are remembered of one payment; a casino that finds ever new ones loses the oldest."""
_HEX = 16


class Verdict(Enum):
    """What the casino is answered to an accept."""

    OK = "ok"
    CONFLICT = "conflict"


_LETTERS = {Verdict.OK: "o", Verdict.CONFLICT: "c"}
_VERDICTS = {letter: verdict for verdict, letter in _LETTERS.items()}


def verdict_on(payment: Payment, outcome: Outcome, currency: str) -> Verdict | None:
    """The verdict that these very words got before; None if they are new."""
    mark = _mark(outcome, currency)
    found = [word for word in _words(payment) if word[1:] == mark]
    return _VERDICTS[found[0][0]] if found else None


def with_words(payment: Payment, outcome: Outcome, currency: str, *, verdict: Verdict) -> Payment:
    """The payment, with these words remembered."""
    mark = _mark(outcome, currency)
    others = [word for word in _words(payment) if word[1:] != mark]
    return replace(payment, heard=" ".join([*others, _LETTERS[verdict] + mark][-MOST:]))


def _words(payment: Payment) -> list[str]:
    return (payment.heard or "").split()


def _mark(outcome: Outcome, currency: str) -> str:
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
    """Amounts are compared as numbers, where they are any."""
    try:
        return None if text is None else parse_amount(text, currency)
    except BadAmount:
        return text
