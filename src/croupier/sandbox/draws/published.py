"""A published draw as a player's casino reads it: `games/info` of a running hub, with a feed token.

Owns: that call of feed.md 2. Never: what the draw means.
"""

from __future__ import annotations

from urllib.parse import urlencode

from croupier.kit.strictjson import Json
from croupier.kit.wire import Wire, WireRequest
from croupier.sandbox.feed_access import MAX_BYTES, access_token, base_of, read_envelope


async def published_draw(wire: Wire, hub_url: str, credentials: Json, *, game_type: int, edition: int) -> Json:
    """Return the answer of `games/info`. `credentials` are what `casino add` printed. Raises FeedRefused, PeerError."""
    query = urlencode({"GameType": game_type, "GameEdition": edition})
    bearer = await access_token(wire, hub_url, credentials)
    headers = {"Accept": "application/json", "Authorization": f"Bearer {bearer}"}
    asked = WireRequest("GET", f"{base_of(hub_url)}/games/info?{query}", headers, max_bytes=MAX_BYTES)
    return read_envelope("games/info", await wire.send(asked))
