"""What this process knows of trouble with the database: told once in a while, and whether new bets are held off for it.

Owns: the log line about it, and the latch that is set when the database answers that it cannot do its work (full,
read-only, a right or the password gone). While it is set a new bet gets 503 before anything is written; what is known
goes on trying. A trial heals it. Spec: money.md 4.4, operate.md 6 (`/readyz`).
"""

from __future__ import annotations

from croupier.kit.clock import Clock
from croupier.kit.log import get
from croupier.kit.metrics import Metrics
from croupier.store.db import DbConflict, DbError, DbUnfit

log = get("database")

SAY_EVERY_S = 10.0


class DatabaseHealth:
    """One per process."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._said_s: float | None = None
        self._unsaid = 0
        self.unfit: str | None = None
        """Why new bets are held off, or None."""

    def record(self, error: DbError) -> None:
        """The payment path met this: hold new bets off if the database cannot do its work, and tell."""
        if isinstance(error, DbUnfit):
            self.unfit = str(error)
        self.log_trouble(error)

    def log_trouble(self, error: DbError) -> None:
        """Write a line about it, unless one was written just now: hundreds of requests meet the same trouble."""
        self._metrics.count("croupier_database_troubles_total", _kind(error))
        self._unsaid += 1
        now_s = self._clock.monotonic_s()
        if self._said_s is not None and now_s - self._said_s < SAY_EVERY_S:
            return
        log.error("database.trouble", problem=str(error) or type(error).__name__, times=self._unsaid)
        self._said_s, self._unsaid = now_s, 0

    def healed(self) -> None:
        """A trial passed: new bets are taken again."""
        if self.unfit is not None:
            log.info("database.well", after=self.unfit)
        self.unfit = None


def _kind(error: DbError) -> str:
    if isinstance(error, DbUnfit):
        return "unfit"
    return "busy" if isinstance(error, DbConflict) else "down"
