"""What `make bench` writes and `make bench-check` judges, from figures that are made up or committed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench import bets, check
from bench.charts import log_ticks, ticks_to
from croupier.benchmark.figures import Figures

FIELDS = dict.fromkeys(Figures.__slots__, 12.5)


def run_at(in_flight: int, stack: str, bets_per_s: float) -> dict[str, Any]:
    run = {**FIELDS, "stack": stack, "mode": "bets", "in_flight": in_flight, "rate": None, "bets_per_s": bets_per_s}
    return Figures(**run).as_json()


def told() -> dict[str, Any]:
    machine = {
        "processor": "Sample",
        "cores": 2,
        "memory_gb": 8.0,
        "system": "Linux 6.1",
        "python": "3.11.9",
        "load": 0.1,
    }
    series = [
        {"name": "a", "stack": stack, "runs": [run_at(n, stack, rate * n) for n in (1, 64)]}
        for stack, rate in ((bets.HUB, 50.0), (bets.USUAL, 2.0), (bets.PASSING, 90.0))
    ]
    return {"machine": machine | {"sync": {"p50_ms": 0.1, "p99_ms": 0.2}}, "series": series, "ratio": 25.0, "drift": 0,
            "audit": "holds", "seconds": 10, "players": 400}  # fmt: skip


def test_the_page_says_each_at_its_best_and_every_run(tmp_path: Path) -> None:
    bets.write(told(), tmp_path)
    page = (tmp_path / "bets.md").read_text()
    assert "**3,200 durable bets per second** at 64 in flight" in page
    assert "Ratio, each at its best: **25.0**" in page
    assert len(re.findall(r"^\| (?:croupier|usual stack|pass-through): ", page, re.MULTILINE)) == 6
    for link in re.findall(r"\]\(([a-z_]+\.svg)\)", page):
        assert (tmp_path / link).exists()
    assert json.loads((tmp_path / "bets.json").read_text())["ratio"] == 25.0


def test_charts_are_drawings_without_a_background_or_script() -> None:
    """GitHub shows them on white and on black."""
    for name, content in bets.charts(told()).items():
        root = ET.fromstring(content)
        assert {element.tag.rpartition("}")[2] for element in root} <= {"line", "text", "polyline", "circle", "rect"}, (
            name
        )
        fills = {element.get("fill") for element in root if element.tag.endswith("rect")}
        assert not fills & {"white", "#fff", "#ffffff", "black", "#000"}


@pytest.mark.parametrize(
    ("most", "last", "least_ticks"), [(0.9, 1.0, 3), (7.0, 8.0, 3), (861.0, 1000.0, 3), (6154.0, 8000.0, 3)]
)
def test_ticks_are_round_and_reach_the_largest_value(most: float, last: float, least_ticks: int) -> None:
    ticks = ticks_to(most)
    assert ticks[-1] == pytest.approx(last)
    assert least_ticks <= len(ticks) <= 8


def test_logarithmic_ticks_are_powers_of_ten() -> None:
    assert log_ticks(3.0, 450.0) == pytest.approx([1, 10, 100, 1000])
    assert log_ticks(1.0, 1.0) == pytest.approx([1, 10])


def test_a_count_that_grew_by_a_quarter_is_found_and_time_is_not() -> None:
    before = run_at(64, bets.HUB, 100.0)
    now = Figures(**before)
    assert check.grown(now, before) == []
    assert check.grown(replace(now, calls=15.7), before) == ["calls, each with its signature"]
    assert check.grown(replace(now, hub_cpu_us=9999.0, path_transactions=15.6), before) == []


def test_the_committed_figures_can_be_compared_with() -> None:
    before = check.committed(check.COMMITTED)
    assert before["in_flight"] == 64
    assert set(check.COUNTS) | set(check.SHOWN) <= set(before)
