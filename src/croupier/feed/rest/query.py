"""The query strings of the feed, read strictly: a wrong one is refused, never guessed.

Owns: names, bounds and defaults of the parameters. A parameter that no call knows is ignored. Spec: feed.md 2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from croupier.core.draws import LATEST_MS, MAX_ID, MAX_TYPE, DrawKey
from croupier.core.money import CURRENCIES
from croupier.kit.strictjson import BadField

MOST: Final = 100
"""The largest page."""
MAX_OFFSET: Final = 100_000
LATEST_S: Final = LATEST_MS // 1000
LANGUAGE: Final = r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}"
_LANGUAGE: Final = re.compile(LANGUAGE)
_DIGITS: Final = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of `games/list`. Times are milliseconds, both included."""

    game_type: int | None
    from_ms: int
    until_ms: int
    offset: int
    count: int


def read_list(params: QueryParams) -> ListQuery:
    """The query of `games/list`; raises BadField."""
    start_s = _whole(params, "StartTs", LATEST_S) or 0
    finish_s = _whole(params, "FinishTs", LATEST_S)
    if finish_s is not None and finish_s < start_s:
        raise BadField("FinishTs", "must not be before StartTs")
    count = _whole(params, "Count", MOST)
    if count == 0:
        raise BadField("Count", f"must be from 1 to {MOST}")
    read_language(params)
    until_ms = LATEST_MS if finish_s is None else finish_s * 1000 + 999
    offset = _whole(params, "Offset", MAX_OFFSET) or 0
    return ListQuery(_whole(params, "GameType", MAX_TYPE), start_s * 1000, until_ms, offset, count or MOST)


def read_which(params: QueryParams) -> int | DrawKey:
    """The draw that `games/info` is asked for, by its number or by type and edition; raises BadField."""
    draw_id = _whole(params, "GameId", MAX_ID)
    game_type, edition = _whole(params, "GameType", MAX_TYPE), _whole(params, "GameEdition", MAX_ID)
    if draw_id is not None and game_type is None and edition is None:
        return draw_id
    if draw_id is None and game_type is not None and edition is not None:
        return DrawKey(game_type, edition)
    raise BadField("GameId", "alone, or GameType and GameEdition, must be given")


def read_language(params: QueryParams) -> str:
    """The language as BCP 47 writes it; `en` if none is named. Raises BadField."""
    value = _one(params, "lng")
    if value is None:
        return "en"
    if not _LANGUAGE.fullmatch(value):
        raise BadField("lng", "must be a language tag such as de or pt-BR")
    return value


def read_currency(params: QueryParams) -> str | None:
    """The currency, if one is named; raises BadField."""
    value = _one(params, "Currency")
    if value is not None and value not in CURRENCIES:
        raise BadField("Currency", "is not known")
    return value


def _one(params: QueryParams, name: str) -> str | None:
    value = params.getlist(name)
    if len(value) > 1:
        raise BadField(name, "must be given once")
    return value[0] if value else None


def _whole(params: QueryParams, name: str, most: int) -> int | None:
    value = _one(params, name)
    if value is None:
        return None
    if not (value.isascii() and _DIGITS.fullmatch(value)) or int(value) > most:
        raise BadField(name, f"must be a whole number from 0 to {most}")
    return int(value)
