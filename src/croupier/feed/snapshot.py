"""One snapshot of a game type: what every subscriber of it gets.

Owns: the record that the publisher makes, the channel carries between processes and the sockets fan out. Never: a
wire form other than the argument itself. Contract: feed.md 3.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of all live draws of one game type at one moment."""

    game_type: int
    sequence: int
    """Rises by one with each snapshot of the game type, across processes and restarts. From 0."""
    made_ms: int
    """When the publisher made it, in milliseconds of the epoch."""
    argument: Mapping[str, Any]
    """The one argument of the push, made of what JSON knows; its keys are those of the contract."""
