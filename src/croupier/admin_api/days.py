"""Days and instants as parameters of commands. Owns: reading one. Never: a time zone other than UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from croupier.admin_api.errors import BadParameter

DAY_MS: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def day_ms(text: str, field: str) -> int:
    """Return the first millisecond of a day such as 2025-11-01, in UTC. Raises BadParameter."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadParameter(field, f"must be a day such as 2025-11-01, not {text[:40]!r}") from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def time_ms(text: str, field: str) -> int:
    """Return a day or an instant in UTC as milliseconds since the epoch. Raises BadParameter."""
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    except ValueError:
        raise BadParameter(
            field, f"must be a day such as 2025-11-01 or an instant such as 2025-11-01T12:00:00, not {text[:40]!r}"
        ) from None
    return (found - _EPOCH) // timedelta(milliseconds=1)
