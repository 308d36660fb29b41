"""The stored form of a casino's limits on a player: JSON on the player's row, whole numbers only.

Owns: that form. Never: what a limit means (core.protection). Spec: casino.md 3.5.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from croupier.core.protection import PlayLimits


def limits_from_json(stored: str | None) -> PlayLimits:
    """Return the limits of a row; none for an empty column."""
    return PlayLimits() if stored is None else PlayLimits(**json.loads(stored))


def limits_to_json(limits: PlayLimits) -> str | None:
    """Return the stored form; None if there is no limit."""
    told = {name: value for name, value in asdict(limits).items() if value is not None}
    return json.dumps(told, separators=(",", ":")) if told else None
