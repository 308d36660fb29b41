"""HTTP client for betcore_v1 providers: it fetches the list of games and launches a game.

Owns: the two calls and their bounds. A refusal or an unreadable answer raises PeerError. Never: retries,
schedules, storage. Spec: provider.md 3.
"""

from __future__ import annotations

from urllib.parse import quote

from croupier.core.commands import Catalogue, LaunchOrder
from croupier.core.counterparty import Provider
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.strictjson import BadField, BadJson
from croupier.kit.tls_files import TlsFiles
from croupier.kit.wire import PeerError, Wire, WireRequest
from croupier.providers.betcore_v1 import codec, outcomes, signing
from croupier.providers.betcore_v1.messages import BASE_PATH, MAX_BODY_BYTES, MAX_LIST_BYTES


class ProviderClient:
    """Outbound calls to any betcore_v1 provider. `allow_http` accepts a frame over plain http (demo, tests)."""

    def __init__(self, wire: Wire, clock: Clock, chance: Chance, *, allow_http: bool = False) -> None:
        self._wire = wire
        self._clock = clock
        self._chance = chance
        self._allow_http = allow_http

    async def catalogue(self, provider: Provider, secret: str) -> Catalogue:
        """Return the games list, with the elements that could not be read. Raises PeerError."""
        answer = await self._call(provider, secret, "/games", max_bytes=MAX_LIST_BYTES)
        try:
            games = codec.GamesList(answer)
            while games.read_on():
                await self._clock.sleep(0)
            return games.catalogue()
        except (BadJson, BadField) as problem:
            raise PeerError(f"GET /games: the answer is {problem}") from None

    async def launch(self, provider: Provider, secret: str, order: LaunchOrder) -> str:
        """Launch a game for a session and return the address of its frame. Raises PeerError."""
        path = f"/games/{quote(order.game_ref, safe='')}/launch"
        answer = await self._call(provider, secret, path, body=codec.encode_launch(order))
        try:
            return codec.read_frame_uri(answer, allow_http=self._allow_http)
        except (BadJson, BadField) as problem:
            raise PeerError(f"POST {path}: in the answer, {problem}") from None

    async def _call(
        self, provider: Provider, secret: str, path: str, *, body: bytes = b"", max_bytes: int = MAX_BODY_BYTES
    ) -> bytes:
        """Sign and send the call, and return the body of a successful answer. A call with a body is a POST."""
        method = "POST" if body else "GET"
        answer = await self._wire.send(
            WireRequest(
                method,
                f"{provider.url.rstrip('/')}{BASE_PATH}{path}",
                self._headers(provider, secret, body),
                body,
                total_s=provider.total_s,
                max_bytes=max_bytes,
                peer=f"provider {provider.provider_id}",
                tls=TlsFiles(provider.client_cert, provider.client_key, provider.ca),
            )
        )
        code = codec.read_response_code(answer.body)
        if not 200 <= answer.status < 300 or code not in {None, str(outcomes.SUCCESS.code)}:
            raise PeerError(f"{method} {path}: HTTP {answer.status}, _responseCode {_shown(code)}")
        return answer.body

    def _headers(self, provider: Provider, secret: str, body: bytes) -> dict[str, str]:
        """Return the headers, with the signature over exactly these bytes."""
        content = {"Content-Type": "application/json"} if body else {}
        signed = signing.sign(
            secret,
            provider.counterparty_id,
            body,
            timestamp_ms=self._clock.now_ms(),
            request_id=self._chance.hex(16),
        )
        return {"Accept": "application/json", **content, **signed}


def _shown(code: str | None) -> str:
    return "none" if code is None else code
