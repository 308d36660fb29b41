"""A provider and a casino made by hand, as far as they call the hub: signed and asked as the contract says.

Nothing of the hub's own code is used here, so that a misreading there shows. What is sent is given as bytes, because it
may be hostile.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp

JSON = "application/json"


@dataclass(frozen=True)
class Told:
    """What the hub answered. Header names are lower-cased; numbers with a fraction are read as Decimal."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.raw, parse_float=Decimal)

    @property
    def code(self) -> int:
        """`_responseCode` or `ErrorCode`, whichever half it is."""
        return int(self.said.get("_responseCode", self.said.get("ErrorCode")))

    @property
    def outcome(self) -> tuple[int, int]:
        """HTTP status and code."""
        return self.status, self.code


async def ask(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Told:
    """One request whose bytes are the caller's, to an answer."""
    async with http.request(
        method, url, data=body, headers=headers, skip_auto_headers=("Content-Type",), allow_redirects=False
    ) as answer:
        return Told(answer.status, {k.lower(): v for k, v in answer.headers.items()}, await answer.read())


def compact(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signature(secret: str, counterparty: str, timestamp: str, request_id: str, body: bytes) -> str:
    parts = [counterparty.encode(), timestamp.encode(), request_id.encode()]
    return hmac.new(secret.encode(), b".".join([body, *parts] if body else parts), hashlib.sha256).hexdigest()


@dataclass
class HandProvider:
    """A provider that signs and calls."""

    http: aiohttp.ClientSession
    hub_url: str
    provider_id: int
    counterparty_id: str
    secret: str

    def signed(self, body: bytes = b"", **instead: str) -> dict[str, str]:
        """The four headers over these bytes; `instead` names what is to be different (timestamp, request_id, ...)."""
        timestamp = instead.get("timestamp", str(time.time_ns() // 1_000_000))
        request_id = instead.get("request_id", secrets.token_hex(16))
        counterparty = instead.get("counterparty", self.counterparty_id)
        made = signature(instead.get("secret", self.secret), counterparty, timestamp, request_id, body)
        return {
            "X-Counterparty-Id": counterparty,
            "X-Timestamp": timestamp,
            "X-Request-Id": request_id,
            "X-Sign": instead.get("sign", made),
        }

    async def send(
        self, method: str, path: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None, kind: str = JSON
    ) -> Told:
        """Any bytes to any path under the hub, signed unless the headers are given."""
        all_headers = dict(headers if headers is not None else self.signed(body))
        if body:
            all_headers["Content-Type"] = kind
        return await ask(self.http, method, f"{self.hub_url}{path}", body or None, all_headers)

    async def balance(self, session: str) -> Told:
        return await self.send("GET", f"/v1/sessions/{session}/balance")

    async def bet(self, verb: str, session: str, **fields: Any) -> Told:
        """`pay-in`, `pay-out`, `pay-in-out` or `refund` with these fields as they are."""
        return await self.send("POST", f"/v1/sessions/{session}/bets/{verb}", compact(fields))

    async def pay_in(self, session: str, bet: str, amount: str = "10.00", round_id: str = "r-1") -> Told:
        return await self.bet("pay-in", session, betId=bet, gameRoundId=round_id, betAmount=amount)

    async def pay_out(self, session: str, bet: str, win: str = "25.00", round_id: str = "r-1") -> Told:
        return await self.bet("pay-out", session, betId=bet, gameRoundId=round_id, winAmount=win)

    async def refund(self, session: str, bet: str) -> Told:
        return await self.bet("refund", session, betId=bet)


@dataclass
class HandCasino:
    """A casino that has a secret, gets a token and reports outcomes."""

    http: aiohttp.ClientSession
    hub_url: str
    client_id: int
    secret: str
    _token: str = field(default="", repr=False)

    async def new_token(self) -> Told:
        return await self.call("auth/token", {"PartnerClientId": self.client_id, "Secret": self.secret}, bearer=None)

    async def bearer(self) -> str:
        if not self._token:
            self._token = (await self.new_token()).said["Value"]["AccessToken"]
        return self._token

    async def jwks(self, *, with_bearer: bool = False) -> Told:
        headers = {"Authorization": f"Bearer {await self.bearer()}"} if with_bearer else {}
        return await ask(self.http, "GET", f"{self.hub_url}/mis-api/api/v2/auth/jwks", None, headers)

    async def call(self, path: str, document: object, *, bearer: str | None = "own", kind: str = JSON) -> Told:
        """POST a document, or bytes as they are. `bearer`: a token, None for none, or its own."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = {"Content-Type": kind}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {await self.bearer() if bearer == 'own' else bearer}"
        return await ask(self.http, "POST", f"{self.hub_url}/mis-api/api/v2/{path}", body, headers)

    async def accept(self, made: Mapping[str, Any], code: int = 200, **changes: Any) -> Told:
        """Report the outcome of a make as it came, with these fields changed (None leaves one out)."""
        path = "payments/accept" if "BetId" in made else "cashback-payments/accept"
        return await self.call(path, outcome_of(made, code, **changes))


def outcome_of(made: Mapping[str, Any], code: int = 200, **changes: Any) -> dict[str, Any]:
    """The envelope of an outcome. The casino's own id of a payment follows from the payment, as a casino's would."""
    subject = made.get("BetId", made.get("CashbackId"))
    value = {
        **{name: made[name] for name in ("BetId", "CashbackId", "PartnerUserId", "TransactionType", "Amount", "TaxAmount")
           if name in made},
        "PartnerTransactionId": f"tx-{subject}-{made['TransactionType']}",
        **changes,
    }  # fmt: skip
    stated = {name: stated for name, stated in value.items() if stated is not None}
    return {"ErrorCode": code, "Message": "Success" if code == 200 else "No", "Value": stated}
