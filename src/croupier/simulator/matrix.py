"""A count of the faults that met payments in each state, to prove that rare combinations were reached.

Owns: the count of (state, fault), over the states of all payments of a run as they were written. Never: makes a fault.
Spec: money.md 5; the "sometimes" counters of a long run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

STATES = ("created", "sent", "accepted", "refused", "expired", "parked")
"""The states of a payment (money.md 2.1)."""


class Matrix:
    """The current state of each payment, and a count of the faults that met it."""

    def __init__(self) -> None:
        self.met: Counter[tuple[str, str]] = Counter()
        """Number of times that a fault met a payment in a state: (state, fault)."""
        self._states: dict[int, dict[str, str]] = {}
        self._standing: Counter[str] = Counter()
        self._names: dict[str, list[int]] = {}

    def named(self, ref: str, bet_id: int) -> None:
        """Record the provider's betId of a bet; another provider may use the same one."""
        self._names.setdefault(ref, []).append(bet_id)

    def state(self, subject_id: int, kind: str) -> str | None:
        """Return the state of this payment, or None if there is none."""
        return self._states.get(subject_id, {}).get(kind)

    def moved(self, subject_id: int, kind: str, state: str) -> None:
        """Record the new state of a payment."""
        states = self._states.setdefault(subject_id, {})
        old = states.get(kind)
        if old is not None:
            self._standing[old] -= 1
        states[kind] = state
        self._standing[state] += 1

    def strike(self, fault: str, subjects: Iterable[int | str] | None = None) -> None:
        """Count a fault that met these bets and cashbacks (ids, or a provider's betId); None: all of them."""
        if subjects is None:
            self.met.update((state, fault) for state, times in self._standing.items() if times > 0)
            return
        for name in subjects:
            for subject_id in self._names.get(name, ()) if isinstance(name, str) else (name,):
                self.met.update((state, fault) for state in self._states.get(subject_id, {}).values())


FAULTS = (
    "loss_of_request", "loss_of_answer", "duplicate", "delay", "cut", "commit_never_arrived", "commit_answer_lost",
    "crash", "crash_at_point", "pause", "skew", "rotation", "late_accept", "silent", "rubbish", "drip", "slow", "lie",
    "twice", "forgotten", "not_yet", "contradiction", "foreign_accept", "restart", "slow_database", "own_return",
    "listed_twice", "told_balance", "resent", "queued",
)  # fmt: skip
"""All faults that a world can have."""
_TAKEN = (
    "a casino reports a return of its own only after the hub has taken its yes to the stake, which is for good, and nothing "
    "but a stake expires"
)
NEVER: dict[tuple[str, str], str] = {("expired", "own_return"): _TAKEN}
"""Pairs that cannot meet, each with the reason."""


def unseen(met: Counter[tuple[str, str]], seen: Counter[str], points: Iterable[str]) -> list[str]:
    """Return what a long run did not reach: pairs of state and fault, named points, deaths at named points."""
    pairs = [(state, fault) for state in STATES for fault in FAULTS if (state, fault) not in NEVER]
    missing = [f"{state} x {fault}" for state, fault in pairs if not met[state, fault]]
    missing += [f"point {name}" for name in points if not seen[f"point {name}"]]
    return missing + [f"death at {name}" for name in points if not seen[f"killed {name}"]]
