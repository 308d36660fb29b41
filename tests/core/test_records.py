"""core.records: a copy is the one that `dataclasses.replace` makes."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, replace
from typing import Any

import pytest

from croupier.core.ledger import Entry
from croupier.core.payment import Call, Payment, PaymentState, Step
from croupier.core.readings import PaymentKind
from croupier.core.records import evolve

PAYMENT = Payment(7, PaymentKind.STAKE, 100, None, 5)
CALL = Call("stake", Step.MAKE, 5, lease_owner="w-1", lease_until_ms=9)


@pytest.mark.parametrize(
    ("record", "changes"),
    [
        (PAYMENT, {"state": PaymentState.ACCEPTED, "decided_ms": 9, "partner_tx": "t"}),
        (PAYMENT, {}),
        (CALL, {"lease_owner": None, "fence": 3}),
    ],
)
def test_a_copy_is_the_one_of_dataclasses(record: Any, changes: dict[str, Any]) -> None:
    made = evolve(record, **changes)
    assert made == replace(record, **changes)
    assert made is not record
    assert hash(made) == hash(replace(record, **changes))


def test_the_copied_record_stays_as_it_was() -> None:
    evolve(PAYMENT, amount=1)
    assert Payment(7, PaymentKind.STAKE, 100, None, 5) == PAYMENT


def test_a_copy_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        evolve(PAYMENT, amount=1).amount = 2  # type: ignore[misc]


@pytest.mark.parametrize("record", [PAYMENT, Entry("wallets", "open-bets", 1, "EUR", "stake")])
def test_an_unknown_field_is_refused(record: Any) -> None:
    with pytest.raises(TypeError):
        evolve(record, colour="red")


def test_a_record_with_checks_goes_through_them() -> None:
    with pytest.raises(AssertionError):
        evolve(Entry("wallets", "open-bets", 1, "EUR", "stake"), amount=0)


def test_a_record_without_slots_is_copied_too() -> None:
    @dataclass(frozen=True)
    class Loose:
        a: int
        b: int = 2

    assert evolve(Loose(1), b=3) == Loose(1, 3)
