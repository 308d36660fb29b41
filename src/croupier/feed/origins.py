"""The web pages that may negotiate: the origins on the casinos' rows, and the headers that tell a browser so.

Owns: CORS of the hub's negotiate. Never: the socket itself, where the token decides. Contract: feed.md 3.2.
"""

from __future__ import annotations

from typing import Final

from croupier.core.counterparty import Casino
from croupier.flows.hub import Hub

KEPT_S: Final = 5.0
"""So long the origins of all casinos are kept: a preflight carries no token, so any of them may be meant."""
HEADERS: Final = "authorization, x-requested-with, x-signalr-user-agent"
MAX_AGE_S: Final = 600


class Origins:
    """The origins of all casinos of the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: frozenset[str] = frozenset()
        self._read_s: float | None = None

    async def any_allows(self, origin: str) -> bool:
        """Return whether some casino that is not closed allows this origin. Raises DbError."""
        now_s = self._hub.clock.monotonic_s()
        if self._read_s is None or now_s - self._read_s >= KEPT_S:
            casinos = await self._hub.store.casinos.all()
            self._known = frozenset(one for casino in casinos if not casino.closed for one in casino.origins)
            self._read_s = now_s
        return origin.lower() in self._known


def allows(casino: Casino, origin: str | None) -> bool:
    """Return whether a page of this origin may use the casino's token; a caller that is no browser sends none."""
    return origin is None or origin.lower() in casino.origins


def answer_headers(origin: str | None) -> dict[str, str]:
    """For an answer that this origin may read."""
    if origin is None:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}


def preflight_headers(origin: str) -> dict[str, str]:
    """For the question before the request."""
    return {
        **answer_headers(origin),
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": str(MAX_AGE_S),
    }
