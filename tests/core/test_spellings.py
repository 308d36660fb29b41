"""What is stored and what people read in traces: every closed list is spelled like its names, for ever.

A value that changed its spelling would make rows of yesterday unreadable, or a state that no table knows.
"""

from __future__ import annotations

from enum import Enum

import pytest

from croupier.core import bet, cashback, counterparty, draft, ledger, payment, readings, reconciliation, refusals

SPELLED_LIKE_ITS_NAMES: tuple[type[Enum], ...] = (
    bet.BetState,
    bet.BetEvent,
    bet.Origin,
    bet.Closing,
    cashback.CashbackState,
    cashback.CashbackEvent,
    counterparty.LateAccept,
    payment.PaymentState,
    payment.PaymentEvent,
    payment.Step,
    readings.PaymentKind,
    refusals.Refusal,
    refusals.CasinoNo,
)


@pytest.mark.parametrize("closed_list", SPELLED_LIKE_ITS_NAMES, ids=lambda x: x.__name__)
def test_a_value_is_the_lower_case_of_its_name(closed_list: type[Enum]) -> None:
    assert [member.value for member in closed_list] == [member.name.lower() for member in closed_list]


def test_differences_are_stored_in_words() -> None:
    assert {d.name: d.value for d in reconciliation.Difference if d.value != d.name.lower()} == {
        "AMOUNT": "amount_differs",
        "PLAYER": "player_differs",
        "TAX": "tax_differs",
        "NUMBER": "number_differs",
        "TOLD": "told_otherwise",
    }


def test_slots_and_answers_keep_their_words() -> None:
    assert (payment.SLOT_CLOSE, payment.SLOT_CLAIM, bet.OK, draft.CORRECTION) == ("close", "claim", "ok", "correction")


def test_accounts_keep_their_names() -> None:
    """Money.md section 6 names them, and reports are made of them."""
    named = (
        ledger.wallets(1), ledger.open_bets(1, 2), ledger.owed(1), ledger.ggr(1, 2), ledger.jackpot("2"),
        ledger.cashback(1), ledger.suspense(1),
    )  # fmt: skip
    assert named == ("wallets/1", "open-bets/1/2", "owed/1", "ggr/1/2", "jackpot/2", "cashback/1", "suspense/1")
