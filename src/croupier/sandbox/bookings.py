"""The records of the sandbox casino's books: makes as they came, bookings, refusals with their codes.

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
    """Payments of bets and cashback payments are numbered apart."""

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
    """One make as it came. Amounts are decimal text: only the player's account knows the currency."""

    book: BookKind
    subject_id: int
    """BetId or CashbackId."""
    kind: int
    player: str
    amount: str
    tax: str | None = None

    @property
    def key(self) -> BookingKey:
        """What a casino keys its bookings on."""
        return (self.book, self.subject_id, self.kind)


@dataclass(frozen=True, slots=True)
class Booking:
    """One payment in the books. Amounts are minor units; `net` is what it did to the player's balance, signed."""

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
        """What a casino keys its bookings on."""
        return (self.book, self.subject_id, self.kind)


@dataclass(frozen=True, slots=True)
class Booked:
    """The make was booked now."""

    booking: Booking


@dataclass(frozen=True, slots=True)
class Repeated:
    """It had been booked before; nothing moved. The booking is the first attempt's."""

    booking: Booking


@dataclass(frozen=True, slots=True)
class Declined:
    """Refused; nothing moved."""

    code: int


BookingOutcome = Booked | Repeated | Declined


def plain(minor: int, currency: str) -> str:
    """An amount in its shortest decimal text: `7100.5`, `12`, `0`. As good a spelling as any other on this wire."""
    text = format_amount(minor, currency)
    return text.rstrip("0").rstrip(".") if "." in text else text
