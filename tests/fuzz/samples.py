"""Valid inputs of every boundary, and the fields that records are bred of: the good values as raw JSON, by field."""

from __future__ import annotations

import base64
import json
from typing import Any

from croupier.casinos.betcore_v2 import signing
from croupier.kit import jwt
from croupier.kit.jwt import PublicKey, SigningKey
from croupier.providers.betcore_v1 import signing as provider_signing
from tests.fuzz.breed import Breeder
from tests.house.source import ROOT

NOW_S = 1_790_000_000
ISSUER = "hub.test"
CASINO_ID = 2201
BET_ID = 216345600000001
SECRETS = ("the-older-secret", "the-newer-secret")
COUNTERPARTY = "3f0c8d52-6f0e-4a53-9b1c-0f6f3a2f7c11"

KEYS: dict[str, SigningKey] = {
    row["alg"]: jwt.from_pem(row["alg"], row["kid"], row["pem"].encode())
    for row in json.loads((ROOT / "tests/vectors/betcore_v2/keys.json").read_text("utf-8"))["keys"]
}
PUBLIC: dict[str, PublicKey] = {key.kid: key.verifier() for key in KEYS.values()}


def raw(*values: object) -> tuple[bytes, ...]:
    """Good values as JSON."""
    return tuple(json.dumps(value).encode() for value in values)


AMOUNT = (b'"12.50"', b"12.5", b'"0"', b'"0.01"', b"1", b'"999999999999999"', b'"1.00000000"')
REF = (b'"b-1001"', b'"r-77"', b'"\\u0416\xd0\x96"', b'"' + b"x" * 128 + b'"', b'"{}"')
BET_CALL = {
    "betId": REF, "gameRoundId": REF, "betAmount": AMOUNT, "winAmount": AMOUNT, "winOdd": (b"2.5", b'"1e3"', b"null"),
    "sessionId": (b'"s-1"', b"null"),
}  # fmt: skip
TYPES = {"BetId": raw(-1, 1, 2, -2, 4), "CashbackId": raw(1, -1)}
CODES = raw(200, 200, 200, 103804, 103805, 102145, 103801, 102823, 103779, 103753, 103802, 500, 999, -1)
MESSAGE = (b'"Success"', b'"No"', b'""', b"null")
TOKEN_REQUEST = {"PartnerClientId": raw(2201, 0), "Secret": raw("s", "x" * 256)}
AUTHORIZED = {
    "RefreshToken": raw("t", "t" * 4096), "PartnerUserId": raw("p-7"), "CurrencyCode": raw("EUR", "mBTC"),
    "IsTest": raw(False, True, None), "Language": raw("en", None), "CountryCode": raw("DE", 5), "Balance": AMOUNT,
}  # fmt: skip
GAME = {
    "gameId": raw("lantern-tumble", 17, "17", "..", "x" * 128), "name": raw("Lantern Tumble", "x" * 256),
    "gameCategory": raw("slots", "crash"), "maxOdd": raw("100", 2.5, None),
    "lobbyImgUrl": raw("https://img.test/a.png", "no", None),
}  # fmt: skip


def payment_fields(id_name: str) -> dict[str, tuple[bytes, ...]]:
    """A payment as a casino states it."""
    return {
        id_name: raw(BET_ID, 5, 2**53 - 1),
        "PartnerUserId": raw("p-7", "Zo\u00eb"),
        "PartnerTransactionId": raw("t-1", "x" * 128),
        "TransactionType": TYPES[id_name],
        "Amount": AMOUNT,
        "TaxAmount": (*AMOUNT, b"null"),
        "Balance": (*AMOUNT, b'"much"', b"null"),
        "DateTime": raw("2026-01-02T03:04:05Z", 1790000000, "1790000000.5", None),
    }


def said(breeder: Breeder, value: bytes) -> bytes:
    """An envelope around a value."""
    return breeder.record({"ErrorCode": CODES, "Message": MESSAGE, "Value": (value,)}, calm=0.97)


# --- tokens ---------------------------------------------------------------------------------------------------------


def _sent(alg: str, data: str, **changes: Any) -> str:
    told = {"casino_id": CASINO_ID, "issuer": ISSUER, "now_s": NOW_S, **changes}
    return str(json.loads(signing.envelope(KEYS[alg], data, **told)))


