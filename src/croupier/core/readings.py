"""Readings: a closed list of meanings for the answers of a casino. The codec of a protocol produces them.

Owns: the value types. Never: wire codes, or a guess: an answer that is not understood is `Unknown`, which is neither
a yes nor a no. Spec: casino.md 1.1 and 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.refusals import CasinoNo
from croupier.core.words import Word


class PaymentKind(Word):
    """The direction and purpose of a payment. A bet has at most one of each kind, ever."""

    STAKE = "stake"
    PAYOUT = "payout"
    BET_RETURN = "bet_return"
    PAYOUT_RETURN = "payout_return"
    JACKPOT = "jackpot"
    CASHBACK = "cashback"
    CASHBACK_CANCEL = "cashback_cancel"


@dataclass(frozen=True, slots=True)
class Contents:
    """The facts of a payment as the casino states them. Amounts are text until the currency is known."""

    subject_id: int | None
    """BetId or CashbackId."""
    player_ref: str | None
    kind: PaymentKind | None
    amount: str | None
    """Decimal text in the player's currency, major units."""
    tax: str | None
    partner_tx: str | None
    """PartnerTransactionId, the casino's own id of the payment."""


@dataclass(frozen=True, slots=True)
class Received:
    """The casino has the order; the outcome follows by accept."""


@dataclass(frozen=True, slots=True)
class Yes:
    """The casino booked the payment. `balance` is decimal text, None if not stated."""

    contents: Contents
    balance: str | None = None


@dataclass(frozen=True, slots=True)
class Exists:
    """The casino answered "transaction already exists": a yes if `contents` equals the order. None if not stated."""

    contents: Contents | None


@dataclass(frozen=True, slots=True)
class No:
    """The casino refused. `code` and `message` are the casino's own."""

    reason: CasinoNo
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No conclusion is possible. `why` is one short line for the operator."""

    why: str
    ours: bool = False
    """True if nothing left the hub, for a reason that is not the casino's."""
    sent: bool = True
    """False only if no byte of the call can have left this process."""


Acknowledgement = Received | Yes | Exists | No | Unknown
"""Possible meanings of the answer to a make (casino.md 2.1)."""

PaymentOutcome = Yes | Exists | No
"""Possible meanings of an accept (casino.md 1.1): any code in it is final."""


@dataclass(frozen=True, slots=True)
class InfoList:
    """A usable `payments/info` answer: every payment of the bet that the casino has; may be empty."""

    payments: tuple[Contents, ...]


InfoReading = InfoList | Unknown


@dataclass(frozen=True, slots=True)
class CloseDone:
    """The casino's confirmation of a close or a reopen."""


CloseReading = CloseDone | Unknown


@dataclass(frozen=True, slots=True)
class Authorized:
    """A successful `users/auth` answer."""

    refresh_token: str
    player_ref: str
    currency: str
    is_test: bool = False
    language: str | None = None
    country: str | None = None
    balance: str | None = None


AuthReading = Authorized | No | Unknown


@dataclass(frozen=True, slots=True)
class BalanceKnown:
    """A successful `users/data` answer; decimal text, major units, possibly negative or finer than the currency."""

    balance: str


@dataclass(frozen=True, slots=True)
class BalanceUnreadable:
    """A successful answer whose balance cannot be read. `said` quotes its value on a short line."""

    said: str


BalanceReading = BalanceKnown | BalanceUnreadable | No | Unknown
