"""The times at which payments were created, accepted or ended otherwise, as their commits took effect.

Owns: the times that the check of balances needs, in virtual seconds. Never: judges.
"""

from __future__ import annotations

PLAIN = ("created", "sent", "accepted")
FOR_EVER = float("inf")
Payment = tuple[int, str]
"""Bet or cashback, and the kind of the payment."""


class PaymentTimes:
    """The times of one run."""

    def __init__(self) -> None:
        self.created_s: dict[Payment, float] = {}
        self.accepted_s: dict[Payment, float] = {}
        self.ended_s: dict[Payment, float] = {}
        """The last time at which a payment was refused or expired."""
        self.parked_s: dict[Payment, tuple[float, float]] = {}
        """The last time for which a payment was parked."""
        self.odd: set[Payment] = set()
        """Payments that were refused, expired or parked for a while: a casino may have booked them in the meantime."""
        self.based_s: dict[object, float] = {}
        """For each player, the first time that a casino's report became the base of the balance."""
        self.skewed_s = FOR_EVER
        """The time at which a hub's clock first jumped."""

    def moved(self, subject_id: int, kind: str, state: str, *, now_s: float) -> None:
        """Record that a commit put this payment into this state."""
        payment = subject_id, kind
        self.created_s.setdefault(payment, now_s)
        if state == "accepted":
            self.accepted_s.setdefault(payment, now_s)
        elif state not in PLAIN:
            self.odd.add(payment)
        if payment in self.parked_s and self.parked_s[payment][1] == FOR_EVER and state != "parked":
            self.parked_s[payment] = self.parked_s[payment][0], now_s
        if state == "parked":
            self.parked_s[payment] = now_s, FOR_EVER
        if state in ("refused", "expired"):
            self.ended_s[payment] = now_s

    def jumped(self, now_s: float) -> None:
        """Record that a hub's clock jumped."""
        self.skewed_s = min(self.skewed_s, now_s)

    def based(self, player_id: object, now_s: float) -> None:
        """Record that a casino's report became the base of this player's balance."""
        self.based_s.setdefault(player_id, now_s)
