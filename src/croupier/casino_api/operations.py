"""The operations of this API, as the OpenAPI document states them, and as its routes are made.

Owns: each call with its parameters, bodies and answers. Bounds are those of `query` and `bodies`, codes those of `problems`.
Never: a call's work. Spec: casino.md 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NotRequired, TypedDict

from msgspec import Meta

from croupier.casino_api import books, frame_records, money_records, players, query, records, why
from croupier.casino_api.door import ROOT
from croupier.casino_api.field_words import WORDS
from croupier.casino_api.problems import MEDIA, ProblemCode, status_of, title_of, to_do
from croupier.kit.openapi import AnswerSpec, Half, Operation, Schema
from croupier.views.casino_books import KINDS


class ProblemRecord(TypedDict):
    """RFC 9457. The `type` of a code never changes."""

    type: str
    title: str
    status: int
    code: str
    detail: Annotated[str, Meta(description="What is wrong and what to do, for a person.")]
    field: NotRequired[Annotated[str, Meta(description="The parameter or field at fault.")]]
    rule: NotRequired[Annotated[str, Meta(description="The rule that keeps a game or a bet from the player.")]]


_C = ProblemCode
_TAGS: Final = {"ETag": "Send it back as If-None-Match."}
_RETRY: Final = {"Retry-After": "Seconds."}
_ALWAYS: Final = (_C.BAD_REQUEST, _C.UNAUTHORIZED, _C.TOO_MANY_REQUESTS, _C.NOT_NOW)
_BODY: Final = (_C.TOO_LARGE, _C.WRONG_TYPE)

_GAME_ID: Final[Mapping[str, Schema]] = {"gameId": {"type": "string", "pattern": "^[0-9]{1,19}$"}}
_SESSION_ID: Final[Mapping[str, Schema]] = {"sessionId": {"type": "string", "minLength": 1, "maxLength": 128}}


def text(pattern: str, means: str) -> Schema:
    """Return the schema of a text parameter."""
    return {"type": "string", "pattern": f"^{pattern}$", "description": means}


def free(means: str, most: int = 128) -> Schema:
    """Return the schema of a name or of words."""
    return {"type": "string", "minLength": 1, "maxLength": most, "description": means}


def one_of(*words: str, means: str) -> Schema:
    """Return the schema of one of these words."""
    return {"type": "string", "enum": list(words), "description": means}


PAGE: Final[Mapping[str, Schema]] = {
    "cursor": text(query.CURSOR, "The nextCursor of the page before."),
    "limit": {"type": "integer", "minimum": 1, "maximum": query.MOST, "description": f"The most on a page; {query.USUAL} by default."},
}  # fmt: skip
_FILTERS: Final[Mapping[str, Schema]] = {
    "provider": free("Only games of this provider: name or id."),
    "category": free("Only this category, such as slots."),
    "type": text(query.WORD, "Only this type, such as live or rng."),
    "features": text(f"{query.WORD}(,{query.WORD}){{0,15}}", "Only games that have all of these, with commas between them."),
    "currency": text("[A-Za-z]{3,5}", "Only games that can be played in this currency."),
    "country": text(query.COUNTRY, "Only games that can be played in this country."),
    "language": text(query.LANGUAGE, "The language of the names, BCP 47; without it, or where it is not there, the provider's own."),
    "text": free("Only games with words that begin like all of these."),
    "since": {"type": "integer", "minimum": 0, "description": "A changesCursor: games that changed since, also those that are not available any more."},
    "unavailable": one_of("true", "false", means="Whether games that this casino cannot offer are listed too."),
    **PAGE,
}  # fmt: skip


def refusals(*codes: ProblemCode) -> tuple[AnswerSpec, ...]:
    """Return an answer for each status of these codes."""
    by_status: dict[int, list[ProblemCode]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(status_of(code), []).append(code)
    return tuple(_refusal(status, by_status[status]) for status in sorted(by_status))


def _refusal(status: int, codes: Sequence[ProblemCode]) -> AnswerSpec:
    headers = dict(_RETRY) if _C.TOO_MANY_REQUESTS in codes else {}
    if _C.UNAUTHORIZED in codes:
        headers["WWW-Authenticate"] = "Bearer."
    only: dict[str, Sequence[object]] = {"status": [status], "code": [code.value for code in codes]}
    means = " ".join(f"{title_of(code)}." for code in codes)
    return AnswerSpec(status, means, ProblemRecord, only, headers, MEDIA, do=" ".join(map(to_do, codes)))


def read(path: str, summary: str, body: object, *, section: str, **more: object) -> Operation:
    """Return a GET of a casino, with an entity tag. `parameters` and `query` as of an operation; `also`: more problems."""
    also: tuple[ProblemCode, ...] = more.pop("also", ())  # type: ignore[assignment]
    proofs = more.pop("proofs", (("bearer",),))
    good = (
        AnswerSpec(200, "Success.", body, headers=_TAGS),
        AnswerSpec(304, "It is still as If-None-Match says.", None, headers=_TAGS),
    )
    return Operation(
        "GET", f"{ROOT}/{path}", f"casino-api/{path}", summary, section, (*good, *refusals(*_ALWAYS, *also)),
        proofs=proofs, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def write(call: str, summary: str, body: object, *, section: str, **more: object) -> Operation:
    """Return a POST, PUT or DELETE of a casino: `call` is method and path. `status` of success; the rest as for `read`."""
    method, _, path = call.partition(" ")
    also: tuple[ProblemCode, ...] = more.pop("also", ())  # type: ignore[assignment]
    status: int = more.pop("status", 200)  # type: ignore[assignment]
    proofs = more.pop("proofs", (("bearer",),))
    limits = _BODY if more.get("bodies") else ()
    return Operation(
        method, f"{ROOT}/{path}", f"casino-api/{method.lower()}/{path}", summary, section,
        (AnswerSpec(status, "Success.", body), *refusals(*_ALWAYS, *limits, *also)), proofs=proofs, **more,  # type: ignore[arg-type]
    )  # fmt: skip


_PLAYER: Final = (("playerBearer",),)
_LAUNCH: Final = (_C.NOT_AVAILABLE, _C.PLAYER_REFUSED, _C.PEER_UNANSWERED)
_ORIGIN: Final = (_C.FORBIDDEN_ORIGIN,)

CATALOGUE: Final = (
    read("games", "The games that this casino may offer, by number.", records.GameList, section="casino.md 3.1", query=_FILTERS),
    read(
        "games/{gameId}", "One game, with its names in every language.", records.GameWithTexts, section="casino.md 3.1",
        parameters=_GAME_ID, query={name: _FILTERS[name] for name in ("currency", "country", "language")},
        also=(_C.NOT_FOUND,),
    ),
)  # fmt: skip
WHY: Final = (
    read(
        "games/{gameId}/why", "Why a game is not available: each rule, who set it and when.", why.GameWhy,
        section="casino.md 3.7", parameters=_GAME_ID, also=(_C.NOT_FOUND,),
        query={"player": free("For this player."), **{name: _FILTERS[name] for name in ("currency", "country")}},
    ),
    read(
        "bets/{betId}/why", "Why a bet is as it is.", why.BetWhy, section="casino.md 3.7", also=(_C.NOT_FOUND,),
        parameters={"betId": {"type": "string", "pattern": "^[0-9]{1,19}$"}},
    ),
)  # fmt: skip
SESSIONS: Final = (
    write(
        "POST sessions", "Launch a game for a player.", records.LaunchedForCasino, section="casino.md 3.2", status=201,
        bodies=(records.LaunchRequestBody,), also=_LAUNCH,
    ),
    read(
        "sessions", "Sessions of this casino, newest first.", records.SessionList, section="casino.md 3.2",
        query={
            "player": free("Only sessions of this player."),
            "state": one_of("open", "over", means="Only sessions that take bets, or only those that do not."), **PAGE,
        },
    ),
    read(
        "sessions/{sessionId}", "One session.", records.SessionRecord, section="casino.md 3.2", parameters=_SESSION_ID,
        also=(_C.NOT_FOUND,),
    ),
    write(
        "DELETE sessions/{sessionId}", "End a session: no new bets; payouts and refunds go on.", records.SessionRecord,
        section="casino.md 3.2", parameters=_SESSION_ID, also=(_C.NOT_FOUND,),
    ),
)  # fmt: skip
_BET_ID: Final[Mapping[str, Schema]] = {"betId": {"type": "string", "pattern": "^[0-9]{1,19}$"}}
_PLAYER_ID: Final[Mapping[str, Schema]] = {"playerId": {"type": "string", "minLength": 1, "maxLength": 128}}
_SPAN: Final[Mapping[str, Schema]] = {
    "from": text(query.INSTANT, "Only what was made then or later, ISO 8601 in UTC."),
    "to": text(query.INSTANT, "Only what was made before then."),
}
_OF_PLAYER: Final[Mapping[str, Schema]] = {"player": free("Only of this player.")}
BOOKS: Final = (
    read(
        "bets", "Bets of this casino, newest first.", money_records.BetList, section="casino.md 3.4",
        query={
            **_OF_PLAYER, "round": free("Only bets of this round."),
            "state": one_of(*books.BET_STATES, means="Only bets in this state."), **_SPAN, **PAGE,
        },
    ),
    read(
        "bets/{betId}", "One bet with its payments.", money_records.BetWithPayments, section="casino.md 3.4",
        parameters=_BET_ID, also=(_C.NOT_FOUND,),
    ),
    read(
        "payments", "Payments of this casino, newest bet first.", money_records.PaymentList, section="casino.md 3.4",
        query={
            **_OF_PLAYER, "kind": one_of(*KINDS, means="Only payments of this kind."),
            "state": one_of(*books.PAYMENT_STATES, means="Only payments in this state."),
            "betId": {"type": "integer", "minimum": 0, "maximum": books.MAX_BET, "description": "Only payments of this bet or cashback."},
            **_SPAN, **PAGE,
        },
    ),
    read(
        "statements/{day}", "What was moved on a day in UTC, by the ledger.", money_records.Statement,
        section="casino.md 3.4", parameters={"day": {"type": "string", "pattern": f"^{query.DAY}$"}},
    ),
)  # fmt: skip
PLAYERS: Final = (
    read(
        "players/{playerId}/exclusion", "Whether the casino excluded a player.", players.ExclusionRecord,
        section="casino.md 3.5", parameters=_PLAYER_ID, also=(_C.NOT_FOUND,),
    ),
    write(
        "PUT players/{playerId}/exclusion", "Exclude a player: sessions end at once; what is owed is paid.",
        players.ExclusionRecord, section="casino.md 3.5", bodies=(players.ExclusionRequest,), parameters=_PLAYER_ID,
        also=(_C.NOT_FOUND,),
    ),
    write(
        "DELETE players/{playerId}/exclusion", "Let a player in again.", players.ExclusionRecord, section="casino.md 3.5",
        parameters=_PLAYER_ID, also=(_C.NOT_FOUND,),
    ),
    read(
        "players/{playerId}/limits", "The casino's limits on a player.", players.LimitsRecord, section="casino.md 3.5",
        parameters=_PLAYER_ID, also=(_C.NOT_FOUND,),
    ),
    write(
        "PUT players/{playerId}/limits", "Limit every session of a player, open ones too.", players.LimitsRecord,
        section="casino.md 3.5", bodies=(players.LimitsRequest,), parameters=_PLAYER_ID, also=(_C.NOT_FOUND,),
    ),
)  # fmt: skip
_FRAME: Final = "The hub's frame in a player's browser."
FRAME: Final = (
    write(
        "POST frame/session", "Enter by refresh token, by launch code, or as a guest.", frame_records.Entry,
        section="casino.md 3.3", status=201, bodies=(frame_records.EntryRequest,), proofs=((),), caller=_FRAME,
        also=(*_ORIGIN, _C.PLAYER_REFUSED, _C.CODE_NOT_VALID, _C.PEER_UNANSWERED),
    ),
    write(
        "POST frame/session/renew", "A new token for another half hour.", frame_records.FrameToken,
        section="casino.md 3.3", proofs=_PLAYER, also=_ORIGIN, caller=_FRAME,
    ),
    read(
        "frame/session", "The player's session as it is now.", frame_records.FrameState, section="casino.md 3.3",
        query={"sessionId": free("An open demo game of the caller: its balance is told.")}, also=(*_ORIGIN, _C.NOT_FOUND), proofs=_PLAYER, caller=_FRAME,
    ),
    read("frame/games", "The lobby.", records.GameList, section="casino.md 3.3", query=_FILTERS, also=_ORIGIN, proofs=_PLAYER, caller=_FRAME),
    write(
        "POST frame/games/{gameId}/launch", "Open a game for the player.", records.LaunchedSession,
        section="casino.md 3.3", status=201, bodies=(frame_records.FrameLaunchRequest,), parameters=_GAME_ID,
        proofs=_PLAYER, also=(*_ORIGIN, *_LAUNCH), caller=_FRAME,
    ),
)  # fmt: skip
TOKEN: Final = write(
    "POST auth/token", "An access token of scope casino-api, valid for an hour.", records.Token, section="casino.md 3",
    bodies=(records.TokenRequest,), proofs=((),),
)  # fmt: skip

CASINO_API: Final = Half(
    "casino-api",
    "What casinos ask besides payments: games, launches, sessions, bets, payments, statements; and the frame in a browser.",
    (TOKEN, *CATALOGUE, *SESSIONS, *BOOKS, *WHY, *PLAYERS, *FRAME),
    {"playerBearer": {"type": "http", "scheme": "bearer", "description": "The accessToken of `POST /frame/session`."}},
    "The casino's back end.",
    WORDS,
)
"""Everything that is served under this API's root."""
