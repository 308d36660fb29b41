"""A published draw as a player's casino reads it: `games/info` of a running hub, with a feed token.

Owns: those two calls of feed.md 1 and 2. Never: what the draw means.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

from croupier.kit import strictjson
from croupier.kit.strictjson import BadField, BadJson, Json
from croupier.kit.wire import Wire, WireAnswer, WireRequest

API = "/partnersmediator-service/api/v2"
MAX_BYTES = 1_000_000
SUCCESS = 200


class NotPublished(Exception):
    """The hub does not show the draw; the text says what it answered."""


async def published_draw(wire: Wire, hub_url: str, credentials: Json, *, game_type: int, edition: int) -> Json:
    """Return the answer of `games/info`. `credentials` are what `casino add` printed. Raises NotPublished, PeerError."""
    base = f"{hub_url.rstrip('/')}{API}"
    query = urlencode({"GameType": game_type, "GameEdition": edition})
    bearer = await _token(wire, base, credentials)
    headers = {"Accept": "application/json", "Authorization": f"Bearer {bearer}"}
    return _envelope(
        "games/info",
        await wire.send(WireRequest("GET", f"{base}/games/info?{query}", headers, max_bytes=MAX_BYTES)),
    )


async def _token(wire: Wire, base: str, credentials: Json) -> str:
    try:
        known = strictjson.record(credentials, "credentials")
        client_id = strictjson.integer(known, "PartnerClientId", low=1, high=2**53)
        body = json.dumps({"PartnerClientId": client_id, "Secret": strictjson.text(known, "Secret", 512)}).encode()
    except BadField as problem:
        raise NotPublished(f"the credentials are not those of a casino: {problem}") from None
    headers = {"Content-Type": "application/json"}
    said = _envelope("auth/token", await wire.send(WireRequest("POST", f"{base}/auth/token", headers, body)))
    try:
        return strictjson.text(strictjson.mapping(strictjson.record(said), "Value"), "AccessToken", 8192)
    except BadField as problem:
        raise NotPublished(f"auth/token: {problem}") from None


def _envelope(call: str, answer: WireAnswer) -> Json:
    """The answer's envelope if it says success. Raises NotPublished."""
    try:
        said = strictjson.record(strictjson.loads(answer.body, max_bytes=MAX_BYTES))
        code = strictjson.integer(said, "ErrorCode", low=0, high=10**9)
    except (BadJson, BadField):
        raise NotPublished(f"{call}: HTTP {answer.status} without an envelope") from None
    if answer.status != SUCCESS or code != SUCCESS:
        raise NotPublished(f"{call}: the hub answered {code} with HTTP {answer.status}")
    return said
