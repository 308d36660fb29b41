"""The OpenAPI description of the calls that a betcore_v2 casino may make to the hub.

Owns: the five calls with their bodies, and their answers by status. Codes are those of `outcomes`, bounds and
TransactionTypes those of `messages`. Never: the handling of a call. Spec: casino.md 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from msgspec import Meta

from croupier.casinos.betcore_v2 import messages, outcomes
from croupier.casinos.betcore_v2.field_words import WORDS
from croupier.casinos.betcore_v2.messages import BETS, CASHBACKS, HUB_ROOT, MAX_CODE, MAX_ID
from croupier.casinos.betcore_v2.outcomes import HubAnswer
from croupier.core import money
from croupier.kit import strictjson
from croupier.kit.openapi import AnswerSpec, Half, Operation

SubjectId = Annotated[int, Meta(ge=0, le=MAX_ID)]
EnvelopeCode = Annotated[int, Meta(ge=-MAX_CODE, le=MAX_CODE)]
CasinoRef = Annotated[str, Meta(min_length=1, max_length=128)]
CasinoAmount = Annotated[
    Any,
    Meta(
        description="Major units as text, or a JSON number of the same digits; no more decimals than the currency has.",
        extra_json_schema={"type": ["string", "number"], "pattern": f"^{money.GRAMMAR}$", "minimum": 0},
    ),
]
BetType = Annotated[int, Meta(extra_json_schema={"enum": sorted(BETS.types.values())})]
CashbackType = Annotated[int, Meta(extra_json_schema={"enum": sorted(CASHBACKS.types.values())})]
AnyOtherCode = Annotated[EnvelopeCode, Meta(extra_json_schema={"not": {"const": outcomes.SUCCESS}})]


# What casinos send.


class TokenRequest(TypedDict):
    """`POST auth/token`."""

    PartnerClientId: Annotated[int, Meta(ge=0, le=MAX_CODE)]
    Secret: Annotated[str, Meta(min_length=1, max_length=256)]


SentToken = Annotated[
    str, Meta(min_length=1, max_length=strictjson.MAX_BYTES, description="A JWT that the hub sent, as it came.")
]


class BetPayment(TypedDict):
    """A payment of a bet with every required field."""

    BetId: SubjectId
    PartnerUserId: CasinoRef
    PartnerTransactionId: CasinoRef
    TransactionType: BetType
    Amount: CasinoAmount
    TaxAmount: NotRequired[CasinoAmount]
    Balance: NotRequired[CasinoAmount]


class BetPaymentId(TypedDict):
    """The identity of a payment of a bet. Other stated fields must be readable."""

    BetId: SubjectId
    PartnerUserId: NotRequired[CasinoRef]
    PartnerTransactionId: NotRequired[CasinoRef]
    TransactionType: BetType
    Amount: NotRequired[CasinoAmount]
    TaxAmount: NotRequired[CasinoAmount]


class CashbackPayment(TypedDict):
    """A payment of a cashback with every required field."""

    CashbackId: SubjectId
    PartnerUserId: CasinoRef
    PartnerTransactionId: CasinoRef
    TransactionType: CashbackType
    Amount: CasinoAmount
    TaxAmount: NotRequired[CasinoAmount]
    Balance: NotRequired[CasinoAmount]


class CashbackPaymentId(TypedDict):
    """The identity of a payment of a cashback. Other stated fields must be readable."""

    CashbackId: SubjectId
    PartnerUserId: NotRequired[CasinoRef]
    PartnerTransactionId: NotRequired[CasinoRef]
    TransactionType: CashbackType
    Amount: NotRequired[CasinoAmount]
    TaxAmount: NotRequired[CasinoAmount]


class BetAccepted(TypedDict):
    """The casino booked a payment of a bet."""

    ErrorCode: Literal[200]
    Message: str
    Value: BetPayment


class BetNotAccepted(TypedDict):
    """Any other final outcome of a payment of a bet; 103804 with the first attempt's Value is a success."""

    ErrorCode: AnyOtherCode
    Message: NotRequired[str]
    Value: BetPaymentId


class CashbackAccepted(TypedDict):
    """The casino booked a payment of a cashback."""

    ErrorCode: Literal[200]
    Message: str
    Value: CashbackPayment


class CashbackNotAccepted(TypedDict):
    """Any other final outcome of a payment of a cashback."""

    ErrorCode: AnyOtherCode
    Message: NotRequired[str]
    Value: CashbackPaymentId


# What the hub answers.


class HubEnvelope(TypedDict):
    """An answer without a value has exactly these two fields."""

    ErrorCode: int
    Message: str


class TokenValue(TypedDict):
    """A new access token."""

    AccessToken: str
    TokenType: Literal["Bearer"]
    ExpiresIn: int
    Scope: str


class TokenEnvelope(TypedDict):
    """The answer of `POST auth/token`; Value comes with code 200 alone."""

    ErrorCode: int
    Message: str
    Value: NotRequired[TokenValue]


class SentValue(TypedDict):
    """The contents of a JWT of the hub."""

    Data: str
    ClientId: str


class SentEnvelope(TypedDict):
    """The answer of `POST auth/verify`; Value comes with code 200 alone."""

    ErrorCode: int
    Message: str
    Value: NotRequired[SentValue]


