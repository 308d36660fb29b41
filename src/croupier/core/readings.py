"""What a casino said, read into a closed list of meanings. The codec of a protocol produces these.

Owns: the value types. Never: wire codes, and never a guess: what is not understood is `Unknown`,
which is neither a yes nor a no. Spec: casino.md 1.1 and 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from croupier.core.refusals import CasinoNo


class PaymentKind(Enum):
    """One money movement's direction and purpose. At most one of each kind per bet, ever."""

    STAKE = "stake"
    PAYOUT = "payout"
    BET_RETURN = "bet_return"
    PAYOUT_RETURN = "payout_return"
    JACKPOT = "jackpot"
    CASHBACK = "cashback"
    CASHBACK_CANCEL = "cashback_cancel"


@dataclass(frozen=True, slots=True)
class Contents:
    """The facts of a payment as the casino states them. Amounts stay text until the currency is known."""

    subject_id: int | None
    """BetId or CashbackId."""
    player_ref: str | None
    kind: PaymentKind | None
    amount: str | None
    """Decimal text in the player's currency, major units."""
    tax: str | None
    partner_tx: str | None
    """PartnerTransactionId: the casino's own id of the payment."""


@dataclass(frozen=True, slots=True)
class Received:
    """The casino has the order; the outcome comes by accept."""


@dataclass(frozen=True, slots=True)
class Yes:
    """The casino booked it. `balance` is decimal text if the casino told it."""

    contents: Contents
    balance: str | None = None


@dataclass(frozen=True, slots=True)
class Exists:
    """It says "transaction already exists": a yes if `contents` equals the first attempt, which may be missing."""

    contents: Contents | None


@dataclass(frozen=True, slots=True)
class No:
    """The casino definitely refused. `code` and `message` are the casino's own words, kept."""

    reason: CasinoNo
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing can be concluded. `why` is one short line for the person who looks."""

    why: str
    ours: bool = False
    """It was never asked, and not for the casino's sake: nothing left the hub."""
    sent: bool = True
    """False only if it is certain that nothing of the call left this process."""


Acknowledgement = Received | Yes | Exists | No | Unknown
"""Every meaning of the answer to a make (casino.md 2.1)."""

Outcome = Yes | Exists | No
"""Every meaning of an accept (casino.md 1.1): any code there is the casino's last word."""


@dataclass(frozen=True, slots=True)
class InfoList:
    """A usable `payments/info` answer: every payment the casino knows of the bet; may be empty."""

    payments: tuple[Contents, ...]


InfoReading = InfoList | Unknown


@dataclass(frozen=True, slots=True)
class CloseDone:
    """The casino confirmed a close or a reopen."""


CloseReading = CloseDone | Unknown


@dataclass(frozen=True, slots=True)
class Authorized:
    """A good `users/auth` answer."""

    refresh_token: str
    player_ref: str
    currency: str
    is_test: bool = False
    language: str | None = None
    country: str | None = None
    balance: str | None = None


AuthReading = Authorized | No | Unknown


@dataclass(frozen=True, slots=True)
class BalanceTold:
    """A good `users/data` answer; decimal text, major units, perhaps negative or finer than the currency."""

    balance: str


@dataclass(frozen=True, slots=True)
class BalanceOdd:
    """A good answer without a balance that can be read. `said` quotes what stood there, in a short line."""

    said: str


BalanceReading = BalanceTold | BalanceOdd | No | Unknown
