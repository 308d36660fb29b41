"""The hub as one ASGI app: both halves, health, metrics. One port serves all APIs.

Owns: the route table, and the response to an unknown path, in the style of the half that it belongs to.
Spec: operate.md 6, provider.md 2, casino.md 1.
"""

from __future__ import annotations

import contextlib
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from croupier import __version__, casinos, providers
from croupier.admin_api import routes as admin_api_routes
from croupier.admin_api.command import ROOT as ADMIN_API_ROOT
from croupier.admin_api.door import Door as AdminDoor
from croupier.apps.casino_api import make_door
from croupier.apps.feed import feed_tokens, make_connections
from croupier.apps.gauges import put_gauges
from croupier.apps.hot_routes import HubApp
from croupier.apps.operations import OWN, openapi
from croupier.apps.reference import reference_routes
from croupier.casino_api import routes as casino_api_routes
from croupier.casino_api.door import ROOT as CASINO_API_ROOT
from croupier.feed import sockets
from croupier.feed.connections import Connections
from croupier.feed.rest import messages as feed_messages
from croupier.feed.rest import routes as feed_routes
from croupier.flows.hub import Hub
from croupier.kit.config import Settings
from croupier.kit.log import suppressed_lines
from croupier.kit.measured_routes import HotRoute
from croupier.store.db import DbError
from croupier.webframe.routes import FrameSide

STUCK_S = 1.0
"""The age at which a decision that waits for a group commit counts as stuck."""


def hub_app(hub: Hub, settings: Settings, connections: Connections | None = None) -> HubApp:
    """Return the app of one process. `connections` are the clients of the feed; by default the app makes its own."""
    hot: list[HotRoute] = []
    for casino_protocol in casinos.PROTOCOLS.values():
        hot += casino_protocol.routes(hub, settings.issuer)
    for provider_protocol in providers.PROTOCOLS.values():
        hot += provider_protocol.routes(hub)
    tokens = feed_tokens(hub, settings)
    routes: list[BaseRoute] = [*_own_routes(hub, settings), *hot, *feed_routes.routes(hub, tokens)]
    routes += casino_api_routes.routes(make_door(hub, settings))
    routes += admin_api_routes.routes(AdminDoor(hub, settings))
    if connections is None:
        connections = make_connections(hub, settings)
    routes += sockets.routes(connections, tokens)
    routes += FrameSide(hub, plain_http=settings.allow_private_peers).routes()
    routes += reference_routes(hub, settings)
    handlers: Any = {HTTPException: _no_such_path}
    app = Starlette(routes=routes, exception_handlers=handlers)
    # A path with a trailing slash is an unknown path, not a redirect.
    app.router.redirect_slashes = False
    return HubApp(app, hot)


def _own_routes(hub: Hub, settings: Settings) -> list[Route]:
    async def livez(_: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_: Request) -> Response:
        why = await _not_ready(hub)
        if why is not None:
            return JSONResponse({"ready": False, "why": why}, 503)
        recovering = hub.state.recovery is not None
        return JSONResponse({"ready": True, "breakers_open": hub.admission.open_breakers(), "recovering": recovering})

    async def metrics(_: Request) -> Response:
        note_process(hub)
        with contextlib.suppress(DbError):
            hub.metrics.put("croupier_waiting_calls", await hub.store.calls.waiting())
            await _put_audit(hub)
            await put_gauges(hub, settings)
            for table, rows in (await hub.store.trail.behind()).items():
                hub.metrics.put("croupier_trail_waiting", rows, table)
        return Response(hub.metrics.render(), media_type="text/plain; version=0.0.4")

    async def version(_: Request) -> Response:
        return JSONResponse({"name": "croupier", "version": __version__})

    async def openapi_json(_: Request) -> Response:
        return JSONResponse(openapi())

    handles = {"livez": livez, "readyz": readyz, "metrics": metrics, "version": version, "openapi": openapi_json}
    return [Route(operation.path, handles[operation.name]) for operation in OWN.operations]


def note_process(hub: Hub) -> None:
    """Update the metrics that only this process knows. The beat calls it too, for scrapes that reach another worker."""
    hub.metrics.put("croupier_waiting_requests", len(hub.waiters))
    for event, lines in suppressed_lines().items():
        hub.metrics.count("croupier_log_held_back_total", event, by=lines)
    if hub.tracer is not None:
        for result, spans in hub.tracer.sink.take_counts().items():
            hub.metrics.count("croupier_spans_total", result, by=spans)


async def _not_ready(hub: Hub) -> str | None:
    """Return the reason why this worker should get no traffic, or None. It takes at most two seconds."""
    if hub.state.closing:
        return "shutting down"
    try:
        await hub.store.db.alive()
    except DbError as error:
        return f"database: {error}"
    if hub.database_health.unfit is not None:
        return f"database: {hub.database_health.unfit}"
    stuck_s = hub.group_commit.stuck_s()
    return f"commits have been stuck for {stuck_s:.1f} s" if stuck_s > STUCK_S else None


async def _put_audit(hub: Hub) -> None:
    """Publish the last results of the continuous auditor, whichever worker it ran in."""
    for result in await hub.store.audits.results():
        name = result.invariant
        hub.metrics.put("croupier_audit_holds", 0 if result.violations else 1, name)
        hub.metrics.put("croupier_audit_violations", result.violations, name)
        hub.metrics.put("croupier_audit_asked_seconds", result.at_ms / 1000, name)
        hub.metrics.put("croupier_audit_took_seconds", result.took_ms / 1000, name)
    whole_ms = (await hub.store.audits.progress()).whole_ms
    if whole_ms is not None:
        hub.metrics.put("croupier_audit_whole_seconds", whole_ms / 1000)


async def _no_such_path(request: Request, error: HTTPException) -> Response:
    protocols: list[Any] = [*casinos.PROTOCOLS.values(), *providers.PROTOCOLS.values()]
    for protocol in protocols:
        if request.url.path.split("/")[1] == protocol.root.split("/")[1]:
            answer: Response = protocol.not_found(error.status_code)
            return answer
    if request.url.path.split("/")[1] == feed_messages.ROOT.split("/")[1]:
        return feed_routes.not_found(error.status_code)
    if request.url.path.split("/")[1] == CASINO_API_ROOT.split("/")[1]:
        return casino_api_routes.not_found(error.status_code)
    if request.url.path.split("/")[1] == ADMIN_API_ROOT.split("/")[1]:
        return admin_api_routes.not_found(error.status_code)
    told = {"error": "not found", "path": request.url.path[:200], "see": "/openapi.json"}
    return JSONResponse(told, error.status_code)
