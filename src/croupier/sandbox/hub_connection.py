"""The sandbox casino's connection to the hub: bearer token, the hub's keys, verification of calls, delivery of accepts.

Owns: the casino's side of casino.md 1, and the delays between retries. Never: the contents of an accept.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from croupier.kit import jwt, strictjson
from croupier.kit.clock import Clock
from croupier.kit.keys import from_base64url
from croupier.kit.strictjson import Json
from croupier.kit.wire import PeerError, Wire, WireAnswer, WireRequest
from croupier.sandbox import casino_reading
from croupier.sandbox.bookings import SUCCESS
from croupier.sandbox.journal import Journal

API = "/mis-api/api/v2"
LEEWAY_S = 5
TOKEN_RENEWAL_MARGIN_S = 60.0
RESEND_DELAYS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each retry of a failed accept."""
MAX_BODY = 2**20


class HubUnavailable(Exception):
    """The hub cannot be called: there are no credentials yet, it is unreachable, or it refuses them."""


class BadEnvelope(Exception):
    """The body is not a token of the hub for this casino. `why` is for the log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class HubConnection:
    """The connection of one casino. Credentials may be set after the start, because the hub needs the address first."""

    def __init__(self, *, wire: Wire, clock: Clock, journal: Journal, hub_url: str) -> None:
        self.hub_url = hub_url.rstrip("/")
        self.resend_delays_s: tuple[float, ...] = RESEND_DELAYS_S
        self.refetch_keys = True
        """False: the key set is fetched once and cached for ever, which the contract allows."""
        self.ask_hub = False
        """True: tokens are verified by the hub's /auth/verify, as by casinos without a JWT library."""
        self.client_id: int | None = None
        self._secret: str | None = None
        self._wire = wire
        self._clock = clock
        self._journal = journal
        self._token: tuple[str, float] | None = None
        self._keys: dict[str, jwt.PublicKey] = {}
        self._asking_token = asyncio.Lock()
        self._asking_keys = asyncio.Lock()

    def set_credentials(self, client_id: int | None, secret: str | None) -> None:
        """Use these credentials, and drop the token and keys that the old ones fetched."""
        self.client_id = client_id
        self._secret = secret
        self._token = None
        self._keys = {}

    # --- inbound: the envelope --------------------------------------------------------------------------------

    async def open(self, body: bytes) -> Json:
        """Return the data of one call of the hub. Raises BadEnvelope, HubUnavailable."""
        if self.client_id is None:
            raise HubUnavailable("no credentials yet")
        try:
            token = strictjson.loads(body, max_bytes=MAX_BODY)
        except strictjson.BadJson as problem:
            raise BadEnvelope(f"the body is {problem.why}") from None
        if not isinstance(token, str) or isinstance(token, strictjson.NumberText):
            raise BadEnvelope("the body is no JSON string literal")
        self._check_header(token)
        if self.ask_hub:
            return await self._verify_at_hub(token)
        try:
            claims = await self._verify(token)
            return casino_reading.data_of(claims, self.client_id, self._journal.complain)
        except (jwt.BadToken, strictjson.BadField, strictjson.BadJson) as problem:
            raise BadEnvelope(str(problem)) from None

    async def _verify(self, token: str) -> dict[str, Json]:
        async with self._asking_keys:
            if _kid_of(token) not in self._keys and (self.refetch_keys or not self._keys):
                await self._fetch_keys()
        return jwt.verify(token, self._keys, now_s=self._clock.now_ms() // 1000, leeway_s=LEEWAY_S)

    async def _verify_at_hub(self, token: str) -> Json:
        envelope = await self._ask("POST", "/auth/verify", body=json.dumps(token).encode(), bearer=True)
        if _integer(envelope, "ErrorCode") != SUCCESS:
            raise BadEnvelope("the hub does not know this token")
        value = strictjson.mapping(envelope, "Value")
        client_id = value.get("ClientId")
        if client_id not in {str(self.client_id), f"PartnerClient-{self.client_id}"}:
            raise BadEnvelope("the hub says it is another casino's")
        return strictjson.loads(strictjson.text(value, "Data", MAX_BODY).encode(), max_bytes=MAX_BODY)

    async def _fetch_keys(self) -> None:
        document = await self._ask("GET", "/auth/jwks", bearer=True)
        try:
            self._keys = jwt.public_keys_from_jwks(document)
        except jwt.BadKey as problem:
            raise HubUnavailable(f"the key set is unusable: {problem}") from None

    def _check_header(self, token: str) -> None:
        header = _header_of(token)
        if set(header) != {"alg", "kid", "typ"} or header.get("typ") != "JWT":
            self._journal.complain("envelope: the token's header is not exactly alg, kid, typ JWT")

    # --- outbound ---------------------------------------------------------------------------------------------

    async def accept(self, path: str, envelope: Mapping[str, object]) -> bool:
        """Deliver one accept, with retries until the hub answers 200. Return False if the last retry failed."""
        for pause_s in (*self.resend_delays_s, None):
            if await self._accept_once(path, envelope):
                return True
            if pause_s is not None:
                await self._clock.sleep(pause_s)
        return False

    async def _accept_once(self, path: str, envelope: Mapping[str, object]) -> bool:
        body = json.dumps(envelope).encode()
        data = strictjson.loads(body)
        try:
            answer = await self._send("POST", path, body=body, bearer=await self.bearer())
        except (PeerError, HubUnavailable) as problem:
            self._journal.note("out", path, data, note=f"no answer: {problem}")
            return False
        said = _read(answer)
        self._journal.note("out", path, data, status=answer.status, answer=said)
        if answer.status == 401:
            self._token = None
        if not (isinstance(said, dict) and set(said) == {"ErrorCode", "Message"}):
            self._journal.complain(f"{path}: the answer is not exactly ErrorCode and Message")
            return False
        return answer.status == 200 and _integer(said, "ErrorCode") == SUCCESS

    async def bearer(self) -> str:
        """Return a bearer token that does not expire soon. Raises HubUnavailable."""
        async with self._asking_token:
            if self._token is None or self._token[1] <= self._clock.monotonic_s():
                self._token = await self._new_token()
            return self._token[0]

    async def _new_token(self) -> tuple[str, float]:
        """Return a new bearer token and the monotonic second at which it is renewed."""
        if self.client_id is None or self._secret is None:
            raise HubUnavailable("no credentials yet")
        body = json.dumps({"PartnerClientId": self.client_id, "Secret": self._secret}).encode()
        asked_s = self._clock.monotonic_s()
        try:
            value = strictjson.mapping(await self._ask("POST", "/auth/token", body=body), "Value")
            token = strictjson.text(value, "AccessToken", 8192)
            life_s = strictjson.integer(value, "ExpiresIn", low=1, high=86400)
        except strictjson.BadField as problem:
            raise HubUnavailable(f"no token: {problem}") from None
        return token, asked_s + max(life_s - TOKEN_RENEWAL_MARGIN_S, life_s / 2)

    async def _ask(self, method: str, path: str, *, body: bytes = b"", bearer: bool = False) -> dict[str, Json]:
        """Call the hub and return its answer, an object with status 200. Raises HubUnavailable."""
        try:
            answer = await self._send(method, path, body=body, bearer=await self.bearer() if bearer else None)
        except PeerError as problem:
            raise HubUnavailable(f"{path}: {problem.why}") from None
        said = _read(answer)
        if answer.status == 401:
            self._token = None
        if answer.status != 200 or not isinstance(said, dict):
            raise HubUnavailable(f"{path}: HTTP {answer.status}")
        return said

    async def _send(self, method: str, path: str, *, body: bytes, bearer: str | None) -> WireAnswer:
        headers = {"Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json"
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        return await self._wire.send(WireRequest(method, f"{self.hub_url}{API}{path}", headers, body))


def _read(answer: WireAnswer) -> Json:
    try:
        return strictjson.loads(answer.body)
    except strictjson.BadJson:
        return None


def _integer(obj: Mapping[str, Json], field: str) -> int | None:
    try:
        return strictjson.integer(obj, field, low=-1, high=10**9)
    except strictjson.BadField:
        return None


def _header_of(token: str) -> dict[str, Json]:
    try:
        return strictjson.record(strictjson.loads(from_base64url(token.partition(".")[0])))
    except ValueError:
        return {}


def _kid_of(token: str) -> str:
    kid = _header_of(token).get("kid")
    return kid if isinstance(kid, str) else ""
