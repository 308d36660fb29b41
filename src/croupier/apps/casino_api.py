"""Builds the door of the casino API out of settings.

Owns: which part gets which. Never: logic of its own.
"""

from __future__ import annotations

from croupier import casinos
from croupier.casino_api.door import SCOPE, Door, Rates
from croupier.casino_api.player_tokens import PlayerTokens
from croupier.flows.hub import Hub
from croupier.kit.config import Settings

CASINO_SCOPE = "casino"


def make_door(hub: Hub, settings: Settings) -> Door:
    """Return the door of one process. It takes its own tokens, and those that the casino reports outcomes with."""
    make = casinos.PROTOCOLS["betcore_v2"].tokens
    tokens = {scope: make(hub, settings.issuer, scope) for scope in (SCOPE, CASINO_SCOPE)}
    rates = Rates(settings.api_per_s, settings.api_address_per_s)
    page = settings.public_url or f"http://{settings.host}:{settings.port}"
    return Door(hub, tokens, players=PlayerTokens(hub, settings.issuer), rates=rates, page=page)
