"""The wallet of the sandbox casino: players, their balances, and every booked payment.

Owns: the rules by which an honest casino books or refuses a make. Pure: no I/O, no clock, no randomness (the
casino's own payment id and the time are parameters). Never: a wire record, or a float. Spec: casino.md 1.1
(the codes) and casino.md 2.2 (the types). The key of a booking is bet and type, because nothing else identifies it on the wire.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from croupier.core.money import BadAmount, parse_amount
from croupier.sandbox.bookings import (
    Booked,
    Booking,
    BookingKey,
    BookingOutcome,
    BookKind,
    Declined,
    Demand,
    RefusalCode,
    Repeated,
    TransactionType,
)

_UNDOES: dict[tuple[BookKind, int], TransactionType] = {
    (BookKind.PAYMENTS, TransactionType.BET_RETURN): TransactionType.STAKE,
    (BookKind.PAYMENTS, TransactionType.PAYOUT_RETURN): TransactionType.PAYOUT,
    (BookKind.CASHBACK, TransactionType.STAKE): TransactionType.PAYOUT,
}
"""The reversed type of each reversal. The cancellation of a cashback (-1) reverses its payment (1)."""

_TAXED = {
    (BookKind.PAYMENTS, TransactionType.PAYOUT),
    (BookKind.PAYMENTS, TransactionType.JACKPOT),
    (BookKind.CASHBACK, TransactionType.PAYOUT),
}


@dataclass(slots=True)
class Account:
    """One player's money in minor units. `opening` is the balance without any booking."""

    player: str
    currency: str
    opening: int
    balance: int
    blocked: bool = False


