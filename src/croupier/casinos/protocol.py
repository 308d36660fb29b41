"""The record that registers a casino protocol.

Owns: the record. Never: anything of one protocol. Spec: casino.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from croupier.flows.hub import Hub
from croupier.flows.ports import CasinoGateway, Tokens
from croupier.kit.measured_routes import HotRoute
from croupier.kit.openapi import Half


@dataclass(frozen=True, slots=True)
class CasinoProtocol:
    """One casino protocol: its client, its routes and its access tokens."""

    name: str
    root: str
    """Every path of its inbound half begins with it."""
    gateway: Callable[..., CasinoGateway]
    """Takes wire, clock, keys and the issuer."""
    routes: Callable[[Hub, str], list[HotRoute]]
    """Takes the hub and the issuer."""
    not_found: Callable[[int], Response]
    """The answer to an unknown path or method, by HTTP status."""
    tokens: Callable[[Hub, str, str], Tokens]
    """Takes the hub, the issuer and the scope. Returns the access tokens of that scope, which other casino APIs use too."""
    serves: Half
    """The OpenAPI description of its inbound API."""
