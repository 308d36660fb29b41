"""Builds the live feed's parts of one process out of settings: its clients, and the channel that brings the snapshots.

Owns: which part gets which. Never: logic of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from croupier import casinos
from croupier.apps.http_guard import most_connections
from croupier.feed.channel import NAME, Channel, InProcessChannel, NotificationLine, SharedChannel
from croupier.feed.connections import Connections, FeedLimits
from croupier.feed.publisher import Publisher
from croupier.feed.redis_line import RedisLine
from croupier.feed.rest.messages import SCOPE
from croupier.flows.hub import Hub
from croupier.flows.ports import Tokens
from croupier.kit.config import Settings
from croupier.store.notifications import Notifications

Loop = Callable[[], Awaitable[None]]


def feed_tokens(hub: Hub, settings: Settings) -> Tokens:
    """Access tokens of the feed's scope: of one form for every casino, whatever protocol its payments speak."""
    return casinos.PROTOCOLS["betcore_v2"].tokens(hub, settings.issuer, SCOPE)


def make_connections(hub: Hub, settings: Settings) -> Connections:
    """The clients of this process. A quarter of the descriptors is left to the payment path, whatever the settings say."""
    limits = FeedLimits(
        connections=min(settings.feed_connections, most_connections() * 3 // 4),
        per_casino=settings.feed_per_casino,
        subscriptions=settings.feed_subscriptions,
    )
    return Connections(hub, feed_tokens(hub, settings), limits)


async def begin_feed(hub: Hub, settings: Settings, connections: Connections) -> tuple[Channel, list[Loop]]:
    """Begin to listen for snapshots in the process that has the clients. Return the channel, and the loops to keep running."""
    channel = open_channel(hub, settings)
    await channel.listen(connections.fan_out.heard)
    publisher = Publisher(hub.store.streams, hub.clock, hub.metrics, channel=channel)
    return channel, [connections.watch, connections.watch_tokens, connections.fan_out.run, publisher.run]


def open_channel(hub: Hub, settings: Settings) -> Channel:
    """The channel of the settings. Raises RedisMissing, and ValueError for a Redis URL that cannot be read."""
    if settings.feed_channel == "process":
        return InProcessChannel()
    if settings.feed_channel == "redis":
        assert settings.feed_redis_url is not None, "checked with the settings"
        return SharedChannel(RedisLine(settings.feed_redis_url.value), hub.clock, hub.chance)
    return SharedChannel(NotificationLine(Notifications(hub.store.db, NAME)), hub.clock, hub.chance)
