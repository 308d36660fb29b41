"""The payment of each PartnerTransactionId: a casino's id names one payment (casino.md 1.2).

Owns: the queries. The group commit writes the rows, in the commit that gives a payment its id. If two payments get one
id at the same moment, the primary key admits one. Never: decides what a second one means (outcomes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from croupier.core.draft import Decision
from croupier.core.payment import Payment
from croupier.store.db import Db
from croupier.store.read_batcher import ReadBatcher

KEY: Final = "partner_transactions_pkey"
"""The constraint that a second payment with the id violates."""

_HELD = """
select t.casino_id, t.partner_tx, t.subject_id, t.kind from partner_transactions t
join unnest($1::bigint[], $2::text[]) k(casino_id, partner_tx) using (casino_id, partner_tx)"""


class Number(NamedTuple):
    """An id that a casino gives. It must be new."""

    casino_id: int
    partner_tx: str


class Holder(NamedTuple):
    """The payment that has an id."""

    subject_id: int
    kind: str


def numbers_of(decision: Decision[Any]) -> list[Number]:
    """Return the ids that must be new for this decision to be written."""
    return [Number(decision.after.casino_id, payment.partner_tx or "") for payment in decision.named]


class PartnerTransactions:
    """The payments by their PartnerTransactionId. Concurrent reads are batched."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._holders: ReadBatcher[Number, Holder] = ReadBatcher(self.holders)

    async def held(self, decision: Decision[Any]) -> frozenset[str]:
        """Return those of the decision's new ids that other payments have."""
        casino_id = decision.after.casino_id
        found = [await self.of_others(casino_id, payment, payment.partner_tx) for payment in decision.named]
        return frozenset().union(*found)

    async def of_others(self, casino_id: int, payment: Payment, partner_tx: str | None) -> frozenset[str]:
        """Return the id if another payment has it, else nothing."""
        if partner_tx is None:
            return frozenset()
        holder = await self._holders.one(Number(casino_id, partner_tx))
        ours = holder is None or holder == (payment.subject_id, payment.kind.value)
        return frozenset() if ours else frozenset({partner_tx})

    async def holders(self, numbers: Sequence[Number]) -> dict[Number, Holder]:
        """Return the payment of each id that has one."""
        rows = await self._db.batch_fetch(_HELD, [n.casino_id for n in numbers], [n.partner_tx for n in numbers])
        return {Number(r["casino_id"], r["partner_tx"]): Holder(r["subject_id"], r["kind"]) for r in rows}
