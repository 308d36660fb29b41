"""The query strings of this API, read strictly: a wrong one is refused and its parameter named, never guessed.

Owns: names, bounds and cursors. A cursor is digits with points between them; only the hub makes one. A parameter that no
call knows is refused too: a filter that is misspelt would list everything. Spec: casino.md 3.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Final

from starlette.datastructures import QueryParams

from croupier.core.money import CURRENCIES
from croupier.kit.names import problem_of
from croupier.kit.strictjson import BadField

MOST: Final = 200
"""The largest page."""
USUAL: Final = 50
MAX_ID: Final = 2**63 - 1
LANGUAGE: Final = r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}"
COUNTRY: Final = r"[A-Z]{2}"
WORD: Final = r"[a-z][a-z0-9_-]{0,31}"
CURSOR: Final = r"[0-9]{1,19}(\.[0-9a-f]{1,64}){0,3}"
INSTANT: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?Z"
DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DIGITS: Final = re.compile(r"[0-9]{1,19}")


class Params:
    """The parameters of one request. Each read raises BadField."""

    def __init__(self, params: QueryParams, known: Collection[str]) -> None:
        self._params = params
        strange = next((name for name in params if name not in known), None)
        if strange is not None:
            raise BadField(strange[:40], f"is no parameter of this call; those are: {', '.join(sorted(known))}")

    def text(self, name: str) -> str | None:
        """Return the parameter if it is there, once."""
        value = self._params.getlist(name)
        if len(value) > 1:
            raise BadField(name, "must be given once")
        return value[0] if value else None

    def name(self, name: str) -> str | None:
        """Return an id or a name (operate.md 3)."""
        value = self.text(name)
        problem = None if value is None else problem_of(value)
        if problem is not None:
            raise BadField(name, problem)
        return value

    def search(self, name: str) -> str | None:
        """Return words to search for."""
        value = self.text(name)
        if value is not None and ("\0" in value or not 1 <= len(value) <= 128):
            raise BadField(name, "must have 1 to 128 characters")
        return value

    def fitting(self, name: str, pattern: str, what: str) -> str | None:
        """Return the parameter if it has this form."""
        value = self.text(name)
        if value is not None and not re.fullmatch(pattern, value, re.ASCII):
            raise BadField(name, f"must be {what}")
        return value

    def words(self, name: str) -> tuple[str, ...] | None:
        """Return words with commas between them."""
        value = self.fitting(name, rf"{WORD}(,{WORD}){{0,15}}", "words with commas between them")
        return None if value is None else tuple(value.split(","))

    def one_of(self, name: str, words: Collection[str]) -> str | None:
        """Return one of these words."""
        value = self.text(name)
        if value is not None and value not in words:
            raise BadField(name, f"must be one of: {', '.join(words)}")
        return value

    def flag(self, name: str) -> bool | None:
        """Return yes or no."""
        value = self.one_of(name, ("true", "false"))
        return None if value is None else value == "true"

    def whole(self, name: str, most: int = MAX_ID, least: int = 0) -> int | None:
        """Return a whole number."""
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and _DIGITS.fullmatch(value)) or not least <= int(value) <= most:
            raise BadField(name, f"must be a whole number from {least} to {most}")
        return int(value)

    def currency(self) -> str | None:
        """Return a currency that the hub knows."""
        value = self.text("currency")
        if value is not None and value not in CURRENCIES:
            raise BadField("currency", "is not known")
        return value

    def country(self) -> str | None:
        """Return a country, ISO 3166-1 alpha-2."""
        return self.fitting("country", COUNTRY, "a country of two capital letters such as DE")

    def language(self) -> str | None:
        """Return a language tag."""
        return self.fitting("language", LANGUAGE, "a language tag such as de or pt-BR")

    def count(self) -> int:
        """Return the size of the page."""
        return self.whole("limit", MOST, 1) or USUAL

    def cursor(self, parts: int) -> tuple[str, ...] | None:
        """Return the parts of the cursor."""
        value = self.fitting("cursor", CURSOR, "the nextCursor of the page before")
        cut = None if value is None else tuple(value.split("."))
        if cut is not None and (len(cut) != parts or int(cut[0]) > MAX_ID):
            raise BadField("cursor", "must be the nextCursor of the page before")
        return cut

    def number_cursor(self) -> int | None:
        """Return a cursor of one number."""
        cut = self.cursor(1)
        return None if cut is None else int(cut[0])

    def instant_ms(self, name: str) -> int | None:
        """Return an instant, ISO 8601 in UTC, as milliseconds since the epoch."""
        value = self.text(name)
        return None if value is None else read_instant_ms(value, name)


def read_instant_ms(text: str, field: str) -> int:
    """Return an instant as milliseconds since the epoch; raises BadField."""
    try:
        good = re.fullmatch(INSTANT, text, re.ASCII) is not None
        found = datetime.fromisoformat(text.removesuffix("Z") if good else "").replace(tzinfo=UTC)
    except ValueError:
        raise BadField(field, "must be an instant such as 2026-01-31T12:00:00Z") from None
    return (found - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def read_day_ms(text: str, field: str) -> tuple[int, int]:
    """Return the first millisecond of a day in UTC and of the next day; raises BadField."""
    try:
        good = re.fullmatch(DAY, text, re.ASCII) is not None
        days = (date.fromisoformat(text if good else "") - date(1970, 1, 1)).days
    except ValueError:
        raise BadField(field, "must be a day such as 2026-01-31") from None
    return days * 86_400_000, (days + 1) * 86_400_000


def path_id(text: str, field: str) -> int:
    """Return a number of the hub out of a path; raises BadField."""
    if not (text.isascii() and _DIGITS.fullmatch(text)) or int(text) > MAX_ID:
        raise BadField(field, "must be a whole number")
    return int(text)


def path_name(text: str, field: str) -> str:
    """Return an id of the casino's own out of a path; raises BadField."""
    problem = problem_of(text)
    if problem is not None:
        raise BadField(field, problem)
    return text
