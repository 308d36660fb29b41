"""Kinds of work for a casino. Each has a bulkhead of its own, so that none waits behind another.

Owns: the kinds, and the kind of each call. The database computes the same (`calls.work`). Never: bulkhead sizes.
Spec: money.md 4.3, decision 0038.
"""

from __future__ import annotations

from croupier.core.payment import Step
from croupier.core.readings import PaymentKind
from croupier.core.words import Word


class Work(Word):
    """The kinds of work that a call causes at its casino."""

    NONE = "none"
    """No network call: decided in the hub."""
    STAKE = "stake"
    """A new stake: admission control may refuse it before anything is written."""
    OWED = "owed"
    """Owed money: it waits, and is never refused."""
    ASK = "ask"
    """Info queries, and the close of a bet."""


def work_of(step: Step, slot: str) -> Work:
    """Return the kind of work of a call."""
    if step is Step.CLAIM_DUE:
        return Work.NONE
    if step in (Step.INFO, Step.CLOSE):
        return Work.ASK
    return Work.STAKE if slot == PaymentKind.STAKE.value else Work.OWED
