"""What this API writes to a frame: the player's session, the lobby's games, a launched game.

Owns: the names of the fields. Spec: casino.md 3.3, webframe.md 2.4 and 2.5.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from croupier.casino_api.bodies import MAX_TAG
from croupier.casino_api.records import Amount, Instant, LaunchedSession, LaunchOptions


class EntryRequest(TypedDict):
    """`POST /frame/session`: the casino, and a refresh token, a launch code, or nothing for a guest."""

    clientId: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    token: NotRequired[Annotated[str, Meta(description="The player's refresh token.", max_length=4096)]]
    code: NotRequired[Annotated[str, Meta(description="A launch code, instead.", max_length=4096)]]
    gameId: NotRequired[
        Annotated[
            int,
            Meta(
                description="With a code: the game that the page shows. A code of another opens nothing and stays good.",
                ge=0,
            ),
        ]
    ]
    tagId: NotRequired[Annotated[int, Meta(ge=0, le=MAX_TAG)]]


class FrameToken(TypedDict):
    """A token for the calls of a frame."""

    accessToken: str
    tokenType: Literal["Bearer"]
    expiresIn: Annotated[int, Meta(description="Seconds. Renew it before.")]


class FramePlayer(TypedDict):
    """The player."""

    playerId: str
    currency: str
    language: str | None
    country: str | None
    test: bool


class RealityCheck(TypedDict):
    """Time played and result since the player came."""

    everySeconds: Annotated[int | None, Meta(description="How often it is to be shown; null: not asked for.")]
    playedSeconds: int
    staked: Amount
    won: Amount
    net: Annotated[str, Meta(description="Won less staked; may begin with a minus sign.")]


class HardStop(TypedDict):
    """No more play: from an instant on, or at once."""

    reason: Literal["excluded", "blocked", "time"]
    at: Annotated[Instant | None, Meta(description="From then on; null: it holds now.")]
    until: Annotated[Instant | None, Meta(description="Until then; null: no end is known.")]


class FrameState(TypedDict):
    """The player's session in the frame as it is now. A guest has no player, balance or reality check."""

    player: FramePlayer | None
    currency: str
    balance: Annotated[str | None, Meta(description="As far as the hub knows it; null: not known.")]
    since: Instant
    realityCheck: RealityCheck | None
    hardStop: HardStop | None


class OpenedGame(LaunchedSession):
    """The game that a launch code opened."""

    gameId: int
    mode: Literal["real", "demo"]
    lobbyUrl: str | None
    exitUrl: str | None


class Entry(FrameToken):
    """The answer of `POST /frame/session`."""

    refreshToken: Annotated[
        str | None, Meta(description="Replaces the one that was given; null with a code or for a guest.")
    ]
    session: FrameState
    game: Annotated[OpenedGame | None, Meta(description="With a launch code.")]


class FrameLaunchRequest(LaunchOptions):
    """`POST /frame/games/{gameId}/launch`."""
