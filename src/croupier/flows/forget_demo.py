"""The deletion of old demo sessions with their balances and bets, in small batches, by one process at a time.

Owns: when and how much. Never: real money: a session with real bets is no demo, and the ledger does not know demo money. Spec:
decision 0100.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from croupier.flows.deletion import DAY_MS, delete_in_batches
from croupier.flows.hub import Hub
from croupier.kit.log import get

log = get("demo")

LOOKS_S: Final = 600.0
LEASE_S: Final = 1800
MOST_BATCHES: Final = 500
"""So many batches at one look; what is left waits for the next one."""


async def forget_demo_for_ever(hub: Hub, keep_days: int) -> None:
    """Delete at intervals; never returns."""
    while True:
        await hub.clock.sleep(LOOKS_S)
        await forget_old_demo(hub, keep_days)


async def forget_old_demo(hub: Hub, keep_days: int) -> int:
    """Delete demo sessions that expired more than so many days ago, if no other process does; return how many."""
    before_ms = hub.clock.now_ms() - keep_days * DAY_MS
    forget = partial(hub.store.demo.forget, before_ms)
    gone = await delete_in_batches(hub, "demo retention", forget, lease_s=LEASE_S, most_batches=MOST_BATCHES)
    if gone:
        log.info("demo.old_deleted", sessions=gone, expired_before_ms=before_ms)
    return gone
