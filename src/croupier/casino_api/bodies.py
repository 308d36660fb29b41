"""The bodies of this API, read strictly. A field that no call knows is ignored, as everywhere in the hub.

Owns: names, bounds and defaults of the fields. Never: whether a player may play. Spec: casino.md 3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from croupier.casino_api.query import COUNTRY, LANGUAGE, MAX_ID, read_instant_ms
from croupier.core.money import CURRENCIES, BadAmount, parse_amount
from croupier.core.origins import MOST as MOST_ADDRESS
from croupier.core.protection import FOREVER_MS, PlayLimits
from croupier.kit import strictjson
from croupier.kit.names import problem_of, unreadable
from croupier.kit.strictjson import BadField, Record

MAX_CLIENT: Final = 2**31 - 1
MAX_MINUTES: Final = 7 * 24 * 60
MAX_TAG: Final = 2**53 - 1
MAX_TOKEN: Final = 4096
MAX_REASON: Final = 256
DEVICES: Final = ("desktop", "mobile")
MODES: Final = ("real", "demo")
_LANGUAGE: Final = re.compile(LANGUAGE, re.ASCII)
_COUNTRY: Final = re.compile(COUNTRY, re.ASCII)


@dataclass(frozen=True, slots=True)
class LaunchBody:
    """`POST /sessions`, and the launch from a frame, where player and currency come from the player's token."""

    game_id: int
    player_ref: str
    currency: str
    language: str | None
    country: str | None
    mobile: bool
    demo: bool
    tag_id: int | None
    limits: PlayLimits
    lobby_url: str | None
    exit_url: str | None


@dataclass(frozen=True, slots=True)
class EntryBody:
    """`POST /frame/session`: the casino, and the player's refresh token, or a launch code, or neither for a guest."""

    casino_id: int
    token: str | None
    code: str | None
    tag_id: int | None
    game_id: int | None = None
    """The game that a code must be of, if the caller says it."""


def read(body: bytes) -> Record:
    """Return the body as an object; raises BadJson, BadField."""
    return strictjson.record(strictjson.loads(body))


def read_token_request(body: bytes) -> tuple[int, str]:
    """Return client id and secret of `POST /auth/token`."""
    fields = read(body)
    return strictjson.integer(fields, "clientId", low=0, high=MAX_CLIENT), strictjson.text(fields, "secret", 256)


def read_launch(body: bytes) -> LaunchBody:
    """Return the body of `POST /sessions`."""
    fields = read(body)
    currency = _currency(fields)
    return _launch(fields, game_id=_game_id(fields), player_ref=_player(fields), currency=currency)


def read_frame_launch(body: bytes, *, game_id: int, player_ref: str, currency: str) -> LaunchBody:
    """Return the body of a launch from a frame."""
    return _launch(read(body), game_id=game_id, player_ref=player_ref, currency=currency)


def read_entry(body: bytes) -> EntryBody:
    """Return the body of `POST /frame/session`."""
    fields = read(body)
    token, code = (strictjson.optional_text(fields, name, MAX_TOKEN) for name in ("token", "code"))
    if token is not None and code is not None:
        raise BadField("code", "or token must be given, and not both")
    game_id = None if fields.get("gameId") is None else strictjson.integer(fields, "gameId", low=0, high=MAX_ID)
    if game_id is not None and code is None:
        raise BadField("gameId", "is for a code alone")
    client_id = strictjson.integer(fields, "clientId", low=0, high=MAX_CLIENT)
    return EntryBody(client_id, token, code, _tag(fields), game_id)


def read_exclusion(body: bytes, now_ms: int) -> tuple[int, str]:
    """Return until when a player is excluded, and why. Without an end it is for ever."""
    fields = read(body)
    value = strictjson.optional_text(fields, "until", 32)
    until_ms = FOREVER_MS if value is None else read_instant_ms(value, "until")
    if until_ms <= now_ms:
        raise BadField("until", "must lie in the future")
    return until_ms, reason_of(fields)


def reason_of(fields: Record) -> str:
    """Return the reason, one line of text; "" without one."""
    value = strictjson.optional_text(fields, "reason", MAX_REASON) or ""
    if unreadable(value):
        raise BadField("reason", "must be one line of readable text")
    return value


def read_limits(fields: Record, currency: str) -> PlayLimits:
    """Return the limits of an object."""
    return PlayLimits(
        max_bet=_amount(fields, "maxBet", currency),
        max_stakes=_amount(fields, "maxStakes", currency),
        max_loss=_amount(fields, "maxLoss", currency),
        session_s=_minutes(fields, "sessionMinutes"),
        reality_check_s=_minutes(fields, "realityCheckMinutes"),
    )


def _launch(fields: Record, *, game_id: int, player_ref: str, currency: str) -> LaunchBody:
    limits = fields.get("limits")
    return LaunchBody(
        game_id=game_id,
        player_ref=player_ref,
        currency=currency,
        language=_fitting(fields, "language", _LANGUAGE, what="a language tag such as de or pt-BR"),
        country=_fitting(fields, "country", _COUNTRY, what="a country of two capital letters such as DE"),
        mobile=_word(fields, "device", DEVICES) == "mobile",
        demo=_word(fields, "mode", MODES) == "demo",
        tag_id=_tag(fields),
        limits=PlayLimits() if limits is None else read_limits(strictjson.record(limits, "limits"), currency),
        lobby_url=strictjson.optional_text(fields, "lobbyUrl", MOST_ADDRESS),
        exit_url=strictjson.optional_text(fields, "exitUrl", MOST_ADDRESS),
    )


def _game_id(fields: Record) -> int:
    return strictjson.integer(fields, "gameId", low=0, high=MAX_ID)


def _player(fields: Record) -> str:
    value = strictjson.text(fields, "playerId", 128)
    problem = problem_of(value)
    if problem is not None:
        raise BadField("playerId", problem)
    return value


def _currency(fields: Record) -> str:
    value = strictjson.text(fields, "currency", 16)
    if value not in CURRENCIES:
        raise BadField("currency", "is not known")
    return value


def _tag(fields: Record) -> int | None:
    return strictjson.optional(lambda obj, name: strictjson.integer(obj, name, low=0, high=MAX_TAG), fields, "tagId")


def _minutes(fields: Record, name: str) -> int | None:
    value = strictjson.optional(lambda obj, n: strictjson.integer(obj, n, low=1, high=MAX_MINUTES), fields, name)
    return None if value is None else value * 60


def _amount(fields: Record, name: str, currency: str) -> int | None:
    value = strictjson.optional(strictjson.amount_text, fields, name)
    if value is None:
        return None
    try:
        return parse_amount(value, currency)
    except BadAmount as wrong:
        raise BadField(name, wrong.why) from None


def _word(fields: Record, name: str, words: tuple[str, ...]) -> str | None:
    value = strictjson.optional_text(fields, name)
    if value is not None and value not in words:
        raise BadField(name, f"must be one of: {', '.join(words)}")
    return value


def _fitting(fields: Record, name: str, pattern: re.Pattern[str], *, what: str) -> str | None:
    value = strictjson.optional_text(fields, name, 64)
    if value is not None and not pattern.fullmatch(value):
        raise BadField(name, f"must be {what}")
    return value
