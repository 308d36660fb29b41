"""Days and instants as values of options. Owns: reading one. Never: a time zone other than UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import typer

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_ms(text: str, option: str) -> int:
    """Return the first millisecond of a day such as 2025-11-01, in UTC. Raises typer.BadParameter."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option} must be a day such as 2025-11-01, not {text[:40]!r}") from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def time_ms(text: str, option: str) -> int:
    """Return a day or an instant in UTC as milliseconds since the epoch. Raises typer.BadParameter."""
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    except ValueError:
        raise typer.BadParameter(
            f"{option} must be a day such as 2025-11-01 or an instant such as 2025-11-01T12:00:00, not {text[:40]!r}"
        ) from None
    return (found - _EPOCH) // timedelta(milliseconds=1)
