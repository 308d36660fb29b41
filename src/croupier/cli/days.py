"""Days as values of options. Owns: reading one. Never: a time zone other than UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

import typer

DAY_MS = 86_400_000


def day_ms(text: str, option: str) -> int:
    """Return the first millisecond of a day such as 2025-11-01, in UTC. Raises typer.BadParameter."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option} must be a day such as 2025-11-01, not {text[:40]!r}") from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
