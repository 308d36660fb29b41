"""The routes of a side's operations, measured: how long each request took from its first byte, and what it was answered.

Owns: the two metrics of requests. Never: an answer, or what an operation does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from croupier.kit.clock import Clock
from croupier.kit.inbound import arrived_s
from croupier.kit.metrics import Metrics
from croupier.kit.openapi import Operation

AnswerTo = Callable[[Operation, Request], Awaitable[Response]]


def measured_routes(
    operations: Iterable[Operation], answer_to: AnswerTo, *, side: str, clock: Clock, metrics: Metrics
) -> list[Route]:
    """Return a route for each of these operations of one side of the hub."""

    def route(operation: Operation) -> Route:
        async def endpoint(request: Request) -> Response:
            started_s = arrived_s(request, clock)
            response = await answer_to(operation, request)
            metrics.observe("croupier_request_seconds", clock.monotonic_s() - started_s, side, operation.name)
            metrics.count("croupier_requests_total", side, operation.name, str(response.status_code))
            return response

        return Route(operation.path, endpoint, methods=[operation.method])

    return [route(operation) for operation in operations]
