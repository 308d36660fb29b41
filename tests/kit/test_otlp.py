"""Spans reach a collector over real HTTP, and one that is slow or away makes nobody wait."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from croupier.kit import otlp
from croupier.kit.log import configure
from croupier.kit.otlp import OtelMissing, SpanSender, traces_url
from croupier.kit.tracing import Span, SpanContext
from tests.kit.collector import Collector, collector, facts
from tests.kit.test_log import set_back  # noqa: F401 - a fixture: a sender logs


@pytest.fixture
def receiver() -> Iterator[Collector]:
    with collector() as made:
        yield made


def span(number: int = 1, **more: object) -> Span:
    now_s = time.monotonic()
    context = SpanContext(number << 64 | 5, number, sampled=True)
    made = Span("casino make", "client", context, 9, now_s - 0.25, now_s, attributes={"croupier.bet_id": number})
    for name, value in more.items():
        setattr(made, name, value)
    return made


def sender(url: str) -> SpanSender:
    return SpanSender(url, instance="w-1", version="1.2.3")


def test_a_span_arrives_whole(receiver: Collector) -> None:
    made = sender(receiver.url)
    made.put(span(7, links=[SpanContext(11, 12, sampled=True)], failed=True))
    made.close(5)
    (came,) = receiver.spans
    assert came.name == "casino make"
    assert came.kind == came.SPAN_KIND_CLIENT
    assert came.trace_id == (7 << 64 | 5).to_bytes(16)
    assert came.span_id == (7).to_bytes(8)
    assert came.parent_span_id == (9).to_bytes(8)
    assert [(link.trace_id, link.span_id) for link in came.links] == [((11).to_bytes(16), (12).to_bytes(8))]
    assert came.status.code == came.status.STATUS_CODE_ERROR
    assert facts(came) == {"croupier.bet_id": 7}
    assert came.end_time_unix_nano - came.start_time_unix_nano == pytest.approx(250_000_000, abs=1000)
    assert abs(came.end_time_unix_nano - time.time_ns()) < 60_000_000_000
    (resource,) = receiver.resources
    assert (
        resource.items()
        >= {"service.name": "croupier", "service.instance.id": "w-1", "service.version": "1.2.3"}.items()
    )
    assert made.take_counts() == {"sent": 1, "no_room": 0, "not_taken": 0}
    assert made.take_counts() == {"sent": 0, "no_room": 0, "not_taken": 0}


def test_the_standard_variables_say_the_rest(receiver: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "hub-east")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue")
    made = sender(receiver.url)
    made.put(span())
    made.close(5)
    assert receiver.resources[0]["service.name"] == "hub-east"
    assert receiver.headers[0]["x-tenant"] == "blue"


def test_a_collector_that_hangs_makes_nobody_wait(receiver: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "MOST_WAITING", 20)
    monkeypatch.setattr(otlp, "MOST_AT_ONCE", 5)
    receiver.go_on.clear()
    made = sender(receiver.url)
    for number in range(1, 6):
        made.put(span(number))
    assert receiver.asked.wait(10), "the first message is under way, and hangs"
    for number in range(6, 106):
        made.put(span(number))
    assert made.take_counts() == {"sent": 0, "no_room": 80, "not_taken": 0}
    receiver.go_on.set()
    made.close(10)
    assert sorted(facts(came)["croupier.bet_id"] for came in receiver.spans) == list(range(1, 26))


def test_what_a_collector_refuses_is_dropped_counted_and_said(
    receiver: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("warning")
    receiver.status = 400
    made = sender(receiver.url)
    made.put(span())
    made.close(5)
    assert made.take_counts() == {"sent": 0, "no_room": 0, "not_taken": 1}
    said = capsys.readouterr().err
    assert "traces.not_sent" in said
    assert "check that it runs" in said
    assert "Traceback" not in said


def test_a_collector_that_is_away_delays_the_end_by_its_limit_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as gone:
        url = gone.url
    made = sender(url)
    made.put(span())
    began = time.monotonic()
    made.close(0.2)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "endpoint", ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces", "http://c:4318/v1/traces/"]
)
def test_the_address_may_be_the_collectors_or_the_whole_one(endpoint: str) -> None:
    assert traces_url(endpoint) == "http://c:4318/v1/traces"


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(OtelMissing, match=r"pip install 'croupier\[otel\]'"):
        otlp.check_installed()


@pytest.mark.slow
def test_a_hub_without_traces_loads_nothing_of_them() -> None:
    """Every part of a serving hub is loaded, and neither the sender nor the library is among it."""
    look = (
        "import sys, croupier.apps.serve, croupier.apps.worker, croupier.cli.app;"
        "print([name for name in sys.modules if name.startswith('opentelemetry') or name == 'croupier.kit.otlp'])"
    )
    said = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True).stdout
    assert said == "[]\n"
