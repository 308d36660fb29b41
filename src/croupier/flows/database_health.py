"""Database errors as this process sees them: a rate-limited log line, and a latch that stops new bets.

The latch is set when the database reports that it cannot do its work: it is full, read-only, or a privilege or password
is missing. While it is set, a new bet gets 503 before anything is written, and known bets are still processed. A
successful trial write clears it. Owns: the log line and the latch. Spec: money.md 4.4, operate.md 6 (`/readyz`).
"""

from __future__ import annotations

from croupier.kit.clock import Clock
from croupier.kit.log import get
from croupier.kit.metrics import Metrics
from croupier.store.db import DbConflict, DbError, DbUnfit

log = get("database")

SAY_EVERY_S = 10.0


class DatabaseHealth:
    """The database health of one process."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._said_s: float | None = None
        self._unsaid = 0
        self.unfit: str | None = None
        """The reason why new bets are refused, or None."""

    def record(self, error: DbError) -> None:
        """Record an error of the payment path. Set the latch if the database cannot do its work, and log the error."""
        if isinstance(error, DbUnfit):
            self.unfit = str(error)
        self.log_trouble(error)

    def log_trouble(self, error: DbError) -> None:
        """Log the error unless one was logged in the last 10 s: one outage hits hundreds of requests."""
        self._metrics.count("croupier_database_troubles_total", _kind(error))
        self._unsaid += 1
        now_s = self._clock.monotonic_s()
        if self._said_s is not None and now_s - self._said_s < SAY_EVERY_S:
            return
        log.error("database.trouble", problem=str(error) or type(error).__name__, times=self._unsaid)
        self._said_s, self._unsaid = now_s, 0

    def healed(self) -> None:
        """Clear the latch after a successful trial: new bets are taken again."""
        if self.unfit is not None:
            log.info("database.well", after=self.unfit)
        self.unfit = None


def _kind(error: DbError) -> str:
    if isinstance(error, DbUnfit):
        return "unfit"
    return "busy" if isinstance(error, DbConflict) else "down"
