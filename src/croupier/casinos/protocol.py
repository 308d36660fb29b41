"""What a casino protocol must offer to be registered.

Owns: the record. Never: anything of one protocol. Spec: casino.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from croupier.flows.hub import Hub
from croupier.flows.ports import CasinoGateway, Tokens
from croupier.kit.openapi import Half


@dataclass(frozen=True, slots=True)
class CasinoProtocol:
    """One way casinos speak."""

    name: str
    root: str
    """Every path of its inbound half begins with it."""
    gateway: Callable[..., CasinoGateway]
    """Takes wire, clock, keys and the issuer."""
    routes: Callable[[Hub, str], list[Route]]
    """Takes the hub and the issuer."""
    not_found: Callable[[int], Response]
    """The answer to an unknown path or method, by HTTP status."""
    tokens: Callable[[Hub, str, str], Tokens]
    """Takes the hub, the issuer and the scope: access tokens of that scope, for what is served to casinos beside this half."""
    serves: Half
    """Its inbound half as the OpenAPI document states it."""
