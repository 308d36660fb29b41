"""The REST operations of the feed, as the OpenAPI document states it.

Owns: the five calls with their queries and their answers by status. Bounds are those of `query`, codes and spellings
those of `messages`. Never: a route's work. Spec: feed.md 1 and 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from msgspec import Meta

from croupier.core.draws import MAX_ID, MAX_TYPE
from croupier.feed.rest import messages, query
from croupier.feed.rest.field_words import WORDS
from croupier.feed.rest.messages import ROOT, FeedAnswer
from croupier.kit.openapi import AnswerSpec, Half, Operation, Schema


class FeedTokenRequest(TypedDict):
    """`POST auth/token`."""

    PartnerClientId: Annotated[int, Meta(ge=0, le=messages.MAX_CLIENT)]
    Secret: Annotated[str, Meta(min_length=1, max_length=256)]


class FeedEnvelope(TypedDict):
    """An answer without a value."""

    ErrorCode: int
    Message: str


class FeedToken(TypedDict):
    """A new access token."""

    AccessToken: str
    TokenType: Literal["Bearer"]
    ExpiresIn: int
    Scope: Literal["feeds"]


class FeedTokenEnvelope(FeedEnvelope):
    """The answer of `POST auth/token`."""

    Value: FeedToken


class DrawRecord(TypedDict):
    """A draw, as pushes show it too."""

    i: Annotated[int, Meta(description="The hub's number of the draw.")]
    t: Annotated[int, Meta(description="Game type.")]
    ge: Annotated[int, Meta(description="Edition.")]
    lrId: Annotated[int | None, Meta(description="The number of the game type's last finished draw.")]
    s: Annotated[int, Meta(ge=1, le=5, description="1 awaiting, 2 active, 3 finished, 4 review, 5 cancelled.")]
    ps: Annotated[int, Meta(ge=1, le=2, description="1 betting, 2 game action.")]
    cr: Annotated[int, Meta(description="Current round.")]
    sdt: Annotated[str, Meta(description="Start, ISO 8601 UTC.")]
    edt: Annotated[str | None, Meta(description="End, ISO 8601 UTC.")]
    res: Annotated[list[Any], Meta(description="Results.")]
    proof: Annotated[dict[str, str], Meta(description="What shows that the draw is fair.")]


class DrawList(TypedDict):
    """Draws, newest first, and how many there are in all if they can be counted."""

    GameResults: list[DrawRecord]
    Total: NotRequired[int]


class DrawListEnvelope(FeedEnvelope):
    """The answer of `GET games/list`."""

    Value: DrawList


class DrawEnvelope(FeedEnvelope):
    """The answer of `GET games/info`."""

    Value: DrawRecord


class EventNames(TypedDict):
    """The names of a bet event and of its outcomes by key."""

    Name: str
    Outcomes: dict[str, str]


class TypeNames(TypedDict):
    """The names of a game type."""

    Name: str
    States: dict[str, str]
    PlayStates: dict[str, str]
    Events: dict[str, EventNames]


class TranslationsEnvelope(FeedEnvelope):
    """The answer of `GET games/types/translations`: names by game type."""

    Value: dict[str, TypeNames]


class JackpotRecord(TypedDict):
    """The amount of a jackpot."""

    JackpotId: str
    Name: str
    Amount: str
    Currency: str
    UpdatedAt: str


class JackpotsEnvelope(FeedEnvelope):
    """The answer of `GET jackpots/accumulated`."""

    Value: list[JackpotRecord]


_MEANINGS: Final = {
    400: "The query or the body is wrong; `X-Problem` says what is wrong with it.",
    401: "No bearer of scope feeds, or not a good one; of `auth/token`, a wrong id or secret.",
    404: "There is no such draw.",
    413: "The body is too large.",
    415: "The body is not declared as application/json.",
    429: "Too many calls of this casino; of `auth/token`, too many requests or wrong secrets from this address.",
    500: "It cannot be answered now: ask again.",
}


_TO_DO: Final = {
    400: "Correct what `X-Problem` names.",
    401: "Get a new token of this API's own `auth/token`.",
    404: "Ask for a draw that `games/list` shows.",
    413: "Send less than 64 KB.",
    415: "Send `Content-Type: application/json`.",
    429: "Ask again after `Retry-After` seconds.",
    500: "Ask again after a moment.",
}


def _refused(answer: FeedAnswer) -> AnswerSpec:
    headers = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "Seconds to wait."}}.get(answer.status, {})
    means, do = _MEANINGS[answer.status], _TO_DO[answer.status]
    return AnswerSpec(answer.status, means, FeedEnvelope, {"ErrorCode": [answer.code]}, headers, do=do)


def _whole(most: int, means: str, *, least: int = 0) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most, "description": means}


_LANGUAGE: Final[Schema] = {
    "type": "string",
    "pattern": f"^{query.LANGUAGE}$",
    "description": "BCP 47; what is not there falls back to a wider tag, and then to `en`.",
}
_TAGS: Final = {"ETag": "Send it back as If-None-Match."}


def _get(
    path: str, summary: str, body: object, *, params: Mapping[str, Schema], also: FeedAnswer | None = None
) -> Operation:
    refusals = [
        messages.BAD_QUERY,
        messages.UNAUTHORIZED,
        *([also] if also else []),
        messages.RATE_LIMITED,
        messages.NOT_NOW,
    ]
    return Operation(
        "GET",
        f"{ROOT}/{path}",
        path,
        summary,
        "feed.md 2",
        (
            AnswerSpec(200, "Success.", body, {"ErrorCode": [messages.OK.code]}, _TAGS),
            AnswerSpec(304, "It is still as If-None-Match says.", None, headers=_TAGS),
            *map(_refused, refusals),
        ),
        query=params,
        proofs=(("bearer",),),
    )


FEED: Final = Half(
    "feed",
    "What casinos ask of the live feed: draws and jackpots, in the envelope of the casinos' half.",
    (
        Operation(
            "POST",
            f"{ROOT}/auth/token",
            "feed/auth/token",
            "An access token of scope feeds, valid for an hour.",
            "feed.md 1",
            (
                AnswerSpec(200, "A token.", FeedTokenEnvelope, {"ErrorCode": [messages.OK.code]}),
                *map(
                    _refused,
                    (
                        messages.BAD_QUERY,
                        messages.UNAUTHORIZED,
                        messages.TOO_LARGE,
                        messages.WRONG_TYPE,
                        messages.RATE_LIMITED,
                        messages.NOT_NOW,
                    ),
                ),
            ),
            (FeedTokenRequest,),
            proofs=((),),
        ),
        _get(
            "games/list",
            "Draws, newest first.",
            DrawListEnvelope,
            params={
                "GameType": _whole(MAX_TYPE, "Only this game type."),
                "StartTs": _whole(query.LATEST_S, "Only draws that start then or later, Unix seconds."),
                "FinishTs": _whole(query.LATEST_S, "Only draws that start then or earlier, Unix seconds."),
                "Offset": _whole(query.MAX_OFFSET, "So many are left out."),
                "Count": _whole(query.MOST, "The most that are listed; 100 by default.", least=1),
                "lng": _LANGUAGE,
            },
        ),
        _get(
            "games/info",
            "One draw, by its number, or by type and edition.",
            DrawEnvelope,
            params={
                "GameId": _whole(MAX_ID, "The hub's number of the draw."),
                "GameType": _whole(MAX_TYPE, "The game type, with GameEdition."),
                "GameEdition": _whole(MAX_ID, "The edition, with GameType."),
            },
            also=messages.NO_SUCH_DRAW,
        ),
        _get(
            "games/types/translations",
            "The names of game types, states, bet events and outcomes.",
            TranslationsEnvelope,
            params={"lng": _LANGUAGE},
        ),
        _get(
            "jackpots/accumulated",
            "What the jackpots stand at.",
            JackpotsEnvelope,
            params={"Currency": {"type": "string", "description": "Only jackpots of this currency."}},
        ),
    ),
    caller="The casino's back end, which passes what it reads to its pages.",
    words=WORDS,
)
"""Everything that is served under the feed's root."""
