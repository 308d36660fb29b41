"""Balances of all ledger accounts; those of one currency must add up to zero.

Owns: the sums. Never: a stored balance; they are computed from the entries, and from the sums of those that an archive holds. Spec: money.md 6.6.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from croupier.core.money import format_amount
from croupier.store.db import Db, Tx

_SUMS = """
with entries as (
    select source, target, currency, amount from ledger
    union all select source, target, currency, amount from archived_sums)
select account, currency, sum(amount) as balance from (
    select target as account, currency, amount from entries
    union all select source, currency, -amount from entries) moved
group by account, currency order by currency, account"""


@dataclass(frozen=True, slots=True)
class AccountSum:
    """The balance of one account."""

    account: str
    currency: str
    balance: int
    """Minor units; negative if more left the account than entered it."""
    text: str
    """The balance as decimal text in major units."""


async def sums(db: Db | Tx) -> list[AccountSum]:
    """Return the current balance of every account of the ledger."""
    rows = await db.fetch(_SUMS)
    return [_sum(row["account"], row["currency"], int(row["balance"])) for row in rows]


def totals(accounts: Iterable[AccountSum]) -> dict[str, int]:
    """Return the total per currency in minor units. Anything but zero means that an entry was tampered with."""
    found: dict[str, int] = {}
    for one in accounts:
        found[one.currency] = found.get(one.currency, 0) + one.balance
    return found


def _sum(account: str, currency: str, balance: int) -> AccountSum:
    return AccountSum(account, currency, balance, format_amount(balance, currency))
