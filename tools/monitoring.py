"""Write deploy/monitoring: the dashboards of Grafana and the alert rules of Prometheus, from the tables below.

    tools/monitoring.py [--check]

Each panel and rule is one row here, so that a metric's new name is changed in one place. `--check` writes nothing and
exits with 1 if a file would change. tests/deploy compares every name with the metrics of the code.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "deploy" / "monitoring"
RUNBOOK = "docs/OPERATIONS.md"
PAGE, TICKET = "page", "ticket"
WIDE, HALF, THIRD, SIXTH = 24, 12, 8, 4


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. A `query` may be several, one per line, each with its legend before the first `|`."""

    title: str
    query: str
    help: str = ""
    unit: str = "short"
    width: int = HALF
    kind: str = "timeseries"
    red_from: float | None = None
    """The value from which the panel is red; green below."""
    red_below: float | None = None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page of panels, from left to right and top to bottom."""

    uid: str
    title: str
    about: str
    panels: tuple[Panel, ...]
    by: str = ""
    """The label that a person chooses at the top: `casino`."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule. `page`: somebody gets up at night; `ticket`: tomorrow is soon enough."""

    name: str
    expr: str
    wait: str
    severity: str
    summary: str
    action: str
    anchor: str


def quantile(q: float, metric: str, by: str, where: str = "") -> str:
    """Return the query of a quantile of a histogram, over five minutes."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{where}[5m])))"


def rate(metric: str, by: str, where: str = "") -> str:
    """Return the query of a rate per second, over five minutes."""
    return f"sum by ({by}) (rate({metric}{where}[5m]))" if by else f"sum(rate({metric}{where}[5m]))"


OVERVIEW = Dashboard(
    "croupier-overview",
    "Croupier: overview",
    "Is the hub up, are bets answered in time, do the books hold.",
    (
        Panel(
            "Machines up",
            'up|sum(up{job="croupier"})',
            "Machines whose hub answers the scrape.",
            width=SIXTH,
            kind="stat",
            red_below=1,
        ),
        Panel(
            "Recovery mode",
            "on|max(croupier_recovering)",
            "1 while new bets are refused after a restore.",
            width=SIXTH,
            kind="stat",
            red_from=1,
        ),
        Panel(
            "Open breakers",
            "open|sum(croupier_breaker_open)",
            "Casinos whose new bets are refused now.",
            width=SIXTH,
            kind="stat",
            red_from=1,
        ),
        Panel(
            "Invariants broken",
            "broken|count(croupier_audit_holds == 0) or vector(0)",
            "Invariants of the books with a known violation.",
            width=SIXTH,
            kind="stat",
            red_from=1,
        ),
        Panel(
            "Open findings",
            "open|max(croupier_findings_open)",
            "Differences between hub, casinos and providers for a person.",
            width=SIXTH,
            kind="stat",
            red_from=1,
        ),
        Panel(
            "Open incidents",
            "open|sum(max by (name) (croupier_incidents_open)) or vector(0)",
            "croupier incidents lists them.",
            width=SIXTH,
            kind="stat",
            red_from=1,
        ),
        Panel(
            "Requests per second",
            "{{side}} {{outcome}}|" + rate("croupier_requests_total", "side, outcome"),
            "By side and HTTP status.",
            "reqps",
        ),
        Panel(
            "Time to answer, p99",
            "{{side}} {{route}}|" + quantile(0.99, "croupier_request_seconds", "side, route"),
            "Pay-ins near 6 s time out at their casino.",
            "s",
        ),
        Panel(
            "Pay-ins that wait for a casino",
            "now|sum(croupier_waiting_requests)",
            "Near the limit of in_flight, new bets are refused.",
        ),
        Panel(
            "Outgoing calls in the queue",
            "calls|max(croupier_waiting_calls)",
            "A steady rise: a casino is away, or the hub is too slow.",
        ),
        Panel(
            "Decisions per second",
            "{{event}}|" + rate("croupier_decisions_total", "event"),
            "Committed decisions.",
            "ops",
        ),
        Panel(
            "Incidents per hour",
            "{{name}}|sum by (name) (increase(croupier_incidents_total[1h]))",
            "croupier incidents lists the open ones.",
        ),
    ),
)

CASINO = Dashboard(
    "croupier-casino",
    "Croupier: one casino",
    "How one casino answers the hub's calls.",
    (
        Panel(
            "Circuit breaker",
            'open|max(croupier_breaker_open{casino="$casino"})',
            "1: new bets get 99 until the casino answers again.",
            width=THIRD,
            kind="stat",
            red_from=1,
        ),
        Panel(
            "Not understood in 1 h",
            'answers|sum(increase(croupier_calls_total{casino="$casino", reading="Unknown"}[1h]))',
            "Answers that the hub could not read, or none at all.",
            width=THIRD,
            kind="stat",
            red_from=1,
        ),
        Panel(
            "Odd balances in 1 h",
            'balances|sum(increase(croupier_odd_balances_total{casino="$casino"}[1h]))',
            "Balances that are no amount of the currency.",
            width=THIRD,
            kind="stat",
            red_from=1,
        ),
        Panel(
            "Calls per second, by reading",
            "{{step}} {{reading}}|" + rate("croupier_calls_total", "step, reading", '{casino="$casino"}'),
            "How the hub read the answers.",
            "reqps",
        ),
        Panel(
            "Duration of a call",
            "p50 {{step}}|"
            + quantile(0.5, "croupier_call_seconds", "step", '{casino="$casino"}')
            + "\np99 {{step}}|"
            + quantile(0.99, "croupier_call_seconds", "step", '{casino="$casino"}'),
            "From the first byte sent to the last one read. balance and auth are queries about a player.",
            "s",
        ),
        Panel(
            "Reconciliation",
            '{{result}}|sum by (result) (increase(croupier_reconciled_total{casino="$casino"}[1h]))',
            "Bets compared with the casino's list, per hour.",
            width=WIDE,
        ),
    ),
    by="casino",
)

MONEY = Dashboard(
    "croupier-money",
    "Croupier: money",
    "Do the books hold, and do they agree with the casinos'.",
    (
        Panel(
            "Invariants that hold",
            "{{invariant}}|min by (invariant) (croupier_audit_holds)",
            "0: croupier audit shows the violation.",
            width=HALF,
            kind="state",
            red_below=1,
        ),
        Panel(
            "Known violations",
            "{{invariant}}|max by (invariant) (croupier_audit_violations)",
            "Bets and cashbacks, up to 1000.",
        ),
        Panel(
            "Money that is not through",
            "{{casino}} {{what}} {{currency}}|max by (casino, what, currency) (croupier_open_minor_units)",
            "In minor units. credit: owed to players; debit: being taken; unclaimed: taken, and the provider does not know; parked: for a person.",
        ),
        Panel(
            "Age of the oldest open payment",
            "{{casino}} {{what}}|time() - min by (casino, what) (croupier_open_oldest_seconds)",
            "A rise in step with the clock: its casino does not answer, or a person must decide.",
            "s",
        ),
        Panel(
            "Jackpots",
            "{{pot}} {{currency}}|max by (pot, currency) (croupier_jackpot_minor_units)",
            "In minor units.",
        ),
        Panel(
            "Age of the last check",
            "{{invariant}}|time() - max by (invariant) (croupier_audit_asked_seconds)",
            "Older than a few minutes: no worker audits.",
            "s",
        ),
        Panel(
            "Duration of a check",
            "{{invariant}}|max by (invariant) (croupier_audit_took_seconds)",
            "Of the continuous auditor's last query.",
            "s",
        ),
        Panel(
            "Last complete pass",
            "age|time() - max(croupier_audit_whole_seconds)",
            "Since the auditor last finished all bets and cashbacks.",
            "s",
            width=THIRD,
            kind="stat",
        ),
        Panel(
            "Last signed checkpoint",
            "age|time() - max(croupier_trail_signed_seconds)",
            "Of the audit trail.",
            "s",
            width=THIRD,
            kind="stat",
            red_from=600,
        ),
        Panel(
            "Rows not in the trail",
            "{{table}}|max by (table) (croupier_trail_waiting)",
            "Some hundreds are normal.",
            width=THIRD,
        ),
        Panel(
            "Findings",
            "{{name}}|sum by (name) (increase(croupier_findings_total[1h]))",
            "Differences that no rule resolved, per hour.",
        ),
        Panel(
            "Healed",
            "{{rule}}|sum by (rule) (increase(croupier_healed_total[1h]))",
            "Differences that a rule resolved. Many: a casino's accepts get lost.",
        ),
    ),
)

DATABASE = Dashboard(
    "croupier-database",
    "Croupier: database",
    "Group commits and the database's errors.",
    (
        Panel(
            "Database errors per minute",
            "{{kind}}|sum by (kind) (increase(croupier_database_troubles_total[1m]))",
            "down: away. unfit: it cannot do its work. busy: a row was locked.",
        ),
        Panel(
            "Group commits per second",
            "commits|" + rate("croupier_group_commit_seconds_count", ""),
            "Statements of the payment path, each with its commit.",
            "ops",
        ),
        Panel(
            "Decisions in a group commit",
            "p50|"
            + quantile(0.5, "croupier_group_commit_size", "")
            + "\np99|"
            + quantile(0.99, "croupier_group_commit_size", ""),
            "Grows with load: that is how the hub keeps up.",
        ),
        Panel(
            "Duration of a group commit",
            "p50|"
            + quantile(0.5, "croupier_group_commit_seconds", "")
            + "\np99|"
            + quantile(0.99, "croupier_group_commit_seconds", ""),
            "Far above the disk's own fsync: locks, or a slow disk.",
            "s",
        ),
        Panel(
            "Log lines held back",
            "{{event}}|sum by (event) (increase(croupier_log_held_back_total[5m]))",
            "Suppressed by the rate limit of the log.",
        ),
        Panel(
            "Spans of traces per minute",
            "{{result}}|sum by (result) (increase(croupier_spans_total[1m]))",
            "no_room and not_taken: dropped, because the collector is slow or away.",
        ),
    ),
)

FEED = Dashboard(
    "croupier-feed",
    "Croupier: live feed",
    "Clients of the live feed and the snapshots sent to them.",
    (
        Panel("Clients", "clients|sum(croupier_feed_connections)", "Connected now.", width=THIRD, kind="stat"),
        Panel(
            "Pushes per second",
            "pushes|" + rate("croupier_feed_pushes_total", ""),
            "Snapshots sent to clients.",
            "ops",
            width=THIRD,
        ),
        Panel(
            "Clients cut off",
            "{{why}}|sum by (why) (increase(croupier_feed_dropped_total[5m]))",
            "unread, stalled or flood.",
            width=THIRD,
        ),
        Panel(
            "Snapshots per second",
            "type {{game_type}}|" + rate("croupier_feed_snapshots_total", "game_type"),
            "Two a second for a type with a running draw.",
            "ops",
        ),
        Panel(
            "Age of the last snapshot",
            "type {{game_type}}|time() - max by (game_type) (croupier_feed_snapshot_seconds)",
            "Rising: no worker publishes.",
            "s",
        ),
    ),
)

PROVIDERS = Dashboard(
    "croupier-requests",
    "Croupier: requests of providers and casinos",
    "What each route answers, and how fast.",
    (
        Panel(
            "Requests per second",
            "{{route}}|" + rate("croupier_requests_total", "route", '{side="$side"}'),
            "",
            "reqps",
        ),
        Panel(
            "Answers that are no 200",
            "{{route}} {{outcome}}|"
            + rate("croupier_requests_total", "route, outcome", '{side="$side", outcome!="200"}'),
            "401: a wrong secret or clock. 503: refused before anything was written.",
            "reqps",
        ),
        Panel(
            "Time to answer, p50",
            "{{route}}|" + quantile(0.5, "croupier_request_seconds", "route", '{side="$side"}'),
            "",
            "s",
        ),
        Panel(
            "Time to answer, p99",
            "{{route}}|" + quantile(0.99, "croupier_request_seconds", "route", '{side="$side"}'),
            "",
            "s",
        ),
        Panel(
            "Refused by a rate limit, of all sides",
            "{{side}} {{counterparty}} {{call}}|" + rate("croupier_rate_limited_total", "side, counterparty, call"),
            "429. The log names the counterparty or the address in limits.refused.",
            "reqps",
        ),
    ),
    by="side",
)

PROVIDER = Dashboard(
    "croupier-provider",
    "Croupier: one provider",
    "How fast the hub answers one provider's signed requests.",
    (
        Panel(
            "Requests per second",
            "{{route}}|" + rate("croupier_provider_request_seconds_count", "route", '{provider="$provider"}'),
            "Signed requests, whatever they were answered.",
            "reqps",
        ),
        Panel(
            "Answered within 1 s",
            "{{route}}|"
            + rate("croupier_provider_request_seconds_bucket", "route", '{provider="$provider", le="1.0"}')
            + " / "
            + rate("croupier_provider_request_seconds_count", "route", '{provider="$provider"}'),
            "The rest waited for their casino.",
            "percentunit",
        ),
        Panel(
            "Time to answer, p50",
            "{{route}}|" + quantile(0.5, "croupier_provider_request_seconds", "route", '{provider="$provider"}'),
            "From the first byte of the request.",
            "s",
        ),
        Panel(
            "Time to answer, p99",
            "{{route}}|" + quantile(0.99, "croupier_provider_request_seconds", "route", '{provider="$provider"}'),
            "Near the provider's hold time, pay-ins are answered 99.",
            "s",
        ),
    ),
    by="provider",
)

DASHBOARDS = (OVERVIEW, CASINO, PROVIDER, PROVIDERS, MONEY, DATABASE, FEED)

ALERTS = (
    Alert("CroupierDown", 'up{job="croupier"} == 0', "1m", PAGE, "The hub of {{ $labels.instance }} does not answer", "Start it again; look at the log for serve.worker_ended.", "what-happens-when-something-fails"),
    Alert("CroupierRecovering", "max(croupier_recovering) == 1", "1m", PAGE, "Recovery mode refuses new bets", "croupier recover status.", "after-a-restore"),
    Alert("CroupierBreakerOpen", "max by (casino) (croupier_breaker_open) == 1", "2m", PAGE, "New bets of casino {{ $labels.casino }} are refused", "Tell the casino. What is owed is paid when it is back.", "what-happens-when-something-fails"),
    Alert("CroupierInvariantBroken", "min by (invariant) (croupier_audit_holds) == 0", "0m", PAGE, "Invariant {{ $labels.invariant }} does not hold", "croupier audit, then croupier trace of the bets that it names.", "incidents"),
    Alert("CroupierNotAudited", "time() - max by (invariant) (croupier_audit_asked_seconds) > 600", "5m", TICKET, "Invariant {{ $labels.invariant }} was not checked for 10 minutes", "No worker audits: look for audit lines in the log.", "the-continuous-auditor"),
    Alert("CroupierIncident", "sum by (name) (increase(croupier_incidents_total[15m])) > 0", "0m", TICKET, "Incident {{ $labels.name }} was raised", "croupier incidents shows it with what to do.", "incidents"),
    Alert("CroupierMoneyWaits", 'time() - min by (casino, what) (croupier_open_oldest_seconds{what=~"credit|debit|unclaimed"}) > 3600', "5m", TICKET, "A payment ({{ $labels.what }}) of casino {{ $labels.casino }} has not been through for an hour", "croupier incidents lists it as unknown, with its next action. The hub repeats it until it is paid.", "incidents"),
    Alert("CroupierParked", 'sum by (casino) (max by (casino, currency) (croupier_open_payments{what="parked"})) > 0', "5m", TICKET, "{{ $value }} payments of casino {{ $labels.casino }} wait for a person", "croupier incidents lists them; croupier payment accept, retry or give-up decides.", "incidents"),
    Alert("CroupierBackupOld", "time() - max(croupier_backup_seconds) > 108000", "30m", TICKET, "The last backup is older than 30 hours", "See why the nightly croupier backup does not run.", "backup"),
    Alert("CroupierFindings", "max(croupier_findings_open) > 0", "15m", TICKET, "{{ $value }} differences with casinos or providers are open", "croupier reconcile shows the records of each side.", "reconciliation"),
    Alert("CroupierCallsPileUp", "max(croupier_waiting_calls) > 1000 and deriv(croupier_waiting_calls[10m]) > 0", "10m", PAGE, "{{ $value }} outgoing calls wait, and it gets more", "A casino is away, or the database is slow: see the dashboards.", "what-happens-when-something-fails"),
    Alert("CroupierAnswersUnknown", 'sum by (casino) (rate(croupier_calls_total{reading="Unknown"}[5m])) / sum by (casino) (rate(croupier_calls_total[5m])) > 0.05', "5m", TICKET, "More than 5 % of the answers of casino {{ $labels.casino }} are not understood", "Tell the casino, with the log line casino.unknown.", "what-happens-when-something-fails"),
    Alert("CroupierSlow", "histogram_quantile(0.99, sum by (le, provider) (rate(croupier_provider_request_seconds_bucket[5m]))) > 5", "5m", TICKET, "1 % of the requests of provider {{ $labels.provider }} wait longer than 5 s", "A slow casino shows in its dashboard; otherwise look at the database.", "what-happens-when-something-fails"),
    Alert("CroupierCasinoSlow", 'histogram_quantile(0.99, sum by (le, casino) (rate(croupier_call_seconds_bucket{step="make"}[5m]))) > 5', "5m", TICKET, "1 % of the makes of casino {{ $labels.casino }} are acknowledged after 5 s or later", "Tell the casino: its players' bets are answered 99. croupier casino show names its limits.", "what-happens-when-something-fails"),
    Alert("CroupierDatabaseTrouble", 'sum by (kind) (increase(croupier_database_troubles_total{kind=~"down|unfit"}[1m])) > 0', "1m", PAGE, "The database is {{ $labels.kind }}", "See the rows about the database.", "what-happens-when-something-fails"),
    Alert("CroupierTrailUnsigned", "time() - max(croupier_trail_signed_seconds) > 600", "5m", TICKET, "No checkpoint of the audit trail for 10 minutes", "Free space, or correct the rights of CROUPIER_TRAIL_DIR.", "the-audit-trail"),
    Alert("CroupierFeedStands", "time() - max by (game_type) (croupier_feed_snapshot_seconds) > 30", "1m", TICKET, "The feed of game type {{ $labels.game_type }} stands still", "No worker publishes, or the database is away.", "what-happens-when-something-fails"),
)  # fmt: skip


def dashboard(page: Dashboard) -> dict[str, Any]:
    """Return the JSON of one dashboard."""
    panels, x, y, row_height = [], 0, 0, 0
    for number, panel in enumerate(page.panels, start=1):
        height = 4 if panel.kind == "stat" else 8
        if x + panel.width > WIDE:
            x, y, row_height = 0, y + row_height, 0
        panels.append(_panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": height}))
        x, row_height = x + panel.width, max(row_height, height)
    variables = [_variable(page.by)] if page.by else []
    return {
        "uid": page.uid, "title": page.title, "description": page.about, "tags": ["croupier"], "editable": False,
        "schemaVersion": 41, "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "timezone": "utc",
        "templating": {"list": variables}, "panels": panels,
        "links": [{"type": "dashboards", "tags": ["croupier"], "title": "Croupier", "asDropdown": True}],
    }  # fmt: skip


def _variable(label: str) -> dict[str, Any]:
    by_peer = {"casino": "croupier_call_seconds_count", "provider": "croupier_provider_request_seconds_count"}
    metric = by_peer.get(label, "croupier_requests_total")
    query = f"label_values({metric}, {label})"
    return {
        "name": label,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": label},
        "refresh": 2,
    }


_SOURCE = {"type": "prometheus", "uid": "prometheus"}


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    targets = []
    for letter, line in zip("ABC", panel.query.splitlines(), strict=False):
        legend, _, expr = line.partition("|")
        targets.append({"refId": letter, "expr": expr, "legendFormat": legend, "datasource": _SOURCE})
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    if panel.red_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.red_below}]
    defaults = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}, "min": 0}
    kind = {"state": "state-timeline"}.get(panel.kind, panel.kind)
    return {
        "id": number, "type": kind, "title": panel.title, "description": panel.help, "gridPos": place,
        "datasource": _SOURCE, "targets": targets, "fieldConfig": {"defaults": defaults, "overrides": []},
    }  # fmt: skip


def alert_rules() -> str:
    """Return the YAML of the alert rules. A JSON text is YAML, and quotes everything right."""
    lines = [
        "# Written by tools/monitoring.py from its table of alerts.",
        "groups:",
        "  - name: croupier",
        "    rules:",
    ]
    for alert in ALERTS:
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {json.dumps(alert.expr)}",
            f"        for: {alert.wait}",
            f"        labels: {{ severity: {alert.severity} }}",
            "        annotations:",
            f"          summary: {json.dumps(alert.summary)}",
            f"          action: {json.dumps(alert.action)}",
            f"          runbook: {RUNBOOK}#{alert.anchor}",
        ]
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Return the text of every file."""
    pages = {
        FOLDER / "dashboards" / f"{page.uid}.json": json.dumps(dashboard(page), indent=1) + "\n" for page in DASHBOARDS
    }
    return {**pages, FOLDER / "alerts.yaml": alert_rules()}


def main() -> int:
    """Write the files, or compare them; return the exit code."""
    made = files()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        print("\n".join(f"{path} is not what tools/monitoring.py writes" for path in stale))
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
