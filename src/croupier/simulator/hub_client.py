"""A simulated casino as a client of the hub: its token, the hub's keys, and the report of an outcome.

Owns: these three calls. Never: what is reported (sim_casino). Spec: casino.md 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from croupier.kit.jwt import PublicKey, public_keys_from_jwks
from croupier.kit.strictjson import loads
from croupier.kit.wire import PeerError, Wire, WireRequest

BASE = "/mis-api/api/v2"


@dataclass(frozen=True, slots=True)
class Access:
    """The address of the hub, and the credentials of the casino."""

    hub_url: str
    client_id: int
    secret: str


class HubClient:
    """A client of the hub for one casino."""

    def __init__(self, access: Access, wire: Wire) -> None:
        self.keys: Mapping[str, PublicKey] = {}
        """The hub's keys as last fetched."""
        self._access = access
        self._wire = wire
        self._bearer = ""

    async def fetch_keys(self) -> None:
        """Fetch the key set, with a new token if the old one is refused."""
        try:
            for _ in range(2):
                headers = {"authorization": f"Bearer {await self._token()}"}
                answer = await self._wire.send(WireRequest("GET", self._url("auth/jwks"), headers))
                if answer.status == 200:
                    self.keys = public_keys_from_jwks(loads(answer.body))  # type: ignore[arg-type]
                if answer.status != 401:
                    return
                self._bearer = ""
        except (PeerError, KeyError, ValueError):
            return

    async def report(self, code: int, value: dict[str, Any], *, cashback: bool, message: str = "sim") -> int | None:
        """Send an accept and return the hub's ErrorCode; None without an answer, or if the hub could not record it."""
        path = "cashback-payments/accept" if cashback else "payments/accept"
        body = {"ErrorCode": code, "Message": message, "Value": value}
        try:
            headers = {"authorization": f"Bearer {await self._token()}", "content-type": "application/json"}
            answer = await self._wire.send(WireRequest("POST", self._url(path), headers, json.dumps(body).encode()))
            if answer.status == 401:
                self._bearer = ""
                return None
            if answer.status >= 500:  # not taken in now, whatever the envelope says: to be sent again
                return None
            return int(json.loads(answer.body)["ErrorCode"])
        except (PeerError, KeyError, ValueError):
            return None

    async def _token(self) -> str:
        if not self._bearer:
            body = json.dumps({"PartnerClientId": self._access.client_id, "Secret": self._access.secret}).encode()
            headers = {"content-type": "application/json"}
            answer = await self._wire.send(WireRequest("POST", self._url("auth/token"), headers, body))
            self._bearer = json.loads(answer.body)["Value"]["AccessToken"]
        return self._bearer

    def _url(self, path: str) -> str:
        return f"{self._access.hub_url}{BASE}/{path}"
