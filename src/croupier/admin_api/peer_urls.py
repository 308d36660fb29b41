"""The address at which the hub calls a casino or a provider, as a person types it.

Owns: whether the hub would call it, and the words about that. Never: a connection (kit.http), or saving it. Spec: operate.md 3.
"""

from __future__ import annotations

from typing import Final

from croupier.admin_api.errors import BadParameter
from croupier.kit.http import check_url
from croupier.kit.settings import Settings

PLAIN_HTTP: Final = (
    "must begin with https://: on the way of plain http:// anybody can read what is said and answer in the other's place, "
    "such as yes to a stake (set CROUPIER_ALLOW_PRIVATE_PEERS=1 if it is for a test on this machine)"
)


def check_peer(url: str, settings: Settings) -> None:
    """Check a peer's base address. Raises BadParameter if the hub would never call it."""
    problem = peer_problem(url, settings)
    if problem is not None:
        raise BadParameter("url", problem)


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
