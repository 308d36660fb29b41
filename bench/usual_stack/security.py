"""Signatures of both protocols: the provider's HMAC, the JWTs to the casino, the casino's access tokens. The key is loaded once."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import HTTPException, Request

from bench.usual_stack.messages import Settings

FRESH_S = 30
SENT_S = 10
TOKEN_S = 3600


class Keys:
    """The hub's key pair and the two shared secrets."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._private: Any = load_pem_private_key(settings.key_file.read_bytes(), None)
        self._public = self._private.public_key()

    def sign_call(self, data: dict[str, Any]) -> str:
        """Return the body of a call to the casino: a JSON string with a JWT."""
        now = int(time.time())
        client = f"PartnerClient-{self._settings.casino_id}"
        claims = {"nbf": now, "exp": now + SENT_S, "iss": "hub", "data": json.dumps(data), "client_id": client}
        return json.dumps(jwt.encode(claims, self._private, "RS256", {"kid": "1"}))

    def issue_token(self) -> str:
        """Return an access token for the casino."""
        now = int(time.time())
        claims = {
            "iss": "hub",
            "aud": "hub",
            "nbf": now,
            "exp": now + TOKEN_S,
            "client_id": str(self._settings.casino_id),
        }
        return jwt.encode(claims, self._private, "RS256", {"kid": "1"})

    def check_bearer(self, request: Request) -> None:
        """Verify the casino's access token. Raises HTTPException."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            jwt.decode(token, self._public, ["RS256"], audience="hub", issuer="hub")
        except jwt.PyJWTError:
            scheme = ""
        if scheme != "Bearer":
            raise HTTPException(401, "the bearer is missing or wrong")

    def check_signature(self, request: Request, body: bytes) -> tuple[str, bytes]:
        """Verify a provider's signature and the age of its request. Return request id and digest. Raises HTTPException."""
        headers = request.headers
        parts = [headers.get(name, "") for name in ("x-counterparty-id", "x-timestamp", "x-request-id")]
        counterparty, stamp, request_id = parts
        signed = b".".join([body, *(part.encode() for part in parts)])
        expected = hmac.new(self._settings.provider_secret.encode(), signed, hashlib.sha256).hexdigest()
        genuine = hmac.compare_digest(expected.encode(), headers.get("x-sign", "").encode())
        fresh = stamp.isdigit() and abs(int(stamp) / 1000 - time.time()) <= FRESH_S
        if not genuine or not fresh or counterparty != self._settings.counterparty:
            raise HTTPException(401, "authorization error")
        return request_id, hashlib.sha256(request.url.path.encode() + body).digest()
