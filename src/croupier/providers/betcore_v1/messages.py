"""The wire records of betcore_v1, spelled exactly as they travel.

Owns: header names, field names, the shapes of what the hub writes, and the bounds of what it reads. Never: reading or
judging a value (codec), signing (signing). Spec: provider.md 1, 3 and 4.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
from msgspec import Meta

from croupier.core import draws, money

HEADER_COUNTERPARTY = "X-Counterparty-Id"
HEADER_TIMESTAMP = "X-Timestamp"
HEADER_REQUEST_ID = "X-Request-Id"
HEADER_SIGN = "X-Sign"

BASE_PATH = "/v1"
"""Path of the provider's API below its base URL, and of the hub's API below its own."""

MAX_BODY_BYTES = 65_536
"""Bytes of the largest body of one call, in either direction."""
MAX_LIST_BYTES = 1_048_576
"""Bytes of the largest games list."""
MAX_GAMES = 20_000
"""Maximum number of games in one list."""
MAX_URL_CHARS = 2_048
"""Characters of the longest frameUri and lobbyImgUrl."""


ProviderRef = Annotated[
    str, Meta(min_length=1, max_length=128, description="Printable characters only, no white space at its ends.")
]
"""An id of the provider."""
ProviderAmount = Annotated[
    Any,
    Meta(
        description="Major units as text, or a JSON number of the same digits; no more decimals than the currency has.",
        extra_json_schema={"type": ["string", "number"], "pattern": f"^{money.GRAMMAR}$", "minimum": 0},
    ),
]
Odd = Annotated[
    Any,
    Meta(
        description="A multiplier, as text or number; kept as written.",
        extra_json_schema={"type": ["string", "number"], "minLength": 1, "maxLength": 64, "minimum": 0},
    ),
]
JsonNumber = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "number"})]
"""An encoded JSON number."""


class StakeBody(TypedDict):
    """`POST bets/pay-in`."""

    betId: ProviderRef
    gameRoundId: ProviderRef
    betAmount: ProviderAmount
    sessionId: NotRequired[ProviderRef]


class PlainStake(msgspec.Struct, rename="camel"):
    """The same, as it nearly always comes (kit.plain_json)."""

    bet_id: str
    game_round_id: str
    amount: msgspec.Raw = msgspec.field(name="betAmount")
    session_id: str | msgspec.UnsetType = msgspec.UNSET


class WinBody(TypedDict):
    """`POST bets/pay-out`; a winAmount of 0 is a loss."""

    betId: ProviderRef
    gameRoundId: ProviderRef
    winAmount: ProviderAmount
    winOdd: NotRequired[Odd]
    sessionId: NotRequired[ProviderRef]


class PlainWin(msgspec.Struct, rename="camel"):
    """The same without winOdd, as it nearly always comes (kit.plain_json)."""

    bet_id: str
    game_round_id: str
    amount: msgspec.Raw = msgspec.field(name="winAmount")
    session_id: str | msgspec.UnsetType = msgspec.UNSET


class StakeAndWinBody(StakeBody):
    """`POST bets/pay-in-out`."""

    winAmount: ProviderAmount
    winOdd: NotRequired[Odd]


class RefundBody(TypedDict):
    """`POST bets/refund`."""

    betId: ProviderRef
    sessionId: NotRequired[ProviderRef]


Instant = Annotated[
    int, Meta(ge=draws.EARLIEST_MS, le=draws.LATEST_MS, description="Unix milliseconds, from the year 2000 to 2100.")
]
Whole = Annotated[int, Meta(ge=0, le=draws.MAX_ID)]
Words = Annotated[str, Meta(min_length=1, max_length=256)]


class DrawBody(TypedDict):
    """A draw as it stands now, whole (feed.md 4.1)."""

    gameType: Annotated[int, Meta(ge=0, le=draws.MAX_TYPE)]
    gameEdition: Whole
    version: Whole
    state: Annotated[int, Meta(ge=1, le=5, description="1 awaiting, 2 active, 3 finished, 4 review, 5 cancelled.")]
    playState: Annotated[int, Meta(ge=1, le=2, description="1 betting, 2 game action.")]
    round: Whole
    startsAt: Instant
    bettingEndsAt: Instant
    endsAt: NotRequired[Instant]
    results: NotRequired[Annotated[list[Any], Meta(max_length=draws.MAX_RESULTS)]]
    proof: NotRequired[Annotated[dict[str, str], Meta(max_length=draws.MAX_PROOF)]]


class JackpotBody(TypedDict):
    """The amount of a jackpot."""

    jackpotId: ProviderRef
    name: Words
    amount: ProviderAmount
    currency: str


class FeedBody(TypedDict):
    """`POST feed/draws`."""

    draws: NotRequired[Annotated[list[DrawBody], Meta(max_length=draws.MAX_LIST)]]
    jackpots: NotRequired[Annotated[list[JackpotBody], Meta(max_length=draws.MAX_LIST)]]


FeedList = Annotated[list[DrawBody], Meta(max_length=draws.MAX_LIST, description="Draws alone.")]


class WalletAnswer(msgspec.Struct, kw_only=True):
    """The hub's answer to balance and to the four bet calls. Unknown fields are left out, never null."""

    response_code: int = msgspec.field(name="_responseCode")
    balance: JsonNumber | msgspec.UnsetType = msgspec.UNSET
    """A JSON number with the currency's decimals, already encoded."""
    currency: str | msgspec.UnsetType = msgspec.UNSET
    field: str | msgspec.UnsetType = msgspec.UNSET
    """The field that is wrong, beside code 6."""
    message: str | msgspec.UnsetType = msgspec.UNSET
    """The problem in English."""


class LaunchBody(msgspec.Struct, kw_only=True, rename="camel"):
    """`POST /games/{gameId}/launch`. Amounts and odds are encoded JSON numbers."""

    user_id: str
    session_id: str
    currency: str
    language: str
    min_bet: msgspec.Raw
    max_bet: msgspec.Raw
    game_mode: Literal["real", "demo"]
    view_type: Literal["desktop", "mobile"]
    button_amounts: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    game_margin: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    max_odd: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    max_win: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
