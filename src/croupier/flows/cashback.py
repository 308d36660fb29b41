"""Cashbacks: pay one, cancel one. Spec: casino.md 2 (cashback make), money.md 2.9 and 6.3, operate.md 2.

Owns: the two decisions. Never: sends (the running hub does). A `ref` is unique per casino: the same ref and contents
return the first cashback.
"""

from __future__ import annotations

from croupier.core import cashback_effects
from croupier.core.cashback import Cashback
from croupier.core.draft import Decision, Draft, Terms
from croupier.flows.advance import TRIES, advance, terms_of
from croupier.flows.hub import Hub


class CashbackRefused(Exception):
    """The request cannot be fulfilled. The text gives the reason and the remedy."""


async def pay_cashback(hub: Hub, row: Cashback, *, asked_by: str | None = None) -> Cashback:
    """Owe the cashback, or return the first one of the same ref and contents; raises CashbackRefused.

    `asked_by` is the person, for the trace. It is no author of entries: a cashback is no correction.
    """
    casino = await hub.store.casinos.get(row.casino_id)
    if casino is None or not casino.takes_new:
        raise CashbackRefused("the casino is disabled or closed: new cashbacks wait until it is not")
    if hub.recovering(row.casino_id) and await hub.store.cashbacks.by_ref(row.casino_id, row.ref) is None:
        raise CashbackRefused(
            "recovery is on, and this cashback may have been paid already: see `croupier recover status`"
        )
    for _ in range(TRIES):
        draft = Draft(row, await terms_of(hub, row), new=True)
        cashback_effects.decide(draft)
        draft.note(asked_by=asked_by)
        decision = draft.finish("cashback_decided")
        if await hub.group_commit.commit(decision):
            return decision.after
        first = await hub.store.cashbacks.by_ref(row.casino_id, row.ref)
        if first is not None:
            return _the_same(first, row)
        # The connection was lost before the cashback was written: it is neither ours nor anybody else's.
    raise CashbackRefused("the database lost the connection again and again and nothing was written: try again")


def _the_same(first: Cashback, row: Cashback) -> Cashback:
    """Return the first cashback of a ref if the second has the same contents; raises CashbackRefused."""
    same = (first.player_id, first.amount, first.currency) == (row.player_id, row.amount, row.currency)
    if not same:
        msg = f"ref {row.ref!r} names cashback {first.cashback_id} with another player or amount: use another --ref"
        raise CashbackRefused(msg)
    return first


async def cancel_cashback(hub: Hub, cashback_id: int, author: str) -> Cashback:
    """Cancel a cashback, or return it unchanged if its cancel is already under way; raises CashbackRefused."""

    def rule(row: Cashback, terms: Terms) -> Decision[Cashback] | None:
        if row.state.value not in ("owed", "paid"):
            return None
        draft = Draft(row, terms)
        cashback_effects.cancel(draft)
        return draft.finish("cancelled_by_person", author=author)

    ruling = await advance(hub, lambda: hub.store.cashbacks.by_id(cashback_id), rule)
    if isinstance(ruling, Decision):
        return ruling.after
    row = await hub.store.cashbacks.by_id(cashback_id)
    if row is None:
        msg = f"there is no cashback {cashback_id}: `croupier cashback pay` prints the CashbackId"
        raise CashbackRefused(msg)
    if row.state.value in ("kept", "given_up"):
        msg = f"cashback {cashback_id} is {row.state.value}: it cannot be cancelled again"
        raise CashbackRefused(msg)
    return row
