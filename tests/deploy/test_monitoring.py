"""Dashboards and alerts ask for metrics that the hub has, with labels that they have, and name pages that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from croupier.kit.metrics import METRICS
from tests.deploy.headings import anchors_of
from tools import monitoring

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "deploy" / "monitoring"
PAGES = sorted((FOLDER / "dashboards").glob("*.json"))
ALERTS = yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
ASKED = {name + suffix: metric for name, metric in METRICS.items() for suffix in SUFFIXES[metric.kind]}
SET_BY_PROMETHEUS = {"le", "instance", "job"}


def queries() -> list[str]:
    """Return every query of every dashboard and alert."""
    pages = [json.loads(page.read_text("utf-8")) for page in PAGES]
    panels = [target["expr"] for page in pages for panel in page["panels"] for target in panel["targets"]]
    variables = [v["query"]["query"] for page in pages for v in page["templating"]["list"]]
    return [*panels, *variables, *(rule["expr"] for rule in ALERTS)]


def names_in(query: str) -> set[str]:
    return set(re.findall(r"\bcroupier_[a-z_]+", query))


def test_the_files_are_what_the_tool_writes() -> None:
    assert [str(path) for path, text in monitoring.files().items() if path.read_text("utf-8") != text] == []
    assert {path for path in monitoring.files() if path.suffix == ".json"} == set(PAGES)


@pytest.mark.parametrize("query", queries())
def test_a_query_asks_for_metrics_and_labels_that_the_hub_has(query: str) -> None:
    names = names_in(query)
    assert names or "up{" in query
    assert names <= set(ASKED)
    allowed = SET_BY_PROMETHEUS.union(*(ASKED[name].labels for name in names))
    by = re.findall(r"by \(([^)]*)\)", query) + re.findall(r"label_values\(\w+, (\w+)\)", query)
    where = re.findall(r"[{,] ?(\w+)=~?!?\"", query) + re.findall(r"(\w+)!=\"", query)
    assert {label.strip() for text in by for label in text.split(",")} | set(where) <= allowed


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {name for query in queries() for name in names_in(query)}
    assert {
        name for name in METRICS if not any(name + suffix in shown for suffix in ("", "_bucket", "_count"))
    } == set()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_to_do_and_where_it_is_written(rule: dict[str, object]) -> None:
    notes = rule["annotations"]
    assert isinstance(notes, dict)
    page, _, anchor = str(notes["runbook"]).partition("#")
    assert anchor in anchors_of(ROOT / page)
    assert notes["summary"]
    assert notes["action"]
    assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here (Debian: prometheus)")
def test_prometheus_itself_reads_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(FOLDER / "alerts.yaml")], check=True)


def test_the_scrape_reads_the_rules_that_lie_beside_it() -> None:
    scrape = yaml.safe_load((FOLDER / "prometheus.yaml").read_text("utf-8"))
    assert scrape["rule_files"] == ["/etc/prometheus/alerts.yaml"]
    assert scrape["scrape_configs"][0]["metrics_path"] == "/metrics"
