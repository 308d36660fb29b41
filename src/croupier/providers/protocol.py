"""What a provider protocol must offer to be registered.

Owns: the record and the port of its outbound half. Never: anything of one protocol. Spec: provider.md section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from croupier.core.commands import GameListing, LaunchOrder
from croupier.core.counterparty import Provider


class ProviderGateway(Protocol):
    """What the hub asks of a provider. Both calls raise kit.wire.PeerError."""

    async def games(self, provider: Provider, secret: str) -> list[GameListing]:
        """Every game the provider lists."""
        ...

    async def launch(self, provider: Provider, secret: str, order: LaunchOrder) -> str:
        """Open a game for a session; the frame's address."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderProtocol:
    """One way providers speak."""

    name: str
    gateway: Callable[..., ProviderGateway]
    """Takes wire, clock, chance, and `allow_http`."""
