"""Sends spans to an OpenTelemetry collector over OTLP/HTTP, from a thread of its own.

A payment puts its span into a bounded queue and goes on. A collector that is slow or away fills the queue; what does not fit
is dropped and counted. Owns: the queue, the thread, the library. Never: makes a span (tracing), or makes a payment wait.
"""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections import deque
from typing import Any, Final

from croupier.kit.log import get
from croupier.kit.tracing import Span, SpanContext

log = get("traces")

MOST_WAITING: Final = 8192
"""Spans that wait to be sent."""
MOST_AT_ONCE: Final = 256
"""Spans in one message. Encoding it holds the interpreter for some milliseconds, for which payments wait."""
EVERY_S: Final = 1.0
BREATH_S: Final = 0.01
"""The pause between two messages, in which payments go on."""
TOLD_EVERY_S: Final = 60.0
PATH: Final = "/v1/traces"
_KINDS: Final = {"server": "SERVER", "client": "CLIENT", "internal": "INTERNAL"}
_LIBRARY: Final = "opentelemetry"


class OtelMissing(Exception):
    """The library is not installed."""


def check_installed() -> None:
    """Raise OtelMissing if the library is not installed."""
    _load("opentelemetry.exporter.otlp.proto.http.trace_exporter")


def traces_url(endpoint: str) -> str:
    """Return the address to which spans are posted, from the collector's own address or from the whole one."""
    whole = endpoint.rstrip("/")
    return whole if whole.endswith(PATH) else whole + PATH


class SpanSender:
    """The queue of one process and its thread. Make it after the fork: a thread is not part of a fork.

    `instance` names the process in the resource. Raises OtelMissing. The library reads the standard variables for the rest:
    OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS, _CERTIFICATE, _COMPRESSION, _TIMEOUT.
    """

    def __init__(self, endpoint: str, *, instance: str, version: str) -> None:
        self._url = traces_url(endpoint)
        self._exporter: Any = _load("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter(self._url)
        self._resource = _resource(instance, version)
        self._waiting: deque[Span] = deque()
        self._wake = threading.Event()
        self._ending = False
        self._counts = {"sent": 0, "no_room": 0, "not_taken": 0}
        self._lock = threading.Lock()
        self._told_s = -TOLD_EVERY_S
        # Its lines would quote the transport; this module says the same in words.
        logging.getLogger(_LIBRARY).setLevel(logging.CRITICAL)
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def put(self, span: Span) -> None:
        """Take a span to be sent, or drop it if too many wait. Never waits."""
        if len(self._waiting) >= MOST_WAITING:
            self._count("no_room", 1)
            return
        self._waiting.append(span)
        if len(self._waiting) >= MOST_AT_ONCE:
            self._wake.set()

    def take_counts(self) -> dict[str, int]:
        """Return how many spans were sent and dropped since the last call."""
        with self._lock:
            counts, self._counts = self._counts, dict.fromkeys(self._counts, 0)
        return counts

    def close(self, within_s: float) -> None:
        """Send what waits, within this time. What is left is dropped."""
        self._ending = True
        self._wake.set()
        self._thread.join(within_s)
        self._exporter.shutdown()

    def _count(self, result: str, spans: int) -> None:
        with self._lock:
            self._counts[result] += spans

    def _run(self) -> None:
        while not (self._ending and not self._waiting):
            if len(self._waiting) < MOST_AT_ONCE and not self._ending:
                self._wake.wait(EVERY_S)
            self._wake.clear()
            spans = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            if spans:
                self._send(spans)
                time.sleep(BREATH_S)

    def _send(self, spans: list[Span]) -> None:
        taken, bug = False, None
        try:
            taken = self._exporter.export(self._in_library_form(spans)).name == "SUCCESS"
        except Exception as error:  # noqa: BLE001 - whatever the library does, the thread goes on
            bug = error
        self._count("sent" if taken else "not_taken", len(spans))
        now_s = time.monotonic()
        if not taken and now_s - self._told_s >= TOLD_EVERY_S:
            self._told_s = now_s
            log.warning(
                "traces.not_sent",
                collector=self._url,
                problem="the collector does not take the spans, and they are dropped",
                todo="check that it runs and takes OTLP over HTTP at this address, or unset CROUPIER_OTEL_ENDPOINT",
                exc_info=bug,
            )

    def _in_library_form(self, spans: list[Span]) -> list[Any]:
        sdk, api = _load("opentelemetry.sdk.trace"), _load("opentelemetry.trace")
        scope = _load("opentelemetry.sdk.util.instrumentation").InstrumentationScope("croupier")
        # Taken anew for each message, so that a correction of the system's clock reaches the next one.
        ahead_ns = time.time_ns() - time.monotonic_ns()

        def context(of: SpanContext) -> Any:  # noqa: ANN401 - the library's
            flags = api.TraceFlags(api.TraceFlags.SAMPLED)
            return api.SpanContext(of.trace_id, of.span_id, is_remote=False, trace_flags=flags)

        def one(span: Span) -> Any:  # noqa: ANN401 - the library's
            parent = SpanContext(span.context.trace_id, span.parent_id, sampled=True)
            return sdk.ReadableSpan(
                name=span.name,
                context=context(span.context),
                parent=context(parent) if span.parent_id else None,
                resource=self._resource,
                attributes=span.attributes,
                links=[api.Link(context(link)) for link in span.links],
                kind=api.SpanKind[_KINDS[span.kind]],
                status=api.Status(api.StatusCode.ERROR if span.failed else api.StatusCode.UNSET),
                start_time=round(span.start_s * 1e9) + ahead_ns,
                end_time=round(span.end_s * 1e9) + ahead_ns,
                instrumentation_scope=scope,
            )

        return [one(span) for span in spans]


def _resource(instance: str, version: str) -> Any:  # noqa: ANN401 - the library's
    library = _load("opentelemetry.sdk.resources")
    resource = library.Resource.create({"service.instance.id": instance, "service.version": version})
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(library.Resource({"service.name": "croupier"}))
    return resource


def _load(module: str) -> Any:  # noqa: ANN401 - the library may be missing
    try:
        return importlib.import_module(module)
    except ImportError as problem:
        raise OtelMissing("CROUPIER_OTEL_ENDPOINT needs the extra: pip install 'croupier[otel]'") from problem
