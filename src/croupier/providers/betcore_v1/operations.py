"""The OpenAPI description of the calls that a betcore_v1 provider may make to the hub.

Owns: the six calls with their bodies, their answers by status, and the four headers of the signature. Codes and
statuses are those of `outcomes`, records those of `messages`. Never: the handling of a call. Spec: provider.md 1, 2 and 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from croupier.core.refusals import Refusal
from croupier.kit.openapi import AnswerSpec, Half, Operation, Schema
from croupier.providers.betcore_v1 import messages, outcomes
from croupier.providers.betcore_v1.field_words import WORDS
from croupier.providers.betcore_v1.messages import BASE_PATH, WalletAnswer
from croupier.providers.betcore_v1.outcomes import RequestFault, WireOutcome

SESSION: Final = BASE_PATH + "/sessions/{session_id}"
"""Path prefix of every call of a session."""

_COMMON_REFUSALS: Final = (Refusal.WRONG_DATA, Refusal.UNAUTHORIZED, Refusal.SESSION_UNKNOWN)
_UNDECIDED: Final = (Refusal.OUTCOME_UNKNOWN, Refusal.NOT_TAKEN)
_LIMITED: Final = (Refusal.RATE_LIMITED,)
"""For calls that neither pay nor return what is owed."""
_STAKE_REFUSALS: Final = (
    Refusal.NOT_ENOUGH_FUNDS,
    Refusal.CASINO_REFUSED,
    Refusal.PLAYER_BLOCKED,
    Refusal.LIMIT,
    Refusal.CONFLICT,
    *_LIMITED,
)
_MEANINGS: Final = {
    200: "Success, with the player's balance where it is known.",
    400: "Wrong data: the answer names the field if there is one.",
    401: "The signature was not accepted. Every failure gets the same answer.",
    402: "The player has not enough funds.",
    403: "The player is blocked, a limit is exceeded, or the casino refuses.",
    404: "There is no such session of this provider (2), no such bet (5), or no such path: a session with a slash in it (6).",
    409: "The bet exists with other contents, or is already finished otherwise; a draw is another provider's, or contradicts what is known.",
    413: "The body is too large.",
    415: "The body is not declared as application/json.",
    429: "A rate limit was exceeded; nothing was written. Safe to retry.",
    503: "Not processed; nothing was written. Safe to retry.",
    504: "The outcome is not known yet: retry, or refund.",
}


_TO_DO: Final = {
    400: "Correct the field that is named. The stake was not taken.",
    401: "Look at the secret, the clock (Unix milliseconds) and the bytes that are signed: exactly those that are sent.",
    402: "Tell the player. The stake was not taken.",
    403: "Tell the player that the bet was not taken. Do not repeat it.",
    404: "Launch a new session (2), or look at the betId (5).",
    409: "Do not repeat it. The bet has ended, or your record of it differs: compare it with `croupier trace`.",
    413: "Send less than 64 KB.",
    415: "Send `Content-Type: application/json`.",
    429: "Repeat with the same ids after `Retry-After` seconds, and send less. Pay-outs and refunds are never limited.",
    503: "Repeat with the same ids after `Retry-After` seconds.",
    504: "Repeat with the same ids; if that is 99 too, send a refund. Repeat a pay-out and a refund until they are taken.",
}


def _answers(refusals: Iterable[Refusal], faults: Iterable[RequestFault]) -> tuple[AnswerSpec, ...]:
    """Return the answers of a call by HTTP status, each with its codes."""
    rows = [outcomes.SUCCESS]
    rows += [outcomes.REFUSALS[refusal] for refusal in refusals]
    rows += [outcomes.FAULTS[fault] for fault in faults]
    return tuple(_answer_spec(status, rows) for status in sorted({row.status for row in rows}))


def _answer_spec(status: int, rows: Iterable[WireOutcome]) -> AnswerSpec:
    codes = sorted({row.code for row in rows if row.status == status})
    waits = {"Retry-After": "Seconds to wait."} if status in outcomes.NOT_TAKEN_STATUSES else {}
    return AnswerSpec(
        status, _MEANINGS[status], WalletAnswer, {"_responseCode": codes}, waits, do=_TO_DO.get(status, "")
    )


def _bet_call(verb: str, summary: str, body: object, *, refusals: tuple[Refusal, ...]) -> Operation:
    return Operation(
        "POST",
        f"{SESSION}/bets/{verb}",
        verb,
        summary,
        "provider.md 1, 2 and 4",
        _answers(
            (*_COMMON_REFUSALS, *refusals, *_UNDECIDED),
            (RequestFault.TOO_LARGE, RequestFault.WRONG_TYPE, RequestFault.UNKNOWN_PATH),
        ),
        (body,),
        _PATH,
        _SIGNED,
    )


_PATH: Final[dict[str, Schema]] = {
    "session_id": {"type": "string", "minLength": 1, "maxLength": 128, "description": "The sessionId of the launch."}
}
_SIGNATURE_HEADERS: Final = {
    messages.HEADER_COUNTERPARTY: "The counterparty's GUID or short id.",
    messages.HEADER_TIMESTAMP: "Unix milliseconds, within the window of the counterparty (30 s by default).",
    messages.HEADER_REQUEST_ID: "32 hex digits, new for every request.",
    messages.HEADER_SIGN: "Lower-case hex HMAC-SHA256 with the shared secret over body (left out when there is none), "
    "counterparty id, timestamp and request id, joined by dots. All four headers come together.",
}
_SIGNED: Final = (tuple(_SIGNATURE_HEADERS),)

PROVIDERS: Final = Half(
    "providers",
    "What game providers call: camelCase JSON, every answer with `_responseCode`.",
    (
        Operation(
            "GET",
            f"{SESSION}/balance",
            "balance",
            "Return the player's balance, queried from the casino.",
            "provider.md 1, 2 and 4",
            _answers((*_COMMON_REFUSALS, *_UNDECIDED, *_LIMITED), (RequestFault.TOO_LARGE, RequestFault.UNKNOWN_PATH)),
            parameters=_PATH,
            proofs=_SIGNED,
        ),
        _bet_call(
            "pay-in",
            "Take a stake. The answer comes when its outcome is known or the hold time ends.",
            messages.StakeBody,
            refusals=_STAKE_REFUSALS,
        ),
        _bet_call(
            "pay-out",
            "Settle a bet with a win; 0 is a loss.",
            messages.WinBody,
            refusals=(Refusal.BET_UNKNOWN, Refusal.CONFLICT),
        ),
        _bet_call(
            "pay-in-out", "Take a stake and settle the bet at once.", messages.StakeAndWinBody, refusals=_STAKE_REFUSALS
        ),
        _bet_call("refund", "Undo a bet, whatever state it is in.", messages.RefundBody, refusals=(Refusal.CONFLICT,)),
        Operation(
            "POST",
            f"{BASE_PATH}/feed/draws",
            "feed/draws",
            "Publish draws of live games and jackpot meters: all of them are taken, or none.",
            "provider.md 5, feed.md 4.1",
            _answers(
                (Refusal.WRONG_DATA, Refusal.UNAUTHORIZED, Refusal.CONFLICT, *_UNDECIDED, *_LIMITED),
                (RequestFault.TOO_LARGE, RequestFault.WRONG_TYPE),
            ),
            (messages.FeedBody, messages.FeedList),
            proofs=_SIGNED,
        ),
    ),
    {
        header: {"type": "apiKey", "in": "header", "name": header, "description": means}
        for header, means in _SIGNATURE_HEADERS.items()
    },
    "The provider's server.",
    WORDS,
)
"""The API for providers."""
