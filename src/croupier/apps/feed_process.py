"""The process of the live feed: it has the clients' sockets and publishes the snapshots, beside the workers.

It takes no request of a casino or provider and leases no call, so whatever it does delays no payment, and it is none of the
`processes` whose calls others take over. The kernel prefers the workers where both want a processor (decision 0091).

Owns: its start, its loops, and its end within ten seconds. It is a fork of `serve`. Spec: feed.md 3, operate.md 8.
"""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import replace
from functools import partial
from typing import Final

import uvicorn

from croupier.apps.feed import Loop, begin_feed, make_connections
from croupier.apps.handover import Taking
from croupier.apps.hub_app import hub_app
from croupier.apps.schema import Aim
from croupier.apps.wiring import open_hub
from croupier.apps.worker import (
    BEAT_S,
    FLUSH_S,
    SOCKETS,
    event_loop,
    every,
    flush_metrics,
    follow_clock,
    on_end,
    restart_forever,
)
from croupier.flows.hub import Hub
from croupier.kit.chance import SystemChance
from croupier.kit.config import Settings
from croupier.kit.log import get
from croupier.store.db import DbError

log = get("feed")

NICE: Final = 5
"""Added to the niceness of `serve`: about a third of a worker's share of a processor that both want."""
POOL: Final = 4
"""Database connections: the publisher's, the clients' tokens, the beat."""
LAST_S: Final = 2.0
"""The time to give back what it publishes."""


def serve_feed(settings: Settings, end: socket.socket, life: int) -> int:
    """Run the process until its end; return the exit code."""
    os.nice(NICE)
    settings = replace(settings, db_pool=min(settings.db_pool, POOL), db_lines=1)
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        try:
            runner.run(_run(settings, end, life))
        except DbError as error:
            log.error("feed.without_database", problem=str(error))
            return 1
    return 0


async def _run(settings: Settings, end: socket.socket, life: int) -> None:
    """Serve until SIGTERM, SIGINT or the end of the pipe `life`."""
    process = f"f-{SystemChance().hex(6)}"
    async with open_hub(settings, process=process, aim=Aim.CHANGE) as hub:
        await hub.store.keys.load()
        connections = make_connections(hub, settings)
        channel, feed_loops = await begin_feed(hub, settings, connections)
        config = uvicorn.Config(
            hub_app(hub, settings, connections),
            **SOCKETS,
            log_config=None,
            lifespan="off",
            proxy_headers=True,
            forwarded_allow_ips=settings.trusted_addresses,
        )
        taking = Taking(end, config)
        kept_up: list[Loop] = [
            *feed_loops,
            partial(every, hub, BEAT_S, partial(follow_clock, hub)),
            partial(every, hub, FLUSH_S, partial(flush_metrics, hub)),
        ]
        loops = [asyncio.create_task(restart_forever(hub, loop)) for loop in kept_up]
        stopped = _on_signals(hub, life)
        taking.begin()
        log.info("feed.ready", process=process, pid=os.getpid())
        try:
            await stopped.wait()
            taking.end()
            await connections.close()
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.wait(loops, timeout=LAST_S)
            await channel.close()
            hub.metrics.flush()


def _on_signals(hub: Hub, life: int) -> asyncio.Event:
    """Return the event of the signal to stop, or of the supervisor's death."""
    stopped = asyncio.Event()

    def stop() -> None:
        hub.state.closing = True
        stopped.set()

    on_end(life, stop)
    return stopped
