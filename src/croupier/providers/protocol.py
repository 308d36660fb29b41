"""The record that registers a provider protocol.

Owns: the record. Never: anything of one protocol. Spec: provider.md 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from croupier.flows.hub import Hub
from croupier.flows.ports import ProviderGateway
from croupier.kit.measured_routes import HotRoute
from croupier.kit.openapi import Half


@dataclass(frozen=True, slots=True)
class ProviderProtocol:
    """One provider protocol: its client and its routes."""

    name: str
    root: str
    """Every path of its inbound half begins with it."""
    gateway: Callable[..., ProviderGateway]
    """Takes wire, clock, chance, and `allow_http`."""
    routes: Callable[[Hub], list[HotRoute]]
    not_found: Callable[[int], Response]
    """The answer to an unknown path or method, by HTTP status."""
    serves: Half
    """The OpenAPI description of its inbound API."""
