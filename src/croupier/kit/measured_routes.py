"""The routes of a side's operations, measured: how long each request took from its first byte, and what it was answered.

Owns: the two metrics of requests. Never: an answer, or what an operation does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Protocol, TypeVar

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
Asked = TypeVar("Asked", Request, HotRequest)
Measured = Callable[[Asked, float, RawHeaders], Awaitable[Response]]
"""`measured(request, started_s, headers)` answers."""


class HotRoute(Route):
    """A route of the payment path. A server that has the whole request calls `answer`, and the framework its endpoint."""

    def __init__(self, operation: Operation, answer: Measured[HotRequest], measures: Measures) -> None:
        async def endpoint(request: Request) -> Response:
            hot = HotRequest.of(request, measures.clock)
            return await answer(hot, hot.arrived_s, hot.headers)

        super().__init__(operation.path, endpoint, methods=[operation.method])
        self.answer = answer


def measured_routes(
    operations: Iterable[Operation], answer_to: AnswerTo, *, side: str, measures: Measures
) -> list[Route]:
    """Return a route for each of these operations of one side of the hub."""

    def route(operation: Operation) -> Route:
        answer = _measured(operation, partial(answer_to, operation), side=side, measures=measures)

        async def endpoint(request: Request) -> Response:
            return await answer(request, arrived_s(request, measures.clock), request.scope["headers"])

        return Route(operation.path, endpoint, methods=[operation.method])

    return [route(operation) for operation in operations]


def hot_routes(
    operations: Iterable[Operation], answer_of: Callable[[Operation], HotAnswer], *, side: str, measures: Measures
) -> list[HotRoute]:
    """Return a route of the payment path for each of these operations; `answer_of` is asked once for each."""
    return [
        HotRoute(operation, _measured(operation, answer_of(operation), side=side, measures=measures), measures)
        for operation in operations
    ]


def _measured(
    operation: Operation, answer: Callable[[Asked], Awaitable[Response]], *, side: str, measures: Measures
) -> Measured[Asked]:
    name = operation.name
    facts = {"http.request.method": operation.method, "http.route": operation.path}

    async def traced(tracer: Tracer, request: Asked, started_s: float, headers: RawHeaders) -> Response:
        with tracer.request(f"{side} {name}", headers, started_s=started_s, attributes=facts) as span:
            response = await answer(request)
            span.attributes["http.response.status_code"] = response.status_code
            span.failed = response.status_code >= 500
            return response

    async def measured(request: Asked, started_s: float, headers: RawHeaders) -> Response:
        tracer = measures.tracer
        if tracer is None:
            response = await answer(request)
        else:
            response = await traced(tracer, request, started_s, headers)
        metrics = measures.metrics
        metrics.observe("croupier_request_seconds", measures.clock.monotonic_s() - started_s, side, name)
        metrics.count("croupier_requests_total", side, name, f"{response.status_code}")
        return response

    return measured
