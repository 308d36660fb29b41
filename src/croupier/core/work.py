"""Kinds of work for a casino, each with places of its own, so that none waits behind another.

Owns: the kinds, and which one a call is. The database says the same (`calls.work`). Never: how many places there are.
Spec: money.md 4.3, decision 0038.
"""

from __future__ import annotations

from enum import Enum

from croupier.core.payment import Step
from croupier.core.readings import PaymentKind


class Work(Enum):
    """What a next action needs of its casino."""

    NONE = "none"
    """Nothing: it is decided here."""
    STAKE = "stake"
    """New money in: it may be turned away before anything is written."""
    OWED = "owed"
    """Money that must arrive: it waits, and is never turned away."""
    ASK = "ask"
    """Questions after a bet, and its end."""


def work_of(step: Step, slot: str) -> Work:
    """Which kind of work this call is."""
    if step is Step.CLAIM_DUE:
        return Work.NONE
    if step in (Step.INFO, Step.CLOSE):
        return Work.ASK
    return Work.STAKE if slot == PaymentKind.STAKE.value else Work.OWED
