"""What this API writes about games and sessions: the records and how they are made.

Owns: the names of the fields. Amounts are decimal text in major units, instants ISO 8601 in UTC. Spec: casino.md 3.1 and 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from croupier.casino_api.bodies import MAX_MINUTES, MAX_TAG
from croupier.casino_api.query import COUNTRY, LANGUAGE, MAX_ID
from croupier.core.money import format_amount
from croupier.core.protection import FOREVER_MS, PlayLimits
from croupier.store.parties.catalogue import CatalogueGame
from croupier.store.parties.sessions import SessionFacts

Instant = Annotated[str, Meta(description="ISO 8601 in UTC, to the millisecond.")]
Amount = Annotated[str, Meta(description="Decimal text in major units of the currency.")]


Minutes = Annotated[int, Meta(ge=1, le=MAX_MINUTES)]


class TokenRequest(TypedDict):
    """`POST /auth/token`: the casino's id and secret."""

    clientId: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    secret: Annotated[str, Meta(min_length=1, max_length=256)]


class Token(TypedDict):
    """A new access token."""

    accessToken: str
    tokenType: Literal["Bearer"]
    expiresIn: Annotated[int, Meta(description="Seconds.")]
    scope: Literal["casino-api"]


class GameText(TypedDict):
    """A game in one language."""

    name: str
    description: NotRequired[str]


class GameRecord(TypedDict):
    """One game as this casino may offer it."""

    gameId: Annotated[int, Meta(description="The hub's number of the game, as launches take it.")]
    providerGameId: str
    providerId: int
    provider: str
    name: Annotated[str, Meta(description="In the language asked for, or as the provider calls it.")]
    description: NotRequired[str]
    language: Annotated[str | None, Meta(description="The language of the name; null: the provider's own.")]
    category: str
    type: str
    features: list[str]
    maxOdd: NotRequired[str]
    minBet: NotRequired[str]
    maxBet: NotRequired[str]
    imageUrl: NotRequired[str]
    available: bool
    unavailableCurrencies: list[str]
    unavailableCountries: list[str]
    languages: list[str]
    changedAt: Instant


class GameWithTexts(GameRecord):
    """One game with its names in every language."""

    translations: dict[str, GameText]


class GameList(TypedDict):
    """A page of games."""

    games: list[GameRecord]
    nextCursor: Annotated[str | None, Meta(description="For the next page; null on the last one.")]
    changesCursor: Annotated[str, Meta(description="Give it as `since` later: games that changed from now on.")]


class Limits(TypedDict):
    """The casino's limits on a player's session. What is absent is not limited."""

    maxBet: NotRequired[Amount]
    maxStakes: NotRequired[Amount]
    maxLoss: NotRequired[Amount]
    sessionMinutes: NotRequired[Minutes]
    realityCheckMinutes: NotRequired[Minutes]


class LaunchOptions(TypedDict):
    """What a launch may say."""

    language: NotRequired[Annotated[str, Meta(pattern=f"^{LANGUAGE}$")]]
    country: NotRequired[Annotated[str, Meta(pattern=f"^{COUNTRY}$")]]
    device: NotRequired[Literal["desktop", "mobile"]]
    mode: NotRequired[Literal["real", "demo"]]
    limits: NotRequired[Limits]
    lobbyUrl: NotRequired[Annotated[str, Meta(description="A page of the casino's origins.")]]
    exitUrl: NotRequired[Annotated[str, Meta(description="A page of the casino's origins.")]]


class LaunchRequestBody(LaunchOptions):
    """`POST /sessions`."""

    playerId: Annotated[str, Meta(min_length=1, max_length=128)]
    currency: str
    gameId: Annotated[int, Meta(ge=0, le=MAX_ID)]
    tagId: NotRequired[Annotated[int, Meta(ge=0, le=MAX_TAG)]]


class LaunchedSession(TypedDict):
    """An open game."""

    sessionId: str
    frameUri: Annotated[str, Meta(description="Where the provider shows the game.")]
    expiresAt: Instant


class LaunchedForCasino(LaunchedSession):
    """An open game, and the code with which the hub's own frame page opens it."""

    launchCode: Annotated[str, Meta(description="Opens the game in the hub's frame once, within 60 s.")]
    launchCodeExpiresIn: Annotated[int, Meta(description="Seconds.")]