class Wallet:
    """Every account and booking of one casino. An unknown player is created unless `open_door` is False."""

    def __init__(self, currency: str, opening: str) -> None:
        self.currency = currency
        self.opening = opening
        self.open_door = True
        """False: an unknown player is refused as not found."""
        self._accounts: dict[str, Account] = {}
        self._booked: dict[BookingKey, Booking] = {}
        self._by_subject: defaultdict[tuple[BookKind, int], list[Booking]] = defaultdict(list)
        self._closed: set[int] = set()

    # --- players ----------------------------------------------------------------------------------------------

    def account(self, player: str) -> Account | None:
        """Return the player's account and create it if it is missing. None if `open_door` is False and the player unknown."""
        known = self._accounts.get(player)
        if known is None and self.open_door:
            known = self._open(player, self.currency, parse_amount(self.opening, self.currency))
        return known

    def players(self) -> list[str]:
        """Return every known player."""
        return list(self._accounts)

    def set_balance(self, player: str, balance: str, currency: str | None = None) -> Account:
        """Set the balance, and create an unknown player. Raises BadAmount, UnknownCurrency, ValueError."""
        known = self._accounts.get(player)
        currency = currency or (known.currency if known else self.currency)
        minor = parse_amount(balance, currency)
        if known is None:
            return self._open(player, currency, minor)
        if known.currency != currency:
            raise ValueError("a player keeps the first currency")
        known.opening += minor - known.balance
        known.balance = minor
        return known

    def _open(self, player: str, currency: str, minor: int) -> Account:
        account = self._accounts[player] = Account(player, currency, minor, minor)
        return account

    # --- bookings ---------------------------------------------------------------------------------------------

    def book(self, demand: Demand, *, partner_tx: str, now_ms: int) -> BookingOutcome:
        """Book one make, or return its refusal. A retry changes nothing, whatever happened in between."""
        first = self._booked.get(demand.key)
        if first is not None:
            return Repeated(first)
        account = self.account(demand.player)
        if account is None:
            return Declined(RefusalCode.USER_NOT_FOUND)
        try:
            amount, tax = _amounts(demand, account.currency)
        except BadAmount:
            return Declined(RefusalCode.INCORRECT_AMOUNT)
        objection = self._objection(demand, account, amount)
        if objection is not None:
            return Declined(objection)
        net = self._net(demand, amount, tax or 0)
        if net < 0 and account.balance + net < 0:
            return Declined(RefusalCode.NOT_ENOUGH_FUNDS)
        booking = Booking(
            demand.book, demand.subject_id, demand.kind, demand.player, account.currency, amount, tax, net,
            partner_tx, now_ms,
        )  # fmt: skip
        self._enter(booking)
        return Booked(booking)

    def bookings(self, book: BookKind, subject_id: int) -> list[Booking]:
        """Return the bookings of one bet or cashback, in order, without forgotten ones."""
        return list(self._by_subject.get((book, subject_id), ()))

    def bookings_of(self, player: str) -> list[Booking]:
        """Return the bookings of one player."""
        return [booking for group in self._by_subject.values() for booking in group if booking.player == player]

    def close(self, bet_id: int, *, closed: bool) -> RefusalCode | None:
        """Close a bet to further payments, or reopen it. Both are idempotent. Return the refusal, or None."""
        if not self.bookings(BookKind.PAYMENTS, bet_id):
            return RefusalCode.BET_NOT_FOUND
        (self._closed.add if closed else self._closed.discard)(bet_id)
        return None

    def is_closed(self, bet_id: int) -> bool:
        """Return whether the bet is closed to further payments."""
        return bet_id in self._closed

    # --- what a casino must not do, for the tests --------------------------------------------------------------

    def book_again(self, first: Booking, partner_tx: str) -> Booking:
        """Book one make a second time, as a fault. The balance changes again and the bet lists both."""
        again = Booking(
            first.book, first.subject_id, first.kind, first.player, first.currency, first.amount, first.tax, first.net,
            partner_tx, first.booked_ms,
        )  # fmt: skip
        self._enter(again)
        self._booked[first.key] = first
        return again

    def forget(self, booking: Booking) -> None:
        """Drop a booking, as a fault. The balance keeps its change."""
        self._booked.pop(booking.key, None)
        self._by_subject[booking.book, booking.subject_id].remove(booking)

    # --- the rules --------------------------------------------------------------------------------------------

    def _objection(self, demand: Demand, account: Account, amount: int) -> RefusalCode | None:
        """Return the code of the first rule that refuses the make, before the balance is checked."""
        if demand.book is BookKind.PAYMENTS and self.is_closed(demand.subject_id):
            return RefusalCode.NOT_ADDED
        beside = self.bookings(demand.book, demand.subject_id)
        if any(other.player != demand.player for other in beside):
            return RefusalCode.REQUEST_DATA
        if (demand.book, demand.kind) in _UNDOES:
            return self._undo_objection(demand, amount, beside)
        if demand.book is BookKind.CASHBACK or demand.kind == TransactionType.JACKPOT:
            return None
        if demand.kind == TransactionType.STAKE:
            return RefusalCode.USER_BLOCKED if account.blocked else None
        return _payout_objection(beside)

    def _undo_objection(self, demand: Demand, amount: int, beside: list[Booking]) -> RefusalCode | None:
        kinds = {booking.kind for booking in beside}
        undone = self._undone(demand)
        if undone is None:
            return RefusalCode.NOT_ADDED if kinds else RefusalCode.BET_NOT_FOUND
        if undone.amount != amount:
            return RefusalCode.INCORRECT_AMOUNT
        if demand.kind == TransactionType.BET_RETURN and _standing_win(beside):
            return RefusalCode.NOT_ADDED
        return RefusalCode.NOT_ADDED if TransactionType.BET_RETURN in kinds else None

    def _undone(self, demand: Demand) -> Booking | None:
        return self._booked.get((demand.book, demand.subject_id, _UNDOES[demand.book, demand.kind]))

    def _net(self, demand: Demand, amount: int, tax: int) -> int:
        if (demand.book, demand.kind) in _UNDOES:
            undone = self._undone(demand)
            assert undone is not None
            return -undone.net
        if demand.kind == TransactionType.STAKE:
            return -amount
        return amount - tax if (demand.book, demand.kind) in _TAXED else amount

    def _enter(self, booking: Booking) -> None:
        self._booked[booking.key] = booking
        self._by_subject[booking.book, booking.subject_id].append(booking)
        self._accounts[booking.player].balance += booking.net


def _amounts(demand: Demand, currency: str) -> tuple[int, int | None]:
    """Return amount and tax in minor units. Raises BadAmount if the tax exceeds the amount."""
    amount = parse_amount(demand.amount, currency)
    tax = None if demand.tax is None else parse_amount(demand.tax, currency)
    if (tax or 0) > amount:
        raise BadAmount("the tax is more than the amount")
    return amount, tax


def _payout_objection(beside: list[Booking]) -> RefusalCode | None:
    kinds = {booking.kind for booking in beside}
    if TransactionType.STAKE not in kinds:
        return RefusalCode.BET_NOT_FOUND
    return RefusalCode.NOT_ADDED if TransactionType.BET_RETURN in kinds else None


def _standing_win(beside: list[Booking]) -> bool:
    """Return whether a payout above zero was booked and not reversed."""
    kinds = {booking.kind for booking in beside}
    return any(booking.kind == TransactionType.PAYOUT and booking.amount for booking in beside) and (
        TransactionType.PAYOUT_RETURN not in kinds
    )
