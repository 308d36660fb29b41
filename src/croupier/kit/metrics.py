"""Metrics in the Prometheus text format, of one process or of all workers of one hub.

Owns: the table of names, kinds and labels, the registry, and how the values of several workers become one. Workers that
share a folder keep their values in files there (prometheus_client's multiprocess mode): any of them shows the sum of all.
A worker has the number of its place, so the one that replaces it goes on with its counters. What is counted stays in plain
memory until `flush`, because the library's values cost more than the work that they count (decision 0106). Never: decides
when something is counted, or uses the id of a player, bet or session as a label: labels come from short closed lists.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

Across = Literal["livesum", "livemax", "max", "mostrecent", "asked"]
"""The rule that combines the gauges of several workers. `asked`: the scraped worker reads the value from the database."""
Kind = Literal["counter", "gauge", "histogram"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 6.0, 10.0, 30.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table. Labels are always passed in this order."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: Sequence[float] = _SECONDS
    across: Across = "livesum"
    """Applies to gauges only."""


METRICS: dict[str, Metric] = {
    "croupier_requests_total": Metric("counter", "Requests answered.", ("side", "route", "outcome")),
    "croupier_request_seconds": Metric("histogram", "Seconds to answer a request.", ("side", "route")),
    "croupier_provider_request_seconds": Metric(
        "histogram", "Seconds to answer a provider's signed request.", ("provider", "route")
    ),
    "croupier_calls_total": Metric(
        "counter", "Calls to casinos, by the reading of the answer.", ("casino", "step", "reading")
    ),
    "croupier_call_seconds": Metric("histogram", "Seconds of a call to a casino.", ("casino", "step")),
    "croupier_decisions_total": Metric("counter", "Decisions committed.", ("event",)),
    "croupier_group_commit_size": Metric("histogram", "Decisions in one group commit.", (), _SIZES),
    "croupier_group_commit_seconds": Metric("histogram", "Seconds of one group commit.", ()),
    "croupier_database_troubles_total": Metric("counter", "Database errors.", ("kind",)),
    "croupier_breaker_open": Metric(
        "gauge", "1 while the circuit breaker refuses new bets.", ("casino",), across="livemax"
    ),
    "croupier_incidents_total": Metric("counter", "Incidents raised for a person.", ("name",)),
    "croupier_odd_balances_total": Metric("counter", "Balances from casinos that cannot be read.", ("casino", "what")),
    "croupier_reconciled_total": Metric("counter", "Bets compared with their casino.", ("casino", "result")),
    "croupier_healed_total": Metric("counter", "Differences repaired by a rule.", ("rule",)),
    "croupier_findings_total": Metric("counter", "Differences found and not repaired.", ("name",)),
    "croupier_findings_open": Metric("gauge", "Open findings.", across="mostrecent"),
    "croupier_recovering": Metric("gauge", "1 while recovery mode refuses new bets.", across="livemax"),
    "croupier_feed_connections": Metric("gauge", "Clients of the live feed."),
    "croupier_feed_pushes_total": Metric("counter", "Snapshots sent to clients of the live feed."),
    "croupier_feed_dropped_total": Metric("counter", "Clients of the live feed that were cut off.", ("why",)),
    "croupier_rate_limited_total": Metric(
        "counter", "Requests refused by a rate limit.", ("side", "counterparty", "call")
    ),
    "croupier_waiting_requests": Metric("gauge", "Pay-ins that wait for a casino."),
    "croupier_waiting_calls": Metric("gauge", "Outgoing calls in the queue.", across="asked"),
    "croupier_spans_total": Metric("counter", "Spans of traces, sent or dropped.", ("result",)),
    "croupier_log_held_back_total": Metric("counter", "Log lines suppressed by the rate limit.", ("event",)),
    "croupier_audit_holds": Metric(
        "gauge", "1 while no violation is known, 0 otherwise.", ("invariant",), across="asked"
    ),
    "croupier_audit_violations": Metric("gauge", "Violations known to the auditor.", ("invariant",), across="asked"),
    "croupier_audit_asked_seconds": Metric(
        "gauge", "Time of the auditor's last query.", ("invariant",), across="asked"
    ),
    "croupier_audit_took_seconds": Metric(
        "gauge", "Seconds of the auditor's last query.", ("invariant",), across="asked"
    ),
    "croupier_audit_whole_seconds": Metric(
        "gauge", "Time at which the auditor last completed all subjects.", across="asked"
    ),
    "croupier_feed_snapshots_total": Metric("counter", "Snapshots of the live feed published.", ("game_type",)),
    "croupier_feed_snapshot_seconds": Metric(
        "gauge", "Time of the last snapshot of a game type.", ("game_type",), across="max"
    ),
    "croupier_trail_waiting": Metric("gauge", "Rows not yet covered by the audit trail.", ("table",), across="asked"),
    "croupier_open_payments": Metric(
        "gauge", "Payments that are not through.", ("casino", "currency", "what"), across="asked"
    ),
    "croupier_open_minor_units": Metric(
        "gauge", "Amount of the payments that are not through.", ("casino", "currency", "what"), across="asked"
    ),
    "croupier_open_oldest_seconds": Metric(
        "gauge", "Time at which the oldest of them was decided.", ("casino", "currency", "what"), across="asked"
    ),
    "croupier_incidents_open": Metric("gauge", "Open incidents.", ("name",), across="asked"),
    "croupier_jackpot_minor_units": Metric("gauge", "Amount of a jackpot pot.", ("pot", "currency"), across="asked"),
    "croupier_backup_seconds": Metric("gauge", "Time of the last backup of this home.", across="asked"),
    "croupier_trail_signed_seconds": Metric(
        "gauge", "Time of the last signed checkpoint of the audit trail.", across="max"
    ),
}

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library reads the folder from here."""


