"""All clients of one process: how many there may be, what is due for each of them, and their end.

Owns: limits, the watch over deadlines and access tokens, the close with a shutdown. Never: HTTP, the protocol.
Contract: feed.md 3.3, 3.6, 3.7.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from croupier.feed.client import Client
from croupier.feed.fan_out import FanOut
from croupier.feed.subscriptions import SubscriptionRefused
from croupier.flows.hub import Hub
from croupier.flows.ports import Tokens, Unauthorized
from croupier.kit.log import get
from croupier.store.db import DbError

log = get("feed")

WATCH_S: Final = 1.0
SLICE: Final = 500
"""Clients looked at in one turn of the event loop."""
CLOSING_S: Final = 5.0
"""So long a client may take for its part of the closing handshake."""
RECHECK_MS: Final = 60_000
"""An access token is checked again so often, and at its expiry."""
TOKENS_S: Final = 0.4
"""So often a process looks whether a casino was closed, or a secret or key revoked. Rows are at most 0.5 s old."""
RETRY_MS: Final = 5_000
"""The same where the database did not answer."""
SPREAD_S: Final = 2.0
"""Over so long the clients are sent away when the process stops: they come back elsewhere, not all at once."""
LAST_S: Final = 0.8
"""So long the last of them may take to go."""
STEP_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """The limits of one process."""

    connections: int
    per_casino: int
    subscriptions: int
    """Of one connection."""


class Connections:
    """The clients of this process."""

    def __init__(self, hub: Hub, tokens: Tokens, limits: FeedLimits) -> None:
        self.hub = hub
        self._tokens = tokens
        self._limits = limits
        self._clients: dict[Client, None] = {}
        self._per_casino: Counter[int] = Counter()
        self._closing = False
        self._standings: dict[int, object] = {}
        """Casino to what its tokens depend on, when it was looked at last."""

    @cached_property
    def fan_out(self) -> FanOut:
        """Their subscriptions."""
        return FanOut(self.hub.clock, self.hub.metrics)

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self._clients)

    def no_room(self, casino_id: int) -> str | None:
        """Why no client more of this casino may connect, or None."""
        if self._closing or self.hub.state.closing:
            return "shutting down"
        if len(self._clients) >= self._limits.connections:
            return "too many connections"
        if self._per_casino[casino_id] >= self._limits.per_casino:
            return "too many connections of this casino"
        return None

    def check_subscriptions(self, client: Client, game_type: int) -> None:
        """Raises SubscriptionRefused where one more would be too many."""
        if game_type not in client.sent and len(client.sent) >= self._limits.subscriptions:
            raise SubscriptionRefused(f"a connection has at most {self._limits.subscriptions} subscriptions")

    def join(self, client: Client) -> None:
        """A client is connected. Its token is checked once more soon: it may have ended since it was admitted."""
        client.recheck_ms = self.hub.clock.now_ms()
        self._clients[client] = None
        self._per_casino[client.admitted.casino.casino_id] += 1
        self._count()

    def leave(self, client: Client) -> None:
        """It has gone."""
        casino_id = client.admitted.casino.casino_id
        self.fan_out.leave(client)
        del self._clients[client]
        self._per_casino[casino_id] -= 1
        if not self._per_casino[casino_id]:
            del self._per_casino[casino_id]
        if client.dropped is not None:
            self.hub.metrics.count("croupier_feed_dropped_total", client.dropped)
            log.info("feed.dropped", casino=casino_id, why=client.dropped, connection=client.connection_id)
        self._count()

    async def watch(self) -> None:
        """Do what is due for each client, for ever."""
        while True:
            await self.hub.clock.sleep(WATCH_S)
            for number, client in enumerate(list(self._clients)):
                await self._look_at(client)
                if number % SLICE == SLICE - 1:
                    await self.hub.clock.sleep(0)

    async def watch_tokens(self) -> None:
        """End the connections of a token within a second after its casino, secret or key was ended; never returns."""
        while True:
            await self.hub.clock.sleep(TOKENS_S)
            try:
                changed = await self._changed_casinos()
            except DbError as error:
                self.hub.database_health.log_trouble(error)
                continue
            affected = [client for client in self._clients if client.admitted.casino.casino_id in changed]
            for number, client in enumerate(affected):
                await self._recheck(client)
                if number % SLICE == SLICE - 1:
                    await self.hub.clock.sleep(0)

    async def close(self) -> None:
        """Send all away, spread over seconds; each may connect again by itself. Nobody new comes in."""
        self._closing = True
        clock = self.hub.clock
        waiting = list(self._clients)
        step = max(1, round(len(waiting) * STEP_S / SPREAD_S))
        for start in range(0, len(waiting), step):
            for client in waiting[start : start + step]:
                client.end(clock.monotonic_s(), None, allow_reconnect=True)
            await clock.sleep(STEP_S)
        until_s = clock.monotonic_s() + LAST_S
        while self._clients and clock.monotonic_s() < until_s:
            await clock.sleep(STEP_S)
        for client in list(self._clients):
            client.socket.abort()

    async def _changed_casinos(self) -> set[int]:
        """Return the casinos of clients here whose tokens may have ended since the last look: one query for all of them."""
        store, casino_ids = self.hub.store, list(self._per_casino)
        if not casino_ids:
            return set()
        await store.keys.refresh_if_stale()
        rows = await asyncio.gather(*map(store.casinos.get, casino_ids))
        kids = frozenset(store.keys.verify_keys())
        now: dict[int, object] = {
            casino_id: (kids, row is None or (row.closed, row.tokens_from_s))
            for casino_id, row in zip(casino_ids, rows, strict=True)
        }
        before, self._standings = self._standings, now
        return {casino_id for casino_id, standing in now.items() if before.get(casino_id, standing) != standing}

    async def _look_at(self, client: Client) -> None:
        now_s = self.hub.clock.monotonic_s()
        if client.closed_s is not None:
            if now_s - client.closed_s >= CLOSING_S:
                client.socket.abort()
            return
        if now_s >= client.due_s:
            client.tick(now_s)
        if client.stalled(now_s):
            client.drop(now_s, "stalled")
        if self.hub.clock.now_ms() >= client.recheck_ms:
            await self._recheck(client)

    async def _recheck(self, client: Client) -> None:
        """Check again whether its access token holds."""
        if client.closed_s is not None:
            return
        client.recheck_ms = self.hub.clock.now_ms() + RETRY_MS
        try:
            client.admitted = await self._tokens.admit(client.token)
        except Unauthorized as ended:
            log.info("feed.token_ended", casino=client.admitted.casino.casino_id, why=ended.why)
            client.end(self.hub.clock.monotonic_s(), "the access token has ended", allow_reconnect=True)
        except DbError as error:
            self.hub.database_health.log_trouble(error)
        else:
            client.recheck_ms = self._next_check_ms(client)

    def _next_check_ms(self, client: Client) -> int:
        return min(client.admitted.expires_s * 1000, self.hub.clock.now_ms() + RECHECK_MS)

    def _count(self) -> None:
        self.hub.metrics.put("croupier_feed_connections", len(self._clients))
