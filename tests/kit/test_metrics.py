"""Metrics: the one table, and its text."""

import os
import re
import subprocess
import sys
from pathlib import Path

import prometheus_client
import pytest

from croupier.kit import metrics_folder
from croupier.kit.metrics import METRICS, Metrics


def lines(metrics: Metrics) -> set[str]:
    return set(metrics.render().decode().splitlines())


def test_an_untouched_registry_is_empty() -> None:
    assert Metrics().render() == b""


@pytest.mark.parametrize("name", METRICS)
def test_every_row_of_the_table_can_be_used_and_shows_its_help(name: str) -> None:
    metrics, row = Metrics(), METRICS[name]
    labels = [f"v{number}" for number in range(len(row.labels))]
    if row.kind == "counter":
        metrics.count(name, *labels)
    elif row.kind == "gauge":
        metrics.put(name, 2, *labels)
    else:
        metrics.observe(name, 0.003, *labels)
    text = metrics.render().decode()
    assert f"# HELP {name} {row.help}" in text
    assert f"# TYPE {name} {row.kind}" in text
    assert row.kind != "counter" or name.endswith("_total")
    for label, value in zip(row.labels, labels, strict=True):
        assert f'{label}="{value}"' in text


def test_counts_add_up_by_labels() -> None:
    metrics = Metrics()
    metrics.count("croupier_requests_total", "casino", "accept", "200")
    metrics.count("croupier_requests_total", "casino", "accept", "200", by=4)
    metrics.count("croupier_requests_total", "provider", "pay-in", "1")
    assert 'croupier_requests_total{outcome="200",route="accept",side="casino"} 5.0' in lines(metrics)
    assert 'croupier_requests_total{outcome="1",route="pay-in",side="provider"} 1.0' in lines(metrics)


def test_a_gauge_stands_where_it_was_put() -> None:
    metrics = Metrics()
    metrics.put("croupier_breaker_open", 1, "7")
    metrics.put("croupier_breaker_open", 0, "7")
    assert 'croupier_breaker_open{casino="7"} 0.0' in lines(metrics)


def test_a_histogram_counts_into_its_buckets() -> None:
    metrics = Metrics()
    metrics.observe("croupier_group_commit_size", 3)
    metrics.observe("croupier_group_commit_size", 100)
    assert {
        'croupier_group_commit_size_bucket{le="2.0"} 0.0',
        'croupier_group_commit_size_bucket{le="4.0"} 1.0',
        'croupier_group_commit_size_bucket{le="+Inf"} 2.0',
        "croupier_group_commit_size_sum 103.0",
    } < lines(metrics)


def test_observations_in_batches_are_those_of_the_library_one_by_one() -> None:
    """What is added at once uses two private names of the library's histogram: they must mean what they meant."""
    name = "croupier_group_commit_size"
    bounds = METRICS[name].buckets
    values = [-1.0, 0.0, *bounds, *(bound + 0.5 for bound in bounds), 1e9]
    registry = prometheus_client.CollectorRegistry()
    theirs = prometheus_client.Histogram(name, METRICS[name].help, registry=registry, buckets=bounds)
    ours = Metrics()
    for turn in range(2):
        for value in values:
            theirs.observe(value)
            ours.observe(name, value)
            if turn:
                ours.flush()

    def told(text: bytes) -> list[str]:
        return [line for line in text.decode().splitlines() if "_created" not in line]

    assert told(ours.render()) == told(prometheus_client.generate_latest(registry))
    assert told(ours.render()) == told(ours.render())


def test_what_is_counted_for_the_first_time_is_shown_with_all_that_it_has() -> None:
    metrics = Metrics()
    metrics.count("croupier_incidents_total", "late", by=0)
    assert 'croupier_incidents_total{name="late"} 0.0' in lines(metrics)
    for _ in range(3):
        metrics.count("croupier_incidents_total", "late")
    metrics.flush()
    metrics.count("croupier_incidents_total", "late")
    assert 'croupier_incidents_total{name="late"} 4.0' in lines(metrics)


def test_two_registries_do_not_meet() -> None:
    one, two = Metrics(), Metrics()
    one.count("croupier_incidents_total", "late")
    two.count("croupier_incidents_total", "late")
    assert one.render() != b""
    assert 'croupier_incidents_total{name="late"} 1.0' in lines(two)


def test_a_name_outside_the_table_or_of_another_kind_is_a_mistake() -> None:
    metrics = Metrics()
    with pytest.raises(KeyError):
        metrics.count("croupier_wishes_total")
    with pytest.raises(TypeError):
        metrics.count("croupier_breaker_open", "x")
    with pytest.raises(TypeError):
        metrics.put("croupier_incidents_total", 1, "x")
    with pytest.raises(TypeError):
        metrics.observe("croupier_breaker_open", 1, "x")


@pytest.mark.parametrize("labels", [(), ("a",), ("a", "b", "c", "d")])
def test_a_wrong_number_of_labels_is_a_mistake(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="label"):
        Metrics().count("croupier_requests_total", *labels)


