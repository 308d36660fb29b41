"""The audit trail's background work: bind committed rows, and sign the head of the chain outside the database.

Owns: when that happens, and when signing is refused. Never: delays a payment; all of it runs behind the payments.
Spec: money.md 5 (I12), docs/decisions/0015.

Before signing, the last checkpoint is compared with the chain. If the chain no longer contains it, nothing is signed and
an incident is raised: a signature would only hide the change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from croupier.flows.hub import Hub
from croupier.kit.log import get
from croupier.kit.signed_lines import FIRST, LinesRefused, SignedLine
from croupier.store.oversight.trail import Head

log = get("trail")

NOBODY = 0


async def keep_trail(hub: Hub, bind_every_s: float, sign_every_s: float) -> None:
    """Bind and sign in a loop. Every process of a home runs it; each link and each checkpoint is made by one of them."""
    next_s = hub.clock.monotonic_s()
    while True:
        await hub.store.trail.bind()
        if hub.clock.monotonic_s() >= next_s:
            next_s = hub.clock.monotonic_s() + sign_every_s
            await sign(hub, sign_every_s)
        await hub.clock.sleep(bind_every_s)


async def sign(hub: Hub, every_s: float) -> bool:
    """Write a checkpoint. Return False if one is younger than `every_s`, or if the chain does not contain the last one."""
    try:
        last = await asyncio.to_thread(hub.notary.last)
        now_ms = hub.clock.now_ms()
        if last is not None and now_ms - last.said["at_ms"] < every_s * 900 and hub.notary.is_ours(last):
            return False
        return await _sign_after(hub, last)
    except (OSError, LinesRefused) as error:
        log.error("trail.not_signed", folder=str(hub.notary.folder), problem=str(error))
        note = f"no checkpoint can be written to {hub.notary.folder}: {error}"
        await hub.store.incidents.raise_new(NOBODY, "trail_unsigned", note)
        return False


async def vouch(hub: Hub, author: str, reason: str) -> bool:
    """Sign the chain as it stands, on the word of a person, whatever was signed before. Return False if the chain is empty."""
    last = await asyncio.to_thread(hub.notary.last)
    said = await _statement(hub)
    if said is None:
        return False
    said |= {"what": "vouched", "author": author, "reason": reason}
    return await _add(hub, said, last)


async def _sign_after(hub: Hub, last: SignedLine | None) -> bool:
    said = await _statement(hub)
    problem = None if last is None else await _contradiction(hub, last, said)
    if problem is not None:
        log.error("trail.broken", problem=problem)
        await hub.store.incidents.raise_new(NOBODY, "trail_broken", problem)
        return False
    return said is not None and await _add(hub, said, last)


async def _add(hub: Hub, said: Mapping[str, Any], last: SignedLine | None) -> bool:
    after = FIRST if last is None else last.digest
    now_ms = hub.clock.now_ms()
    added = await asyncio.to_thread(lambda: hub.notary.add(said, now_ms, after=after))
    if added:
        hub.metrics.put("croupier_trail_signed_seconds", now_ms // 1000)
    return added


async def _statement(hub: Hub) -> dict[str, Any] | None:
    """Return the contents of a checkpoint as of now; None if the chain has not begun."""
    begun, head = await hub.store.trail.at(0), await hub.store.trail.head()
    if begun is None or head is None:
        return None
    return {
        "what": "checkpoint",
        "at_ms": hub.clock.now_ms(),
        "trail": begun.head.hex(),
        "link": head.link,
        "rows": head.rows,
        "head": head.head.hex(),
        "key": hub.notary.key_id,
    }


async def _contradiction(hub: Hub, last: SignedLine, said: Mapping[str, Any] | None) -> str | None:
    """Return how the last checkpoint contradicts the chain; None if it does not."""
    signed = last.said
    if not hub.notary.is_ours(last):
        return f"the last checkpoint was signed by key {signed.get('key')}, this home's is {hub.notary.key_id}"
    if said is None or said["trail"] != signed["trail"]:
        return f"the chain in the database is not trail {signed['trail'][:16]}, which was signed last"
    there: Head | None = await hub.store.trail.at(signed["link"])
    if there is None:
        return f"link {signed['link']} was signed last, and the chain ends at {said['link']}"
    if there.head.hex() != signed["head"]:
        return f"link {signed['link']} is not the one that was signed last"
    return None