class SessionRecord(TypedDict):
    """One session of this casino."""

    sessionId: str
    playerId: str
    gameId: int
    game: str
    currency: str
    mode: Literal["real", "demo"]
    state: Annotated[Literal["open", "over"], Meta(description="Over: no new bets; payouts and refunds go on.")]
    openedAt: Instant
    expiresAt: Instant
    endedAt: NotRequired[Instant]
    endedBy: NotRequired[str]
    endReason: NotRequired[str]
    language: NotRequired[str]
    country: NotRequired[str]
    device: NotRequired[Literal["desktop", "mobile"]]
    lobbyUrl: NotRequired[str]
    exitUrl: NotRequired[str]
    frameUri: NotRequired[str]
    minBet: Amount
    maxBet: Amount


class SessionList(TypedDict):
    """A page of sessions, newest first."""

    sessions: list[SessionRecord]
    nextCursor: str | None


def iso(at_ms: int) -> str:
    """Return an instant as text."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


def iso_end(until_ms: int | None) -> str | None:
    """Return the end of an exclusion; None if there is none."""
    return None if until_ms is None or until_ms >= FOREVER_MS else iso(until_ms)


def game_record(game: CatalogueGame, language: str | None) -> GameRecord:
    """Return a game, named in this language if it has it."""
    found = language_of(game.texts, language)
    text = {} if found is None else game.texts[found]
    told = GameRecord(
        gameId=game.game_id, providerGameId=game.game_ref, providerId=game.provider_id, provider=game.provider,
        name=text.get("name", game.name), language=found, category=game.category, type=game.kind,
        features=list(game.features), available=game.available, unavailableCurrencies=list(game.off_currencies),
        unavailableCountries=list(game.off_countries), languages=sorted(game.texts), changedAt=iso(game.changed_ms),
    )  # fmt: skip
    if text.get("description"):
        told["description"] = text["description"]
    if game.max_odd is not None:
        told["maxOdd"] = game.max_odd
    if game.min_bet is not None:
        told["minBet"] = game.min_bet
    if game.max_bet is not None:
        told["maxBet"] = game.max_bet
    if game.image_url is not None:
        told["imageUrl"] = game.image_url
    return told


def game_with_texts(game: CatalogueGame, language: str | None) -> GameWithTexts:
    """Return a game with all its names."""
    texts = {tag: GameText(**text) for tag, text in game.texts.items()}  # type: ignore[typeddict-item]
    return GameWithTexts(**game_record(game, language), translations=texts)


def language_of(texts: dict[str, dict[str, str]], wanted: str | None) -> str | None:
    """Return the language of the texts that fits a tag: itself or a wider one (RFC 4647 3.4); None if there is none."""
    by_tag = {tag.lower(): tag for tag in texts}
    parts = [] if wanted is None else wanted.lower().split("-")
    while parts:
        if "-".join(parts) in by_tag:
            return by_tag["-".join(parts)]
        parts.pop()
    return None


def limits_record(limits: PlayLimits, currency: str) -> Limits:
    """Return limits without those that are not set."""
    told = Limits()
    if limits.max_bet is not None:
        told["maxBet"] = format_amount(limits.max_bet, currency)
    if limits.max_stakes is not None:
        told["maxStakes"] = format_amount(limits.max_stakes, currency)
    if limits.max_loss is not None:
        told["maxLoss"] = format_amount(limits.max_loss, currency)
    if limits.session_s is not None:
        told["sessionMinutes"] = limits.session_s // 60
    if limits.reality_check_s is not None:
        told["realityCheckMinutes"] = limits.reality_check_s // 60
    return told


def session_record(session: SessionFacts, now_ms: int) -> SessionRecord:
    """Return one session."""
    s = session
    told = SessionRecord(
        sessionId=s.session_id, playerId=s.player_ref, gameId=s.game_id, game=s.game, currency=s.currency,
        mode="demo" if s.demo else "real", state="open" if s.live(now_ms) else "over", openedAt=iso(s.opened_ms),
        expiresAt=iso(s.expires_ms), minBet=format_amount(s.min_bet, s.currency),
        maxBet=format_amount(s.max_bet, s.currency),
    )  # fmt: skip
    if s.ended_ms is not None:
        told["endedAt"] = iso(s.ended_ms)
    if s.mobile is not None:
        told["device"] = "mobile" if s.mobile else "desktop"
    optional = {
        "endedBy": s.ended_by, "endReason": s.end_reason, "language": s.language, "country": s.country,
        "lobbyUrl": s.lobby_url, "exitUrl": s.exit_url, "frameUri": s.frame_uri,
    }  # fmt: skip
    told.update({name: value for name, value in optional.items() if value is not None})  # type: ignore[typeddict-item]
    return told


def next_cursor(rows: Sequence[object], count: int, cursor: str) -> str | None:
    """Return the cursor of a full page; None where no more can follow."""
    return cursor if len(rows) == count else None