SENT = [_sent(alg, data) for alg in KEYS for data in ("{}", '{"BetId":5}', "x" * 900)]
"""Good for `auth/verify` at NOW_S."""
BEARERS = [
    signing.issue_token(KEYS["RS256"], casino, signing.SCOPE, issuer=ISSUER, now_s=NOW_S) for casino in (1, CASINO_ID)
]
"""Good as bearers at NOW_S."""
STALE = [
    *(_sent(alg, "{}", now_s=NOW_S - 60) for alg in KEYS), *(_sent(alg, "{}", casino_id=9) for alg in KEYS),
    *(_sent(alg, "{}", issuer="elsewhere") for alg in KEYS),
    signing.issue_token(KEYS["RS256"], 1, "feeds", issuer=ISSUER, now_s=NOW_S),
    signing.issue_token(KEYS["RS256"], 1, signing.SCOPE, issuer=ISSUER, now_s=NOW_S - 7200),
]  # fmt: skip
"""Signed by the hub, and good for nothing."""
TOKENS = [*SENT, *BEARERS, *STALE]
HEADERS = {
    "alg": raw("RS256", "ES256", "EdDSA"), "kid": raw(*(key.kid for key in KEYS.values())), "typ": raw("JWT", "jwt"),
}  # fmt: skip
ODD_HEADERS = {
    "alg": raw("none", "None", "HS256", "ES384", "rs256", ""), "kid": raw("../../etc/passwd", "' or 1=1 --", "a\0b", "x" * 129),
    "typ": raw("JWE", "at+jwt"), "jwk": raw({"kty": "RSA"}), "jku": raw("https://evil.test"), "crit": raw(["b64"]),
    "b64": raw(False), "x5u": raw("https://evil.test"), "x5c": raw(["MII"]), "zip": raw("DEF"), "enc": raw("A256GCM"),
}  # fmt: skip
CLAIMS = {
    "exp": raw(NOW_S + 10, NOW_S + 3600), "nbf": raw(NOW_S), "iss": raw(ISSUER), "aud": raw("hub", ["hub"]),
    "client_id": raw("PartnerClient-2201"), "scope": raw("casino"), "data": raw("{}"),
}  # fmt: skip


def b64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def token(breeder: Breeder) -> bytes:
    """A token: broken, taken apart and put together anew, or with a header and claims of its own."""
    known = breeder.one([known.encode() for known in TOKENS])
    how = breeder.chance.random()
    if how < 0.05:
        return known
    if how < 0.6:
        return breeder.twisted(known)
    head, claims, signature = known.split(b".")
    if how < 0.7:
        parts = [breeder.one([other.encode() for other in TOKENS]).split(b".")[place] for place in range(3)]
        return b".".join(parts)
    if how < 0.9:
        fields = {**HEADERS, **ODD_HEADERS} if breeder.chance.random() < 0.5 else HEADERS
        return b".".join((b64(breeder.record(fields)), claims, signature))
    return b".".join((head, b64(breeder.record(CLAIMS)), signature))


# --- signed requests ------------------------------------------------------------------------------------------------


def signed_request(breeder: Breeder) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and a body, as a provider sends them, and then perhaps not quite."""
    chance = breeder.chance.random
    body = b"" if chance() < 0.1 else breeder.record(BET_CALL)
    over = _resorted(body) if chance() < 0.3 else body
    when = NOW_S * 1000 + int((chance() - 0.5) * 70_000)
    secret = SECRETS[int(chance() * 2)] if chance() < 0.9 else "another"
    made = provider_signing.sign(
        secret, COUNTERPARTY, over, timestamp_ms=when, request_id=f"{int(chance() * 2**60):032x}"
    )
    headers = [(name.lower().encode(), value.encode()) for name, value in made.items()]
    if chance() < 0.4:
        place = int(chance() * 4)
        name, value = headers[place]
        how = chance()
        if how < 0.2:
            headers.append((name, value))
        elif how < 0.3:
            del headers[place]
        elif how < 0.4:
            headers[place] = (name.upper(), value.upper())
        else:
            headers[place] = (name, breeder.twisted(value))
    return headers, breeder.twisted(body) if chance() < 0.2 else body


def _resorted(body: bytes) -> bytes:
    """What a provider signs whose body is re-encoded on the way: the sorted compact form, if it is flat JSON."""
    try:
        return json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return body
