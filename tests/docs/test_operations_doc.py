"""docs/OPERATIONS.md knows every incident, metric, endpoint and log line that the program has, and no others."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from croupier.apps.hub_app import hub_app
from croupier.kit.config import load
from croupier.kit.metrics import METRICS
from tests.house.source import modules

pytestmark = pytest.mark.xdist_group("sources")
"""One process parses the sources for all tests that read them."""

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "OPERATIONS.md").read_text(encoding="utf-8")
LOG_METHODS = {"debug", "info", "warning", "error", "exception"}


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_column(title: str) -> list[str]:
    """What stands in code in the first column of the section's table."""
    return re.findall(r"^\| `([^`]+)` \|", section(title), re.MULTILINE)


@cache
def calls() -> list[ast.Call]:
    """Every call in the program, but those of the sandbox, which is no part of the hub."""
    trees = [module.tree for module in modules() if module.floor != "sandbox"]
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]


def texts(method: str, place: int) -> set[str]:
    """The literal texts given at one place of the calls of a method."""
    found = set()
    for call in calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr == method and len(call.args) > place:
            argument = call.args[place]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found.add(argument.value)
    return found


def log_events() -> set[str]:
    """The names of all log lines."""
    found = set()
    for call in calls():
        named = isinstance(call.func, ast.Attribute) and call.func.attr in LOG_METHODS
        if named and ast.unparse(call.func.value) in {"log", "_log"}:  # type: ignore[attr-defined]
            event = call.args[0]
            assert isinstance(event, ast.Constant), ast.unparse(call)
            found.add(event.value)
    return found


@pytest.mark.slow
def test_every_incident_has_a_row_that_says_what_to_do() -> None:
    raised = texts("incident", 0) | texts("raise_for", 1) | texts("raise_new", 1) | texts("raise_in", 2)
    assert {"parked", "invariant"} <= raised
    assert sorted(first_column("Incidents")) == sorted(raised)


def test_incidents_are_raised_by_literal_names_only() -> None:
    """Or the test above would miss one."""
    methods = {"incident": 0, "raise_for": 1, "raise_new": 1, "raise_in": 2}
    computed = [
        ast.unparse(call)
        for call in calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in methods
        and not isinstance(call.args[methods[call.func.attr]], ast.Constant)
    ]
    assert computed == []


def test_every_metric_has_a_row_with_its_labels() -> None:
    told = dict(re.findall(r"^\| `(croupier_\w+)` \| ([^|]+) \|", section("Metrics"), re.MULTILINE))
    assert told == {name: ", ".join(metric.labels) or "none" for name, metric in METRICS.items()}


def test_every_endpoint_has_a_row() -> None:
    nobody: Any = SimpleNamespace(clock=None, metrics=None)  # routes are made without a look at more of the hub
    app = hub_app(nobody, load({}))
    routes: list[Any] = app.routes
    methods = [(route, getattr(route, "methods", {"WEBSOCKET"})) for route in routes]
    endpoints = [f"{method} {route.path}" for route, known in methods for method in known - {"HEAD"}]
    # The admin API has one row: its document lists the commands.
    endpoints = [one for one in endpoints if "/admin-api/" not in one or one.endswith("/openapi.json")]
    assert sorted(first_column("Endpoints")) == sorted(endpoints)


@pytest.mark.slow
def test_every_log_line_has_a_row() -> None:
    events = log_events()
    assert "worker.ready" in events
    assert sorted(first_column("Log lines")) == sorted(events)
