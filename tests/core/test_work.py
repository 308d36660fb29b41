"""Which kind of work a call is: each kind has places of its own at its casino, so that none waits for another."""

from __future__ import annotations

import pytest

from croupier.core.payment import SLOT_CLAIM, SLOT_CLOSE, Step
from croupier.core.readings import PaymentKind
from croupier.core.work import Work, work_of

STAKE, PAYOUT = PaymentKind.STAKE.value, PaymentKind.PAYOUT.value


@pytest.mark.parametrize(
    ("step", "slot", "kind"),
    [
        (Step.MAKE, STAKE, "stake"),
        (Step.REOPEN, STAKE, "stake"),
        (Step.MAKE, PAYOUT, "owed"),
        (Step.REOPEN, PAYOUT, "owed"),
        (Step.MAKE, PaymentKind.CASHBACK.value, "owed"),
        (Step.INFO, STAKE, "ask"),
        (Step.INFO, PAYOUT, "ask"),
        (Step.CLOSE, SLOT_CLOSE, "ask"),
        (Step.CLAIM_DUE, SLOT_CLAIM, "none"),
    ],
)
def test_a_call_is_of_one_kind(step: Step, slot: str, kind: str) -> None:
    """The values are what the database says too (`calls.work`)."""
    assert work_of(step, slot) is Work(kind)
