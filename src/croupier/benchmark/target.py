"""What a benchmark measures: a running hub, or another program that speaks the same two protocols.

Owns: the port between the runs and the program they measure, and the readings of it. Never: how a program is started.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Site:
    """What both load sides must know of the program. Key and token are those of this run alone."""

    port: int
    counterparty: str
    key: str
    token: str
    sessions: tuple[str, ...]
    pid: int
    """The process to end if the benchmark is killed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a program has used since its start: processor seconds, transactions, bytes of WAL."""

    hub_s: float
    postgres_s: float
    transactions: int
    wal_bytes: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the program's books say at the end."""

    holds: bool
    violations: tuple[str, ...] = ()
    net: int | None = None
    """What entered the players' wallets by its books, in minor units; None where it keeps none."""
    undecided: int = 0
    figures: dict[str, Any] = field(default_factory=dict)


class Target(Protocol):
    """A running program under measurement."""

    @property
    def name(self) -> str:
        """Return its name in tables and in JSON."""
        ...

    async def introduce(self, casino_url: str) -> Site:
        """Register the casino at this URL, a provider, players and sessions. Return what the load sides need."""
        ...

    async def read(self) -> Reading:
        """Return what it has used so far."""
        ...

    async def undecided(self) -> int:
        """Return the number of payments without an outcome."""
        ...

    async def verdict(self) -> Verdict:
        """Check its books."""
        ...
