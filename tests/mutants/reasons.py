"""Why each mutant that no test notices may live: the same program, or not worth a test. Owns: those reasons."""

from __future__ import annotations

from typing import Any

REASONS: dict[tuple[str, str, str], str] = {}
"""`(module, before, after)` to the reason."""


def reason_of(row: dict[str, Any]) -> str:
    """The reason of a survivor; empty if nobody has looked at it."""
    return REASONS.get((row["module"], row["before"], row["after"]), "")
