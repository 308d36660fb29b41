"""The checks of one casino on the hub's calls: their form, order and number, as the contract promises.

Owns: a record of every make and close, and the complaints. Never: answers (sim_casino). A complaint is made only of
what no fault of the network can have caused. Spec: casino.md 2, money.md 2.2, 2.3, 2.8, 3.8, 3.9 and 5.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection
from typing import Any, NamedTuple

from croupier.simulator.amounts import minor_of, tax_of
from croupier.simulator.book import PAYOUT, PAYOUT_RETURN, RETURN, STAKE, TAKES, CasinoBook, Key
from croupier.simulator.dials import Dials
from croupier.simulator.matrix import Matrix

FIELDS = {"BetId", "CashbackId", "PartnerUserId", "TransactionType", "Amount", "TaxAmount", "TagId", "PromoCode"}
QUERIED = (STAKE, RETURN, PAYOUT_RETURN)
"""Payments that a list without them may end."""
KINDS = {-1: "stake", 1: "payout", 2: "bet_return", -2: "payout_return", 4: "jackpot"}
"""The hub's name of each TransactionType of a bet."""
VALID_S = 10
"""Validity of an envelope in seconds (casino.md 2)."""
SKEW_S = 10
"""Tolerance for the hub's clock in seconds (money.md 2.4)."""
TAXED = (PAYOUT, PAYOUT_RETURN, (4, False))
MOST_MAKES = 150
"""More makes of one payment than any schedule gives in the hours of a run, including copies of the network (I17)."""
SLACK_S = 2
"""Signing and committing both round to whole seconds."""


class Complaint(NamedTuple):
    """A violation of the contract."""

    invariant: str
    subject_id: int
    text: str


class Stated(NamedTuple):
    """The contents of a make. Amounts are minor units."""

    player: str
    amount: int
    currency: str
    tax: int | None


