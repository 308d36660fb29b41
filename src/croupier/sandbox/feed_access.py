"""A casino's way into the feed: the access token that its credentials get, and the envelope of every answer.

Owns: `auth/token` and the envelope (feed.md 1 and 2), and the error for a hub that says no. Never: a socket.
"""

from __future__ import annotations

import json
from typing import Final

from croupier.kit import strictjson
from croupier.kit.strictjson import BadField, BadJson, Json
from croupier.kit.wire import Wire, WireAnswer, WireRequest

API: Final = "/partnersmediator-service/api/v2"
MAX_BYTES: Final = 1_000_000
SUCCESS: Final = 200


class FeedRefused(Exception):
    """The hub answered, and not as wished; the text says what. `final` is True where the same request can only fail again."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


async def access_token(wire: Wire, hub_url: str, credentials: Json) -> str:
    """Return a bearer of scope feeds. `credentials` are what `casino add` printed. Raises FeedRefused, PeerError."""
    try:
        known = strictjson.record(credentials, "credentials")
        client_id = client_id_of(credentials)
        body = json.dumps({"PartnerClientId": client_id, "Secret": strictjson.text(known, "Secret", 512)}).encode()
    except BadField as problem:
        raise FeedRefused(f"the credentials are not those of a casino: {problem}", final=True) from None
    headers = {"Content-Type": "application/json"}
    answer = await wire.send(WireRequest("POST", f"{base_of(hub_url)}/auth/token", headers, body))
    said = read_envelope("auth/token", answer)
    try:
        return strictjson.text(strictjson.mapping(strictjson.record(said), "Value"), "AccessToken", 8192)
    except BadField as problem:
        raise FeedRefused(f"auth/token answered without a token ({problem})") from None


def client_id_of(credentials: Json) -> int:
    """Return the casino's number. Raises BadField."""
    return strictjson.integer(strictjson.record(credentials, "credentials"), "PartnerClientId", low=1, high=2**53)


def base_of(hub_url: str) -> str:
    """Return the root of the feed's REST calls at this hub."""
    return f"{hub_url.rstrip('/')}{API}"


def read_envelope(call: str, answer: WireAnswer) -> Json:
    """Return the answer's envelope if it says success. Raises FeedRefused."""
    final = answer.status in (400, 401, 403, 404)
    try:
        said = strictjson.record(strictjson.loads(answer.body, max_bytes=MAX_BYTES))
        code = strictjson.integer(said, "ErrorCode", low=0, high=10**9)
    except (BadJson, BadField):
        raise FeedRefused(f"{call} answered HTTP {answer.status} without an envelope", final=final) from None
    if answer.status != SUCCESS or code != SUCCESS:
        raise FeedRefused(f"{call} answered {code} with HTTP {answer.status}{_what_to_do(answer.status)}", final=final)
    return said


def _what_to_do(status: int) -> str:
    return ": check PartnerClientId and Secret, and that the casino is open" if status == 401 else ""
