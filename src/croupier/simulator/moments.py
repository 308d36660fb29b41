"""When payments began, were accepted or went wrong, as their commits landed.

Owns: the times that the judge of balances needs, in virtual seconds. Never: judges.
"""

from __future__ import annotations

PLAIN = ("created", "sent", "accepted")
Payment = tuple[int, str]
"""Bet or cashback, and the kind of payment."""


class Moments:
    """The times of one run."""

    def __init__(self) -> None:
        self.created_s: dict[Payment, float] = {}
        self.accepted_s: dict[Payment, float] = {}
        self.odd: set[Payment] = set()
        """Payments that were refused, expired or parked for a while: a casino may have booked them meanwhile."""
        self.based_s: dict[object, float] = {}
        """Player to the first time that a casino's word became the base of the balance."""
        self.skewed_s = float("inf")
        """When the first clock of a hub jumped."""

    def moved(self, subject_id: int, kind: str, state: str, *, now_s: float) -> None:
        """A commit put this payment into this state."""
        payment = subject_id, kind
        self.created_s.setdefault(payment, now_s)
        if state == "accepted":
            self.accepted_s.setdefault(payment, now_s)
        elif state not in PLAIN:
            self.odd.add(payment)

    def jumped(self, now_s: float) -> None:
        """A hub's clock jumped."""
        self.skewed_s = min(self.skewed_s, now_s)

    def based(self, player_id: object, now_s: float) -> None:
        """A casino's word became the base of this player's balance."""
        self.based_s.setdefault(player_id, now_s)
