"""An OpenTelemetry collector for tests: it receives spans over OTLP/HTTP on 127.0.0.1, in threads of this process."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collector:
    """What it received. `status` is its answer, `go_on` is cleared to let it hang."""

    url: str = ""
    status: int = 200
    go_on: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def spans(self) -> list[Any]:
        """Every span."""
        return [span for one in self.requests for r in one.resource_spans for s in r.scope_spans for span in s.spans]

    @property
    def resources(self) -> list[dict[str, str]]:
        """The resource of each message."""
        return [
            {one.key: one.value.string_value for one in r.resource.attributes}
            for request in self.requests
            for r in request.resource_spans
        ]

    def of_bet(self, bet_id: int) -> list[Any]:
        """The spans about this bet."""
        return [span for span in self.spans if facts(span).get("croupier.bet_id") == bet_id]

    def wait_for(self, number: int, within_s: float = 10.0) -> list[Any]:
        """The spans, once there are so many."""
        patience = time.monotonic() + within_s
        while len(self.spans) < number and time.monotonic() < patience:
            time.sleep(0.02)
        return self.spans


def facts(span: Any) -> dict[str, Any]:
    """The attributes of a span."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


@contextmanager
def collector() -> Iterator[Collector]:
    """A collector that answers until the block ends."""
    made = Collector()
    made.go_on.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            made.asked.set()
            made.go_on.wait(30)
            if made.status == 200:
                made.headers.append({name.lower(): value for name, value in self.headers.items()})
                made.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(made.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield made
    finally:
        made.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
