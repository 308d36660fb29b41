"""The ledger: accounts, and entries that move one amount from one account to another.

An entry is balanced by construction. The hub holds no player money: accounts record where money stands between the
parties. `wallets` is the players' side at a casino, `open_bets` the stakes of bets that are on, `owed` the money
decided for players and not confirmed by the casino, `suspense` the money of bets that are not on.

Owns: account names and the entry. Never: balances, which are sums of entries. Spec: money.md 6.
"""

from __future__ import annotations

from dataclasses import dataclass


def wallets(casino_id: int) -> str:
    """Account of the players' wallets at a casino."""
    return f"wallets/{casino_id}"


def open_bets(casino_id: int, provider_id: int) -> str:
    """Account of the stakes of bets that are on."""
    return f"open-bets/{casino_id}/{provider_id}"


def owed(casino_id: int) -> str:
    """Account of money decided for players and not yet accepted by the casino."""
    return f"owed/{casino_id}"


def ggr(casino_id: int, provider_id: int) -> str:
    """Account of stakes minus payouts of settled bets."""
    return f"ggr/{casino_id}/{provider_id}"


def jackpot(pot: str) -> str:
    """Account of a jackpot pot; a provider's own pot is named by the provider's id, one of the hub by `pot-` and its id."""
    return f"jackpot/{pot}"


def jackpot_share(casino_id: int, provider_id: int) -> str:
    """Account of the shares of stakes that the pots of the hub received; its balance is below 0."""
    return f"jackpot-share/{casino_id}/{provider_id}"


def jackpot_seeds() -> str:
    """Account of the amounts with which the rounds of the hub's pots begin."""
    return "jackpot-share/seeds"


def cashback(casino_id: int) -> str:
    """Account of the cost of cashbacks."""
    return f"cashback/{casino_id}"


def suspense(casino_id: int) -> str:
    """Account of stakes accepted for bets that are not on, until their return is accepted."""
    return f"suspense/{casino_id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement. `amount` is minor units, above 0."""

    source: str
    target: str
    amount: int
    currency: str
    why: str
    """The transition it belongs to; `correction` for a person's decision."""

    def __post_init__(self) -> None:
        if self.amount <= 0 or self.source == self.target:
            msg = f"entry of {self.amount} from {self.source} to {self.target}"
            raise AssertionError(msg)
