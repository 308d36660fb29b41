"""Lookup of the casino, provider or game of an argument, by its id or name.

Owns: finding it, and saying what to do if there is none. Spec: operate.md 3.
"""

from __future__ import annotations

from croupier.admin_api.errors import CommandError, NotFound
from croupier.core.counterparty import Casino, Provider
from croupier.core.session import Game
from croupier.flows.hub import Hub
from croupier.kit.http import check_url
from croupier.kit.names import problem_of
from croupier.kit.settings import Settings

LONGEST_ID = 128
PLAIN_HTTP = (
    "must begin with https://: on the way of plain http:// anybody can read what is said and answer in the other's place, "
    "such as yes to a stake (set CROUPIER_ALLOW_PRIVATE_PEERS=1 if it is for a test on this machine)"
)


async def casino_of(hub: Hub, text: str) -> Casino:
    """Return the casino with this id or name. Raises CommandError."""
    found = await hub.store.casinos.find(text)
    if found is None:
        raise NotFound(f"there is no casino {text[:LONGEST_ID]!r}: `croupier casino list` shows them")
    return found


async def provider_of(hub: Hub, text: str) -> Provider:
    """Return the provider with this id, counterparty id or name. Raises CommandError, NameAmbiguous."""
    found = await hub.store.providers.find(text)
    if found is None:
        raise NotFound(f"there is no provider {text[:LONGEST_ID]!r}: `croupier provider list` shows them")
    return found


async def game_of(hub: Hub, text: str) -> Game:
    """Return the game with this gameId, or `provider/gameId`. Raises CommandError, GameAmbiguous."""
    found = await hub.store.games.find(text)
    if found is None:
        raise CommandError(
            f"there is no game {text[:LONGEST_ID]!r}: `croupier game list` shows them, and `croupier provider sync ID` fetches a "
            "provider's"
        )
    return found


def check_peer(url: str, settings: Settings) -> None:
    """Check a peer's base address. Raises CommandError if the hub would never call it."""
    problem = peer_problem(url, settings)
    if problem is not None:
        raise CommandError(f"--url {problem}")


def peer_problem(url: str, settings: Settings) -> str | None:
    """Return the problem of a peer's base address and its remedy, or None."""
    problem = check_url(url, allow_private=settings.allow_private_peers)
    if problem is None and "?" in url:
        return "must not have a query: the hub adds the paths of its calls to it"
    if problem is None:
        return PLAIN_HTTP if is_plain(url) and not settings.allow_private_peers else None
    allowed = check_url(url, allow_private=True) is None
    hint = " (set CROUPIER_ALLOW_PRIVATE_PEERS=1 if it is for a test on this machine)" if allowed else ""
    return problem + hint


def is_plain(url: str) -> bool:
    """Return whether the address is reached without encryption."""
    return url.lower().startswith("http://")


def check_name(option: str, name: str) -> None:
    """Check an id. Raises CommandError if it could be mistaken for another id (kit.names)."""
    problem = problem_of(name)
    if problem is not None:
        raise CommandError(f"{option} {problem}")
