"""The deletion of old draws: those that ended before the time that the settings name, in small batches, by one process at a time.

Owns: when and how much. Never: which draws may be deleted (store.feed.draws, and the database itself), or anything of money: the bets of a
draw stay. Contract: feed.md 4.1.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from croupier.flows.deletion import DAY_MS, delete_in_batches
from croupier.flows.hub import Hub
from croupier.kit.log import get

log = get("feed")

LOOKS_S: Final = 60.0
LEASE_S: Final = 180
MOST_BATCHES: Final = 50
"""So many batches at one look; what is left waits for the next one."""


async def forget_for_ever(hub: Hub, keep_days: int) -> None:
    """Delete at intervals; never returns."""
    while True:
        await hub.clock.sleep(LOOKS_S)
        await forget_old_draws(hub, keep_days)


async def forget_old_draws(hub: Hub, keep_days: int) -> int:
    """Delete draws that ended more than so many days ago, if no other process does; return how many."""
    before_ms = hub.clock.now_ms() - keep_days * DAY_MS
    forget = partial(hub.store.draws.forget, before_ms)
    gone = await delete_in_batches(hub, "feed retention", forget, lease_s=LEASE_S, most_batches=MOST_BATCHES)
    if gone:
        log.info("feed.old_draws_deleted", draws=gone, ended_before_ms=before_ms)
    return gone
