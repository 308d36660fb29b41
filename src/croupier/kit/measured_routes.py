"""The routes of a side's operations, measured: how long each request took from its first byte, and what it was answered.

Owns: the two metrics of requests. Never: an answer, or what an operation does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from croupier.kit.clock import Clock
from croupier.kit.inbound import arrived_s
from croupier.kit.metrics import Metrics
from croupier.kit.openapi import Operation
from croupier.kit.tracing import Tracer


class Measures(Protocol):
    """What has the clock and the metrics: a hub. It is looked at with each request, not when routes are made."""

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        ...

    @property
    def metrics(self) -> Metrics:
        """Return the metrics."""
        ...

    @property
    def tracer(self) -> Tracer | None:
        """Return the tracer, or None without traces."""
        ...


AnswerTo = Callable[[Operation, Request], Awaitable[Response]]


def measured_routes(
    operations: Iterable[Operation], answer_to: AnswerTo, *, side: str, measures: Measures
) -> list[Route]:
    """Return a route for each of these operations of one side of the hub."""

    async def traced(tracer: Tracer, operation: Operation, request: Request, *, started_s: float) -> Response:
        facts = {"http.request.method": operation.method, "http.route": operation.path}
        headers = request.scope["headers"]
        with tracer.request(f"{side} {operation.name}", headers, started_s=started_s, attributes=facts) as span:
            response = await answer_to(operation, request)
            span.attributes["http.response.status_code"] = response.status_code
            span.failed = response.status_code >= 500
            return response

    def route(operation: Operation) -> Route:
        async def endpoint(request: Request) -> Response:
            started_s = arrived_s(request, measures.clock)
            tracer = measures.tracer
            if tracer is None:
                response = await answer_to(operation, request)
            else:
                response = await traced(tracer, operation, request, started_s=started_s)
            took_s = measures.clock.monotonic_s() - started_s
            measures.metrics.observe("croupier_request_seconds", took_s, side, operation.name)
            measures.metrics.count("croupier_requests_total", side, operation.name, str(response.status_code))
            return response

        return Route(operation.path, endpoint, methods=[operation.method])

    return [route(operation) for operation in operations]