class Witness:
    """The records of one casino."""

    def __init__(self, book: CasinoBook, dials: Dials, *, currencies: dict[str, str], hub: Matrix) -> None:
        self.complaints: list[Complaint] = []
        self.makes: Counter[Key] = Counter()
        self.tried: dict[Key, set[int]] = {}
        """The seconds in which makes of owed money were signed. A copy by the network has its original's second."""
        self.refused: Counter[Key] = Counter()
        """Number of its refusals of each payment, resent ones too; not all of them may have arrived."""
        self.absent_ms: dict[Key, list[int]] = {}
        """The instants at which it answered a query for a bet without this payment in the list."""
        self.valid_until_ms: dict[Key, int] = {}
        """The instant until which a casino may believe a make of this payment, of those that arrived."""
        self.contradicted: dict[Key, str] = {}
        """Payments about which it reported an impossible outcome that the hub rejected, with the outcome."""
        self.words: dict[int, set[str]] = {}
        """All different statements of the casino about a bet or cashback, received or not."""
        self.ended: set[int] = set()
        """Bets that were closed after their last booking."""
        self.closed_s: dict[int, list[int]] = {}
        """The seconds in which the closes of each bet were signed."""
        self._balances: dict[str, list[tuple[float, int]]] = {}
        self._book = book
        self._dials = dials
        self._currencies = currencies
        self._hub = hub
        self._tax_bp = dials.tax_bp
        self._first: dict[Key, str] = {}
        self.first_signed_s: dict[Key, int] = {}
        """The second in which the first make of each payment that arrived was signed."""
        self.unknown: set[Key] = set()
        """Payments that it has refused because it does not know their bet."""
        self.spoken: set[Key] = set()
        """Payments of which the outcome is on its way to the hub."""
        self._reopened: set[int] = set()
        self._own_returns: set[int] = set()

    def complain(self, invariant: str, subject_id: int, text: str) -> None:
        """Record a violation."""
        self.complaints.append(Complaint(invariant, subject_id, text))

    def read(self, key: Key, data: dict[str, Any]) -> Stated | None:
        """Return the contents of a make, or None if it does not have the contract's form."""
        try:
            player = data["PartnerUserId"]
            currency = self._currencies.get(player, "EUR")
            tax = minor_of(data["TaxAmount"], currency) if "TaxAmount" in data else None
            stated = Stated(player, minor_of(data["Amount"], currency), currency, tax)
        except (ValueError, KeyError) as problem:
            self.complain("I15", key[0], f"type {key[1]} cannot be read: {problem}")
            return None
        if not set(data) <= FIELDS:
            self.complain("I15", key[0], f"type {key[1]} has fields that the contract does not know")
        return stated

    def heard(self, key: Key, data: dict[str, Any], stated: Stated, *, signed_s: int) -> None:
        """Check a make, whether new or repeated."""
        self.makes[key] += 1
        self.first_signed_s.setdefault(key, signed_s)
        until_ms = 1000 * (signed_s + VALID_S + SKEW_S)
        self.valid_until_ms[key] = max(until_ms, self.valid_until_ms.get(key, 0))
        if key[1:] not in TAKES:
            self.tried.setdefault(key, set()).add(signed_s)
        if self.makes[key] == MOST_MAKES:
            self.complain("I17", key[0], f"type {key[1]} was sent {MOST_MAKES} times")
        text = json.dumps(data)
        if self._first.setdefault(key, text) != text:
            self.complain("I5", key[0], f"type {key[1]} came again with other contents")
        if key[1:] == STAKE:
            self._in_its_time(key, signed_s)
        elif self.makes[key] == 1:
            # The network may deliver a copy at any time later, also of a refused make, which is in no book.
            self._in_its_order(key, stated)
        self._of_its_player(key, stated)

    def said(self, value: dict[str, Any], code: int) -> None:
        """Record a statement about a payment, without the balance beside it."""
        stated = {name: told for name, told in value.items() if name != "Balance"}
        subject_id: int = value["CashbackId"] if "CashbackId" in value else value["BetId"]
        self.words.setdefault(subject_id, set()).add(json.dumps([code, stated], sort_keys=True))

    def said_balance(self, player: str, amount: int, now_s: float) -> None:
        """Record a reported balance of this player's wallet."""
        self._balances.setdefault(player, []).append((now_s, amount))

    def balances(self, player: str, since_s: float, until_s: float) -> set[int]:
        """Return the balances reported for this player's wallet between these times; virtual seconds, minor units."""
        said = self._balances.get(player, [])
        first, last = bisect_left(said, (since_s, -1)), bisect_right(said, (until_s, 1 << 62))
        return {amount for _, amount in said[first:last]}

    def listed(self, bet_id: int, known: Collection[Key], now_ms: int) -> None:
        """Record a list with these payments of a bet."""
        for kind in QUERIED:
            if (bet_id, *kind) not in known:
                self.absent_ms.setdefault((bet_id, *kind), []).append(now_ms)

    def returns_by_itself(self, bet_id: int) -> None:
        """Record a return that the casino reports or lists by itself. An order of the hub may then come after the close."""
        self._own_returns.add(bet_id)

    def ordered(self, subject_id: int, kind: str) -> bool:
        """Return whether the hub has committed an order of this payment, even if no call of it arrived."""
        return self._hub.state(subject_id, kind) is not None

    def hub_state(self, key: Key) -> str | None:
        """Return the state of this payment of a bet in the hub, as committed."""
        return self._hub.state(key[0], KINDS[key[1]])

    def spoke(self, key: Key) -> None:
        """Record that the outcome of this payment is on its way to the hub."""
        self.spoken.add(key)

    def booked(self, key: Key) -> None:
        """Record a booking. A bet that was closed before it has not ended yet."""
        self.ended.discard(key[0])

    def close(self, bet_id: int, *, closed: bool, signed_s: int) -> None:
        """Record a close or a reopening."""
        if closed:
            self.ended.add(bet_id)
            self.closed_s.setdefault(bet_id, []).append(signed_s)
        else:
            self._reopened.add(bet_id)

    def _in_its_time(self, key: Key, signed_s: int) -> None:
        """Check that a stake is sent within the hold time of its commit, unless a clock jumped or a process slept."""
        first_s = self.first_signed_s[key]
        if self._dials.times_compare and signed_s - first_s > self._dials.hold_s + SLACK_S:
            self.complain("I17", key[0], f"the stake was signed again after {signed_s - first_s} s")

    def _in_its_order(self, key: Key, stated: Stated) -> None:
        """Check that a bet has one payment at a time, and none while it is closed."""
        for other in self._book.of(key[0], cashback=key[2]):
            if other in (key, (key[0], *STAKE)) or other in self.spoken:
                continue
            if self._parked_loss(key, stated.amount) or self._parked_loss(other, self._book.bookings[other].amount):
                continue
            self.complain("I8", key[0], f"type {key[1]} came while type {other[1]} had no outcome")
        closed = key[0] in self._book.closed and key[0] not in self._reopened and key[0] not in self._own_returns
        if closed and not key[2]:
            self.complain("I4", key[0], f"type {key[1]} came to a closed bet")

    def _parked_loss(self, key: Key, amount: int) -> bool:
        """Allow a return beside a parked payout of 0, which delays nothing."""
        return key[1:] == PAYOUT and not amount and self._hub.state(key[0], "payout") == "parked"

    def _of_its_player(self, key: Key, stated: Stated) -> None:
        """Check that all payments of a bet are of one player, and that the tax is the agreed one."""
        for other in self._book.of(key[0], cashback=key[2]):
            player = self._book.bookings[other].player
            if player != stated.player:
                self.complain("I14", key[0], f"type {key[1]} is of {stated.player}, type {other[1]} of {player}")
        due = tax_of(stated.amount, self._tax_bp) if self._tax_bp is not None and key[1:] in TAXED else None
        if stated.tax != due:
            self.complain("I2", key[0], f"type {key[1]} of {stated.amount} states a tax of {stated.tax}, not {due}")
