"""The routes of the payment path, found by their last segment and called without the framework's layers.

A request of a protocol's route passes no middleware and no search through the whole route table. Every other request, a
wrong method included, takes the framework's way and is answered as before.

Owns: the choice between the two ways. Never: an answer, or a limit (http_guard enforces these below both).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send


class HubApp:
    """The app of one process: the framework's app, with the hot routes before it."""

    def __init__(self, app: Starlette, hot: Iterable[Route]) -> None:
        self._app = app
        self._hot: dict[tuple[str, str], list[Route]] = {}
        for route in hot:
            for method in route.methods or ():
                if method != "HEAD":
                    self._hot.setdefault((method, route.path.rpartition("/")[2]), []).append(route)

    @property
    def routes(self) -> list[BaseRoute]:
        """Return all routes, hot or not."""
        return self._app.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or serve one WebSocket."""
        if scope["type"] == "http" and not scope.get("root_path"):
            path = scope["path"]
            for route in self._hot.get((scope["method"], path.rpartition("/")[2]), ()):
                found = route.path_regex.match(path)
                if found is not None:
                    scope["path_params"] = found.groupdict()
                    endpoint: Any = route.endpoint
                    response = await endpoint(Request(scope, receive, send))
                    await response(scope, receive, send)
                    return
        await self._app(scope, receive, send)
