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
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from croupier.kit.measured_routes import HotRoute


class HubApp:
    """The app of one process: the framework's app, with the hot routes before it."""

    def __init__(self, app: Starlette, hot: Iterable[HotRoute]) -> None:
        self._app = app
        self._hot: dict[tuple[str, str], list[HotRoute]] = {}
        for route in hot:
            for method in route.methods or ():
                if method != "HEAD":
                    self._hot.setdefault((method, route.path.rpartition("/")[2]), []).append(route)

    @property
    def routes(self) -> list[BaseRoute]:
        """Return all routes, hot or not."""
        return self._app.routes

    def find(self, method: str, path: str) -> tuple[HotRoute, dict[str, str]] | None:
        """Return the hot route of this request and the parameters in its path, or None."""
        for route in self._hot.get((method, path.rpartition("/")[2]), ()):
            found = route.path_regex.match(path)
            if found is not None:
                return route, found.groupdict()
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or serve one WebSocket."""
        if scope["type"] == "http" and not scope.get("root_path"):
            found = self.find(scope["method"], scope["path"])
            if found is not None:
                route, scope["path_params"] = found
                endpoint: Any = route.endpoint
                response = await endpoint(Request(scope, receive, send))
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)
