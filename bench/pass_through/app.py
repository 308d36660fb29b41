"""A pass-through of the same calls without a database: what it takes less than the hub is what durability costs.

It verifies the provider's signature, gathers makes into lists as the hub does, signs and sends them, waits for the accept and answers. It
keeps nothing: it loses what is in flight when it ends, and a repeat takes the stake twice. Never put it into service.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvicorn

from croupier.kit import jwt
from croupier.kit.clock import SystemClock
from croupier.kit.http import HttpWire
from croupier.kit.jwt import SigningKey
from croupier.kit.keys import new_key
from croupier.kit.wire import WireRequest

BATCH = 100
LINES = 2
"""Calls to the casino at once. Makes gather meanwhile."""
ACCEPT = "/mis-api/api/v2/payments/accept"
HOLD_S = 6.0

Scope, Message = dict[str, Any], dict[str, Any]
Receive, Send = Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]


class PayIn(msgspec.Struct, rename="camel"):
    """What a provider sends."""

    bet_id: str
    game_round_id: str
    bet_amount: float


class Payment(msgspec.Struct, rename="pascal"):
    """The payment of an accept."""

    bet_id: int


class Accept(msgspec.Struct, rename="pascal"):
    """What a casino sends."""

    error_code: int
    value: Payment


class PassThrough:
    """The program. One bet is one future in memory."""

    def __init__(self, casino_url: str, provider_key: str, token: str) -> None:
        self._casino_url = casino_url
        self._provider_key = provider_key.encode()
        self._bearer = f"Bearer {token}".encode()
        self._clock = SystemClock()
        self._key: SigningKey = new_key("RS256", "1")
        self._wire = HttpWire(allow_private=True)
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._makes: list[dict[str, object]] = []
        self._numbers = 0
        self._out = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        message = await receive()
        body = message.get("body", b"")
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        headers = dict(scope["headers"])
        if scope["path"] == ACCEPT:
            status, answer = self._accept(headers, body)
        else:
            status, answer = await self._pay_in(headers, body)
        length = (b"content-length", b"%d" % len(answer))
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json"), length],
            }
        )
        await send({"type": "http.response.body", "body": answer})

    async def _pay_in(self, headers: dict[bytes, bytes], body: bytes) -> tuple[int, bytes]:
        names = (b"x-counterparty-id", b"x-timestamp", b"x-request-id")
        signed = b".".join([body, *(headers.get(name, b"") for name in names)])
        sign = hmac.digest(self._provider_key, signed, "sha256").hex().encode()
        if not hmac.compare_digest(sign, headers.get(b"x-sign", b"")):
            return 401, b'{"_responseCode":8}'
        order = msgspec.json.decode(body, type=PayIn)
        self._numbers = number = self._numbers + 1
        outcome = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._makes.append(
            {"BetId": number, "PartnerUserId": "p0", "TransactionType": -1, "Amount": f"{order.bet_amount:.2f}"}
        )
        if self._out < LINES:
            self._out += 1
            asyncio.ensure_future(self._send())  # noqa: RUF006 - it ends by itself when nothing waits
        try:
            async with asyncio.timeout(HOLD_S):
                code = await outcome
        except TimeoutError:
            return 504, b'{"_responseCode":99}'
        finally:
            del self._waiting[number]
        return 200, b'{"_responseCode":%d,"currency":"EUR"}' % code

    async def _send(self) -> None:
        """Send makes until none waits."""
        while self._makes:
            makes, self._makes = self._makes[:BATCH], self._makes[BATCH:]
            data = json.dumps(makes if len(makes) > 1 else makes[0], separators=(",", ":"))
            now_s = self._clock.now_ms() // 1000
            claims = {"nbf": now_s, "exp": now_s + 10, "iss": "hub", "data": data, "client_id": "PartnerClient-1"}
            path = "make-list" if len(makes) > 1 else "make"
            url, token = f"{self._casino_url}/payments/{path}", f'"{jwt.sign(self._key, claims)}"'.encode()
            await self._wire.send(WireRequest("POST", url, {"content-type": "application/json"}, token))
        self._out -= 1

    def _accept(self, headers: dict[bytes, bytes], body: bytes) -> tuple[int, bytes]:
        if not hmac.compare_digest(headers.get(b"authorization", b""), self._bearer):
            return 401, b'{"ErrorCode":103752,"Message":"Incorrect request parameters"}'
        order = msgspec.json.decode(body, type=Accept)
        outcome = self._waiting.get(order.value.bet_id)
        if outcome is not None and not outcome.done():
            outcome.set_result(1 if order.error_code == 200 else 4)
        return 200, b'{"ErrorCode":200,"Message":"Success"}'


if __name__ == "__main__":
    program = PassThrough(*(os.environ[f"PASS_{name}"] for name in ("CASINO_URL", "PROVIDER_KEY", "TOKEN")))
    uvicorn.run(program, port=int(sys.argv[1]), log_level="error", access_log=False)
