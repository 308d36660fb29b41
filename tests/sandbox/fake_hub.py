"""A hub of a few lines for the sandbox's own tests: it signs calls, records what comes, and answers as told.

It shares nothing with the real hub but kit.jwt.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from croupier.kit import jwt
from croupier.kit.clock import Clock
from croupier.kit.wire import Wire, WireAnswer, WireRequest

HUB = "http://hub.test"
CASINO = "http://casino.test/any/base"
API = "/mis-api/api/v2"
CLIENT_ID, SECRET = 7, "casino-secret"


class FakeHub:
    """Speaks casino.md 1, and calls the casino as casino.md 2 says."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self.wire, self.clock = wire, clock
        self.key = jwt.new_key("EdDSA", "key-1")
        self.listed = [self.key]
        self.accepts: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[Response] = []
        """What the next accepts are answered; empty means success."""
        self.bearers: list[str] = []
        self.fetches = 0
        self.tokens = 0
        self.url = CASINO
        self.app = Starlette(
            routes=[
                Route(f"{API}/auth/token", self.token, methods=["POST"]),
                Route(f"{API}/auth/jwks", self.jwks, methods=["GET"]),
                Route(f"{API}/auth/verify", self.verify, methods=["POST"]),
                Route(f"{API}/{{path:path}}", self.accept, methods=["POST"]),
            ]
        )

    async def token(self, request: Request) -> Response:
        if await request.json() != {"PartnerClientId": CLIENT_ID, "Secret": SECRET}:
            return JSONResponse({"ErrorCode": 103752, "Message": "Incorrect request parameters"}, 401)
        self.tokens += 1
        value = {"AccessToken": f"bearer-{self.tokens}", "TokenType": "Bearer", "ExpiresIn": 3600, "Scope": "casino"}
        return JSONResponse({"ErrorCode": 200, "Message": "Success", "Value": value})

    async def jwks(self, request: Request) -> Response:
        self.fetches += 1
        self.bearers.append(request.headers.get("authorization", ""))
        return JSONResponse(jwt.jwks(self.listed))

    async def verify(self, request: Request) -> Response:
        claims = jwt.verify(await request.json(), {"key-1": self.key.verifier()}, now_s=self.clock.now_ms() // 1000)
        value = {"Data": claims["data"], "ClientId": claims["client_id"]}
        return JSONResponse({"ErrorCode": 200, "Message": "Success", "Value": value})

    async def accept(self, request: Request) -> Response:
        self.accepts.append((request.path_params["path"], await request.json()))
        self.bearers.append(request.headers.get("authorization", ""))
        return self.answers.pop(0) if self.answers else JSONResponse({"ErrorCode": 200, "Message": "Success"})

    def envelope(self, data: object, change: Callable[[dict[str, object]], None] | None = None) -> bytes:
        """The body of a call: a JSON string literal with a token, `change` bends the claims."""
        now_s = self.clock.now_ms() // 1000
        claims: dict[str, object] = {
            "nbf": now_s,
            "exp": now_s + 10,
            "iss": HUB,
            "data": json.dumps(data),
            "client_id": f"PartnerClient-{CLIENT_ID}",
        }
        if change is not None:
            change(claims)
        return json.dumps(jwt.sign(self.key, claims)).encode()

    async def raw(self, path: str, body: bytes, total_s: float = 10.0) -> WireAnswer:
        headers = {"Content-Type": "application/json"}
        return await self.wire.send(WireRequest("POST", f"{self.url}/{path}", headers, body, total_s=total_s))

    async def call(self, path: str, data: object) -> dict[str, Any]:
        answer = await self.raw(path, self.envelope(data))
        assert answer.status == 200, answer
        told: dict[str, Any] = json.loads(answer.body)
        return told

    async def make(self, bet: int, kind: int, amount: str, player: str = "anna", **more: object) -> dict[str, Any]:
        data = {"BetId": bet, "PartnerUserId": player, "TransactionType": kind, "Amount": amount, **more}
        return await self.call("payments/make", data)
