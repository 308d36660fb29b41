"""The deletion of old rows in small batches, by one process at a time.

Owns: the lease, the batches and the pauses between them. Never: which rows may be deleted, or when it is looked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from croupier.flows.hub import Hub

BATCH: Final = 200
PAUSE_S: Final = 0.1
"""Between two batches, so that others have the database too."""
DAY_MS: Final = 86_400_000


async def delete_in_batches(
    hub: Hub, lease: str, delete: Callable[[int], Awaitable[int]], *, lease_s: int, most_batches: int
) -> int:
    """Call `delete` with the size of a batch until it deletes fewer; return how many it deleted in all.

    Nothing is deleted while another process has the lease. What is left after `most_batches` waits for the next look.
    """
    gone = 0
    for _ in range(most_batches):
        if not await hub.store.singleton_leases.take(lease, hub.process_settings.process, lease_s):
            break
        batch = await delete(BATCH)
        gone += batch
        if batch < BATCH:
            break
        await hub.clock.sleep(PAUSE_S)
    return gone
