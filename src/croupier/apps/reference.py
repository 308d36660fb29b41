"""Builds the pages of the API reference out of the two documents and the frame's design.

Owns: which part gets which, and when they are made. Never: a page.
"""

from __future__ import annotations

import asyncio
from functools import cache

from starlette.routing import Route

from croupier.apps.operations import asyncapi, openapi
from croupier.flows.hub import Hub
from croupier.kit.config import Settings
from croupier.reference.routes import Made, routes
from croupier.reference.site import Site
from croupier.webframe.page_files import design_tokens


def reference_routes(hub: Hub, settings: Settings) -> list[Route]:
    """Return the routes of the reference; none if it is switched off.

    The first request makes all pages, in a thread: it takes a second, in which payments go on.
    """
    if not settings.docs:
        return []
    trying = settings.docs_try and settings.allow_private_peers
    making: list[asyncio.Future[Made]] = []

    async def made() -> Made:
        if not making:
            making.append(asyncio.ensure_future(asyncio.to_thread(_make, trying=trying)))
        return await asyncio.shield(making[0])

    def now_s() -> float:
        return hub.clock.monotonic_s()

    return routes(made, now_s)


@cache
def _make(*, trying: bool) -> Made:
    site = Site(openapi(), asyncapi(), design_tokens(), trying)
    return Made(site.pages(), site.frame.headers)
