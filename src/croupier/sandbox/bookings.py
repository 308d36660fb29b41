"""The records of the sandbox casino: received makes, bookings, and refusals with their codes.

Owns: the value types and the one table of codes and texts. Never: a rule (wallet). Spec: casino.md 1.1 and 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from croupier.core.money import format_amount

SUCCESS = 200
EXISTS = 103804


class RefusalCode(IntEnum):
    """The refusals of casino.md 1.1, by their number on the wire."""

    USER_NOT_FOUND = 102145
    NOT_ADDED = 102823
    REQUEST_DATA = 103753
    USER_BLOCKED = 103779
    INCORRECT_AMOUNT = 103801
    NOT_ENOUGH_FUNDS = 103802
    BET_NOT_FOUND = 103805


TEXTS: dict[int, str] = {
    SUCCESS: "Success",
    EXISTS: "Transaction already exists",
    RefusalCode.USER_NOT_FOUND: "User not found",
    RefusalCode.NOT_ADDED: "Error adding transaction",
    RefusalCode.REQUEST_DATA: "Request data error",
    RefusalCode.USER_BLOCKED: "User blocked",
    RefusalCode.INCORRECT_AMOUNT: "Incorrect amount",
    RefusalCode.NOT_ENOUGH_FUNDS: "Not enough funds",
    RefusalCode.BET_NOT_FOUND: "Bet not found",
}
"""The text that goes with each code."""


class BookKind(Enum):
    """The number space of a payment: bets and cashbacks have separate ids."""

    PAYMENTS = "payments"
    CASHBACK = "cashback"


class TransactionType(IntEnum):
    """TransactionType. In the cashback book only 1 (payment) and -1 (its cancellation) exist."""

    STAKE = -1
    PAYOUT = 1
    BET_RETURN = 2
    PAYOUT_RETURN = -2
    JACKPOT = 4


BookingKey = tuple[BookKind, int, int]


@dataclass(frozen=True, slots=True)
class Demand:
    """One received make. Amounts are decimal text, because only the player's account has a currency."""

    book: BookKind
    subject_id: int
    """BetId or CashbackId."""
    kind: int
    player: str
    amount: str
    tax: str | None = None

    @property
    def key(self) -> BookingKey:
        """Return the unique key of the booking."""
        return (self.book, self.subject_id, self.kind)


@dataclass(frozen=True, slots=True)
class Booking:
    """One booked payment. Amounts are minor units; `net` is the signed change of the player's balance."""

    book: BookKind
    subject_id: int
    kind: int
    player: str
    currency: str
    amount: int
    tax: int | None
    net: int
    partner_tx: str
    booked_ms: int

    @property
    def key(self) -> BookingKey:
        """Return the unique key of the booking."""
        return (self.book, self.subject_id, self.kind)


@dataclass(frozen=True, slots=True)
class Booked:
    """The make was booked by this call."""

    booking: Booking


@dataclass(frozen=True, slots=True)
class Repeated:
    """The make had been booked before, and nothing changed. `booking` is the first attempt's."""

    booking: Booking


@dataclass(frozen=True, slots=True)
class Declined:
    """The make was refused, and nothing changed."""

    code: int


BookingOutcome = Booked | Repeated | Declined


def plain(minor: int, currency: str) -> str:
    """Return an amount as its shortest decimal text: `7100.5`, `12`, `0`. The protocol accepts any spelling."""
    text = format_amount(minor, currency)
    return text.rstrip("0").rstrip(".") if "." in text else text
