"""The time from a death until the hub answers again and live processes hold all calls in flight.

Owns: the measure. A payment in flight is driven again when its next action is neither leased to a process that is dead
(or stopped) nor overdue. Spec: money.md 4.4.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from croupier.kit.wire import PeerError, WireRequest
from tests.chaos.ground import Ground, alive, until

HUB_BACK_S, TAKEN_OVER_S = 5.0, 12.0
"""The limits: a restarted hub, and another worker that takes over."""
OVERDUE_MS = 300
_IDLE = """
select count(*) from calls where (lease_owner is not null and not (lease_owner = any($1::text[])) and lease_until_ms > 0)
    or ready_ms < $2"""


@dataclass(frozen=True, slots=True)
class Recovery:
    """The times of recovery, in seconds from the death."""

    answers_s: float
    driven_s: float

    @property
    def all_s(self) -> float:
        """Return the time until both."""
        return max(self.answers_s, self.driven_s)


async def recovery(ground: Ground, died_s: float, *, not_of: int | None = None, within_s: float = 40.0) -> Recovery:
    """Measure from `died_s` (Unix time) on. The lease of the process `not_of` counts as that of a dead one."""
    answers, driven = await asyncio.gather(
        _moment(lambda: _answers(ground), within_s, "the hub does not answer"),
        _moment(lambda: _driven(ground, not_of), within_s, "something in flight stays with the dead"),
    )
    return Recovery(answers - died_s, driven - died_s)


async def _moment(holds: object, within_s: float, otherwise: str) -> float:
    await until(holds, within_s, otherwise)
    return time.time()


async def _answers(ground: Ground) -> bool:
    try:
        request = WireRequest("GET", f"http://127.0.0.1:{ground.port}/readyz", total_s=1.0)
        return (await ground.wire.send(request)).status == 200
    except PeerError:
        return False


async def _driven(ground: Ground, not_of: int | None) -> bool:
    db = ground.desk.store.db
    living = [
        row["process_id"]
        for row in await db.fetch("select process_id, pid from processes")
        if row["pid"] != not_of and alive(row["pid"])
    ]
    return bool(await db.fetchval(_IDLE, living, ground.desk.clock.now_ms() - OVERDUE_MS) == 0)
