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
from croupier.kit.inbound import HotRequest, RawHeaders, arrived_s
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
HotAnswer = Callable[[HotRequest], Awaitable[Response]]


class Meter:
    """The metrics and traces of one operation of one side."""

    def __init__(self, operation: Operation, side: str, measures: Measures) -> None:
        self._measures = measures
        self._side = side
        self._name = operation.name
        self._facts = {"http.request.method": operation.method, "http.route": operation.path}

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        return self._measures.clock

    @property
    def tracer(self) -> Tracer | None:
        """Return the tracer, or None without traces."""
        return self._measures.tracer

    def note(self, response: Response, started_s: float) -> None:
        """Count a request that was answered."""
        measures, name = self._measures, self._name
        metrics = measures.metrics
        metrics.observe("croupier_request_seconds", measures.clock.monotonic_s() - started_s, self._side, name)
        metrics.count("croupier_requests_total", self._side, name, f"{response.status_code}")

    async def measured(self, answering: Awaitable[Response], started_s: float, headers: RawHeaders) -> Response:
        """Await the answer, within a span if there are traces, and count it."""
        tracer = self.tracer
        if tracer is None:
            response = await answering
        else:
            name = f"{self._side} {self._name}"
            with tracer.request(name, headers, started_s=started_s, attributes=self._facts) as span:
                response = await answering
                span.attributes["http.response.status_code"] = response.status_code
                span.failed = response.status_code >= 500
        self.note(response, started_s)
        return response


class HotRoute(Route):
    """A route of the payment path. A server that has the whole request awaits `answer`, and the framework its endpoint."""

    def __init__(self, operation: Operation, answer: HotAnswer, meter: Meter) -> None:
        async def endpoint(request: Request) -> Response:
            hot = HotRequest.of(request, meter.clock)
            return await meter.measured(answer(hot), hot.arrived_s, hot.headers)

        super().__init__(operation.path, endpoint, methods=[operation.method])
        self.answer = answer
        """It measures nothing: that is for the meter."""
        self.meter = meter


def measured_routes(
    operations: Iterable[Operation], answer_to: AnswerTo, *, side: str, measures: Measures
) -> list[Route]:
    """Return a route for each of these operations of one side of the hub."""

    def route(operation: Operation) -> Route:
        meter = Meter(operation, side, measures)

        async def endpoint(request: Request) -> Response:
            started_s = arrived_s(request, measures.clock)
            return await meter.measured(answer_to(operation, request), started_s, request.scope["headers"])

        return Route(operation.path, endpoint, methods=[operation.method])

    return [route(operation) for operation in operations]


def hot_routes(
    operations: Iterable[Operation], answer_of: Callable[[Operation], HotAnswer], *, side: str, measures: Measures
) -> list[HotRoute]:
    """Return a route of the payment path for each of these operations; `answer_of` is asked once for each."""
    return [HotRoute(operation, answer_of(operation), Meter(operation, side, measures)) for operation in operations]
