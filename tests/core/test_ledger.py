"""Entries balance by construction, and account names are what the database lets in (money.md 6.1 and 6.2)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.core import ledger
from croupier.core.ledger import Entry

MIGRATION = Path(__file__).parents[2] / "src/croupier/store/migrations/0001_hub.sql"
ACCOUNTS = {
    "wallets": (ledger.wallets(11), "wallets/11"),
    "open-bets": (ledger.open_bets(11, 22), "open-bets/11/22"),
    "owed": (ledger.owed(11), "owed/11"),
    "ggr": (ledger.ggr(11, 22), "ggr/11/22"),
    "jackpot": (ledger.jackpot("22"), "jackpot/22"),
    "a pot of the hub": (ledger.jackpot("pot-7"), "jackpot/pot-7"),
    "jackpot-share": (ledger.jackpot_share(11, 22), "jackpot-share/11/22"),
    "seeds of pots": (ledger.jackpot_seeds(), "jackpot-share/seeds"),
    "cashback": (ledger.cashback(11), "cashback/11"),
    "suspense": (ledger.suspense(11), "suspense/11"),
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_an_account_is_named_as_the_contract_names_it(name: str) -> None:
    built, expected = ACCOUNTS[name]
    assert built == expected


def test_the_database_accepts_every_account_name() -> None:
    patterns = re.findall(r"check \((?:source|target) ~ '([^']+)'\)", MIGRATION.read_text())
    assert len(patterns) == 2
    for pattern in patterns:
        assert all(re.search(pattern, built) for built, _ in ACCOUNTS.values())


@given(st.integers(min_value=1, max_value=10**17))
def test_any_amount_above_nothing_may_move(amount: int) -> None:
    assert Entry("wallets/1", "owed/1", amount, "EUR", "paid").amount == amount


@pytest.mark.parametrize(
    ("source", "target", "amount"),
    [("wallets/1", "owed/1", 0), ("wallets/1", "owed/1", -1), ("owed/1", "owed/1", 5)],
)
def test_an_entry_that_moves_nothing_or_backwards_is_a_bug(source: str, target: str, amount: int) -> None:
    with pytest.raises(AssertionError, match=f"entry of {amount} from {source} to {target}"):
        Entry(source, target, amount, "EUR", "paid")


def test_an_entry_is_never_edited() -> None:
    entry = Entry("wallets/1", "owed/1", 5, "EUR", "paid")
    with pytest.raises(AttributeError):
        entry.amount = 6  # type: ignore[misc]