_WORKER = """
import sys
from pathlib import Path
from croupier.kit.metrics import Metrics, share

share(Path(sys.argv[1]), int(sys.argv[2]))
metrics = Metrics()
metrics.count("croupier_decisions_total", "opened", by=int(sys.argv[3]))
metrics.observe("croupier_group_commit_size", 3)
metrics.put("croupier_breaker_open", int(sys.argv[4]), "7")
metrics.put("croupier_waiting_requests", int(sys.argv[3]))
metrics.put("croupier_waiting_calls", 9)
print(metrics.render().decode())
"""


def worker(folder: Path, place: int, *, decisions: int, open_breaker: bool) -> set[str]:
    """A worker of its own process counts, renders and is gone."""
    words = [sys.executable, "-c", _WORKER, str(folder), str(place), str(decisions), str(int(open_breaker))]
    return set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines())


@pytest.mark.slow
def test_workers_that_share_a_folder_show_the_sum_and_a_replaced_one_goes_on(tmp_path: Path) -> None:
    first = worker(tmp_path, 0, decisions=5, open_breaker=True)
    assert 'croupier_decisions_total{event="opened"} 5.0' in first
    second = worker(tmp_path, 1, decisions=2, open_breaker=False)
    assert {
        'croupier_decisions_total{event="opened"} 7.0',
        'croupier_group_commit_size_bucket{le="4.0"} 2.0',
        "croupier_group_commit_size_count 2.0",
        'croupier_breaker_open{casino="7"} 1.0',
        "croupier_waiting_requests 7.0",
        "croupier_waiting_calls 9.0",
    } <= second
    replaced = worker(tmp_path, 0, decisions=1, open_breaker=False)
    assert {
        'croupier_decisions_total{event="opened"} 8.0',
        'croupier_breaker_open{casino="7"} 0.0',
        "croupier_waiting_requests 3.0",
    } <= replaced


_ENDING = """
import sys
from pathlib import Path
from croupier.kit.metrics import Metrics, share

share(Path(sys.argv[1]), 0)
metrics = Metrics()
metrics.count("croupier_decisions_total", "opened", by=3)
metrics.observe("croupier_group_commit_size", 3)
if sys.argv[2] == "flushed":
    metrics.flush()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("way", "decisions"), [("flushed", 3), ("killed", 0)])
def test_another_worker_shows_what_was_flushed(tmp_path: Path, way: str, decisions: int) -> None:
    subprocess.run([sys.executable, "-c", _ENDING, str(tmp_path), way], check=True)
    told = worker(tmp_path, 1, decisions=0, open_breaker=False)
    assert f'croupier_decisions_total{{event="opened"}} {decisions}.0' in told
    assert f"croupier_group_commit_size_count {1 + (way == 'flushed')}.0" in told


def test_the_folder_of_a_hub_that_was_killed_is_removed_and_that_of_a_running_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_folder, "_MEMORY", tmp_path)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid in (dead.pid, os.getppid()):
        (tmp_path / f"croupier-metrics-{pid}-x").mkdir()
    with metrics_folder.shared_metrics() as folder:
        assert folder.stat().st_mode & 0o077 == 0
        assert {path.name for path in tmp_path.iterdir()} == {folder.name, f"croupier-metrics-{os.getppid()}-x"}
    assert not folder.exists()


def test_all_labels_of_a_gauge_are_replaced_at_once() -> None:
    metrics = Metrics()
    metrics.put_all("croupier_incidents_open", {("parked",): 2, ("audit",): 1})
    metrics.put_all("croupier_incidents_open", {("parked",): 1})
    told = metrics.render().decode()
    assert 'croupier_incidents_open{name="parked"} 1.0' in told
    assert "audit" not in told
    with pytest.raises(ValueError, match="1 labels"):
        metrics.put_all("croupier_incidents_open", {(): 1})


TIMES = {
    "croupier_audit_asked_seconds", "croupier_audit_whole_seconds", "croupier_feed_snapshot_seconds", "croupier_open_oldest_seconds",
    "croupier_backup_seconds", "croupier_trail_signed_seconds",
}  # fmt: skip
"""Unix times whose names lack `_timestamp`. The list only shrinks: dashboards outside this repository ask for these names."""


@pytest.mark.parametrize("name", METRICS)
def test_a_name_follows_the_conventions_of_prometheus(name: str) -> None:
    """Counters end in `_total` and nothing else does; times are in seconds; labels are few and come from closed lists."""
    row = METRICS[name]
    assert re.fullmatch(r"croupier_[a-z]+(_[a-z]+)*", name)
    assert name.endswith("_total") == (row.kind == "counter")
    assert not name.endswith(("_ms", "_milliseconds", "_bucket", "_count", "_sum", "_info"))
    assert row.kind != "histogram" or name.endswith(("_seconds", "_size"))
    if row.kind == "gauge" and name.endswith("_seconds") and "Time " in row.help:
        assert name in TIMES or name.endswith("_timestamp_seconds")
    assert len(row.labels) <= 3
    assert not {"bet", "player", "session", "round", "le", "quantile"} & set(row.labels)
