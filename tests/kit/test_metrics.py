"""Metrics: the one table, and its text."""

import pytest

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
        metrics.count("croupier_waiting", "x")
    with pytest.raises(TypeError):
        metrics.put("croupier_incidents_total", 1, "x")
    with pytest.raises(TypeError):
        metrics.observe("croupier_waiting", 1, "x")


@pytest.mark.parametrize("labels", [(), ("a",), ("a", "b", "c", "d")])
def test_a_wrong_number_of_labels_is_a_mistake(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="label"):
        Metrics().count("croupier_requests_total", *labels)
