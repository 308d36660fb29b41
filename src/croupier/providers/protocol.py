"""What a provider protocol must offer to be registered.

Owns: the record. Never: anything of one protocol. Spec: provider.md 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from croupier.flows.hub import Hub
from croupier.flows.ports import ProviderGateway
from croupier.kit.openapi import Half


@dataclass(frozen=True, slots=True)
class ProviderProtocol:
    """One way providers speak."""

    name: str
    root: str
    """Every path of its inbound half begins with it."""
    gateway: Callable[..., ProviderGateway]
    """Takes wire, clock, chance, and `allow_http`."""
    routes: Callable[[Hub], list[Route]]
    not_found: Callable[[int], Response]
    """The answer to an unknown path or method, by HTTP status."""
    serves: Half
    """Its inbound half as the OpenAPI document states it."""