def share(folder: Path, place: int) -> None:
    """Let all metrics that this process makes from now on count together with those of the other places.

    Two processes never have one place at the same time. The gauges of who had it before are forgotten, its counters go on.
    """
    os.environ[_FOLDER] = str(folder)
    mark_process_dead(place, str(folder))  # type: ignore[no-untyped-call]
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


class _ReadGauges(Collector):
    """Gauges that were read for this scrape."""

    def __init__(self) -> None:
        self.values: dict[str, dict[tuple[str, ...], float]] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All of them."""
        for name, by_labels in self.values.items():
            family = GaugeMetricFamily(name, METRICS[name].help, labels=METRICS[name].labels)
            for labels, value in by_labels.items():
                family.add_metric(labels, value)
            yield family


Child = TypeVar("Child", Counter, Gauge, Histogram)


class _Observations:
    """The observations of one histogram since the last flush."""

    __slots__ = ("bounds", "child", "counts", "total")

    def __init__(self, child: Histogram, bounds: Sequence[float]) -> None:
        self.child = child
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """One for each bound, and one for what is above them all."""
        self.total = 0.0

    def flush(self) -> None:
        """Add them to the library's histogram. It has no public way to add more than one at once."""
        total, counts = self.total, self.counts
        if not any(counts):
            return
        self.total, self.counts = 0.0, [0] * len(counts)
        self.child._sum.inc(total)  # noqa: SLF001 - see above; a test compares the result with `observe`
        for bucket, count in zip(self.child._buckets, counts, strict=True):  # noqa: SLF001 - see above
            if count:
                bucket.inc(count)


class Metrics:
    """The metrics of one process. An unknown name raises KeyError, a wrong number of labels ValueError."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._asked = _ReadGauges()
        self._registry.register(self._asked)
        self._own: CollectorRegistry | None = self._registry
        if _FOLDER in os.environ:
            self._own = None
            MultiProcessCollector(self._registry, os.environ[_FOLDER])  # type: ignore[no-untyped-call]
        self._made: dict[str, Counter | Gauge | Histogram] = {}
        self._gauges: dict[tuple[str, tuple[str, ...]], Gauge] = {}
        self._counters: dict[tuple[str, tuple[str, ...]], Counter] = {}
        self._counted: dict[tuple[str, tuple[str, ...]], int] = {}
        """What was counted since the last flush."""
        self._observed: dict[tuple[str, tuple[str, ...]], _Observations] = {}

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Add to a counter."""
        try:
            self._counted[name, labels] += by
        except KeyError:
            self._counters[name, labels] = self._child(Counter, name, labels)
            self._counted[name, labels] = by

    def put(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        row = METRICS[name]
        if row.kind == "gauge" and row.across == "asked":
            if len(labels) != len(row.labels):
                raise ValueError(f"{name} has {len(row.labels)} labels")
            self._asked.values.setdefault(name, {})[labels] = value
            return
        if (name, labels) not in self._gauges:
            self._gauges[name, labels] = self._child(Gauge, name, labels)
        self._gauges[name, labels].set(value)

    def put_all(self, name: str, by_labels: Mapping[tuple[str, ...], float]) -> None:
        """Set a gauge that is read for each scrape, with all its labels: those that are not named here are gone."""
        self._asked.values.pop(name, None)
        for labels, value in by_labels.items():
            self.put(name, value, *labels)

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Add one observation (seconds, or a size) to a histogram."""
        try:
            observed = self._observed[name, labels]
        except KeyError:
            observed = _Observations(self._child(Histogram, name, labels), METRICS[name].buckets)
            self._observed[name, labels] = observed
        observed.total += value
        observed.counts[bisect_left(observed.bounds, value)] += 1

    def flush(self) -> None:
        """Show what was counted and observed since the last time to all who render."""
        for key, by in self._counted.items():
            if by:
                self._counted[key] = 0
                self._counters[key].inc(by)
        for observed in self._observed.values():
            observed.flush()

    def render(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        self.flush()
        return prometheus_client.generate_latest(self._registry)

    def _child(self, kind: type[Child], name: str, labels: tuple[str, ...]) -> Child:
        """Return the library's object of one series, from now on shown, with 0. Raises TypeError if it is of another kind."""
        whole = self._made.get(name) or self._make(name)
        if not isinstance(whole, kind):
            raise TypeError(f"{name} is no {kind.__name__.lower()}")
        return whole.labels(*labels) if labels or METRICS[name].labels else whole

    def _make(self, name: str) -> Counter | Gauge | Histogram:
        row = METRICS[name]
        self._made[name] = made = _new(name, row, self._own)
        return made


def _new(name: str, row: Metric, registry: CollectorRegistry | None) -> Counter | Gauge | Histogram:
    if row.kind == "counter":
        return Counter(name, row.help, row.labels, registry=registry)
    if row.kind == "gauge":
        assert row.across != "asked"
        return Gauge(name, row.help, row.labels, registry=registry, multiprocess_mode=row.across)
    return Histogram(name, row.help, row.labels, registry=registry, buckets=row.buckets)