class Jwk(TypedDict):
    """A public key (RFC 7517): n and e of an RSA key; crv and x, and y of P-256."""

    kty: Literal["RSA", "EC", "OKP"]
    use: Literal["sig"]
    alg: Literal["RS256", "ES256", "EdDSA"]
    kid: str
    n: NotRequired[str]
    e: NotRequired[str]
    crv: NotRequired[Literal["P-256", "Ed25519"]]
    x: NotRequired[str]
    y: NotRequired[str]


class JwkSet(TypedDict):
    """The keys, without an envelope."""

    keys: list[Jwk]


_MEANINGS: Final = {
    400: "The body cannot be read; `X-Problem` says what is wrong with it.",
    401: "The bearer is missing or invalid; for `auth/token`, the id or secret is wrong.",
    413: "The body is too large.",
    415: "The body is not declared as application/json.",
    429: "Too many requests for a token from this address, or too many wrong secrets.",
    500: "The request was not processed, or its result is not known: retry it.",
}
_TO_DO: Final = {
    400: "Correct the call; a repeat gets the same answer.",
    401: "Get a new token and send the call again. If that fails too, look at the id and the secret, and whether the casino is closed.",
    413: "Send less than 64 KB.",
    415: "Send `Content-Type: application/json`.",
    429: "Ask again after `Retry-After` seconds. Keep a token for its hour instead of asking for one with each call.",
    500: "Send the same call again after a moment, until it is answered. It is idempotent.",
}
_BODY_ERRORS: Final = (
    outcomes.UNREADABLE, outcomes.UNAUTHORIZED, outcomes.TOO_LARGE, outcomes.WRONG_TYPE, outcomes.NOT_NOW,
)  # fmt: skip


def _enveloped(means: str, body: object, codes: Sequence[HubAnswer]) -> tuple[AnswerSpec, ...]:
    """Return the answers of a call with a body: those with status 200, and the errors found before handling."""
    return AnswerSpec(200, means, body, _only(codes)), *map(_refused, _BODY_ERRORS)


def _refused(answer: HubAnswer) -> AnswerSpec:
    means = _MEANINGS.get(answer.status, answer.message)
    headers = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "Seconds to wait."}}.get(answer.status, {})
    return AnswerSpec(answer.status, means, HubEnvelope, _only([answer]), headers, do=_TO_DO.get(answer.status, ""))


def _only(answers: Iterable[HubAnswer]) -> dict[str, list[int]]:
    return {"ErrorCode": sorted({answer.code for answer in answers})}


_BEARER: Final = (("bearer",),)
_SUCCESS_ONLY: Final = (outcomes.OK,)
_ACCEPT_OUTCOMES: Final = (outcomes.OK, outcomes.NOT_ACCEPTED)

CASINOS: Final = Half(
    "casinos",
    "What casinos call: PascalCase JSON in an envelope of ErrorCode, Message and perhaps Value; 200 is success.",
    (
        Operation(
            "POST",
            HUB_ROOT + messages.HUB_TOKEN,
            "auth/token",
            "Issue an access token for this casino, valid for an hour.",
            "casino.md 1.3",
            (*_enveloped("A token.", TokenEnvelope, _SUCCESS_ONLY), _refused(outcomes.RATE_LIMITED)),
            (TokenRequest,),
            proofs=((),),
        ),
        Operation(
            "GET",
            HUB_ROOT + messages.HUB_JWKS,
            "auth/jwks",
            "Return the public keys. A request with a bearer records that this casino has them.",
            "casino.md 1.4",
            (
                AnswerSpec(200, "A JWK set.", JwkSet, headers={"Cache-Control": "How long it may be kept."}),
                _refused(outcomes.UNAUTHORIZED),
                _refused(outcomes.TOO_LARGE),
                _refused(outcomes.NOT_NOW),
            ),
            proofs=((), *_BEARER),
        ),
        Operation(
            "POST",
            HUB_ROOT + messages.HUB_VERIFY,
            "auth/verify",
            "Verify that the hub sent this JWT to this casino. For casinos without a signature library.",
            "casino.md 1.5",
            _enveloped(
                "The contents of the JWT (200), or it is not valid (103753).",
                SentEnvelope,
                (*_SUCCESS_ONLY, outcomes.NOT_VERIFIED),
            ),
            (SentToken,),
            proofs=_BEARER,
        ),
        Operation(
            "POST",
            HUB_ROOT + messages.HUB_ACCEPT,
            "payments/accept",
            "Report the outcome of a payment of a bet. Idempotent.",
            "casino.md 1.1 and 1.2",
            _enveloped(
                "Accepted (200), or a final refusal (102823): `X-Problem` says why. After a refusal do not send it again.",
                HubEnvelope,
                _ACCEPT_OUTCOMES,
            ),
            (BetAccepted, BetNotAccepted),
            proofs=_BEARER,
        ),
        Operation(
            "POST",
            HUB_ROOT + messages.HUB_CASHBACK_ACCEPT,
            "cashback-payments/accept",
            "Report the outcome of a payment of a cashback. Idempotent.",
            "casino.md 1.1 and 1.2",
            _enveloped(
                "Accepted (200), or a final refusal (102823): `X-Problem` says why. After a refusal do not send it again.",
                HubEnvelope,
                _ACCEPT_OUTCOMES,
            ),
            (CashbackAccepted, CashbackNotAccepted),
            proofs=_BEARER,
        ),
    ),
    {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of `auth/token`.",
        }
    },
    "The casino's back end.",
    WORDS,
)
"""The API for casinos."""
