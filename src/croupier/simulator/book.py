"""The book of a simulated casino: its bookings, refusals and closed bets.

Owns: the records, and their sums per bet and player. Never: decides (sim_casino), judges (judge, witness).
Amounts are minor units of the player's currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Key = tuple[int, int, bool]
"""(BetId or CashbackId, TransactionType, whether it is a cashback)."""
STAKE = (-1, False)
PAYOUT = (1, False)
JACKPOT = (4, False)
RETURN = (2, False)
PAYOUT_RETURN = (-2, False)
TAKES = (STAKE, PAYOUT_RETURN, (-1, True))


@dataclass(slots=True)
class BookedPayment:
    """One payment in the casino's book. `times` counts how often it moved money."""

    player: str
    amount: int
    tx: str
    currency: str = "EUR"
    tax: int | None = None
    times: int = 1
    forgotten: bool = False


@dataclass(slots=True)
class CasinoBook:
    """All bookings of the casino, and the bets that it closed."""

    bookings: dict[Key, BookedPayment] = field(default_factory=dict)
    refused: dict[Key, int] = field(default_factory=dict)
    """Payments that it refuses for good, with the code of the refusal."""
    closed: set[int] = field(default_factory=set)
    given_back: set[int] = field(default_factory=set)
    """Bets whose stake it returned by itself, which no casino may do. Its list shows the return."""
    strays: set[Key] = field(default_factory=set)
    """Bookings that its list shows beside a second line of another amount, which moved no money."""
    _of: dict[tuple[int, bool], list[Key]] = field(default_factory=dict)
    _players: dict[str, list[Key]] = field(default_factory=dict)

    def write(self, key: Key, booking: BookedPayment) -> None:
        """Write a booking, in place of a forgotten one under the same key."""
        if key not in self.bookings:
            self._of.setdefault((key[0], key[2]), []).append(key)
            self._players.setdefault(booking.player, []).append(key)
        self.bookings[key] = booking

    def of(self, subject_id: int, *, cashback: bool = False) -> list[Key]:
        """Return the keys booked for a bet or cashback, in order."""
        return self._of.get((subject_id, cashback), [])

    def holds(self, key: Key) -> bool:
        """Return whether it has booked this payment and not forgotten it."""
        booking = self.bookings.get(key)
        return booking is not None and not booking.forgotten

    def lists_twice(self, key: Key) -> bool:
        """Return whether its list shows this booking twice."""
        return self.holds(key) and (self.bookings[key].times > 1 or key in self.strays)

    def net(self, subject_id: int, *, cashback: bool = False) -> int:
        """Return the net amount that one bet or cashback moved in its player's wallet, before tax."""
        mine = ((key, self.bookings[key]) for key in self.of(subject_id, cashback=cashback))
        return sum(moved(key, booking, booking.amount) for key, booking in mine)

    def wallet(self, player: str) -> int:
        """Return the sum of all bets and cashbacks in a player's wallet, less the tax that the casino kept."""
        mine = ((key, self.bookings[key]) for key in self._players.get(player, ()))
        return sum(moved(key, booking, booking.amount - (booking.tax or 0)) for key, booking in mine)


def moved(key: Key, booking: BookedPayment, amount: int) -> int:
    """Return the amount, with its sign, that a booking moved in its player's wallet."""
    sign = -1 if key[1:] in TAKES else 1
    return sign * amount * (0 if booking.forgotten else booking.times)
