"""The sandbox casino as an ASGI app: the seven paths of the contract under any base path, the control API, and the site.

Owns: HTTP requests and responses. Never: the handling of a call (casino_endpoint).
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from croupier.kit.clock import Clock
from croupier.sandbox import rubbish, site
from croupier.sandbox.body_limit import BodyTooLong, bounded_body
from croupier.sandbox.bookings import RefusalCode
from croupier.sandbox.casino_control import CasinoControl
from croupier.sandbox.casino_endpoint import CasinoEndpoint
from croupier.sandbox.casino_reply import refused

MAX_BODY = 2**20


def build(endpoint: CasinoEndpoint, clock: Clock) -> Starlette:
    """Return the app of one casino."""

    async def contract_call(request: Request) -> Response:
        path = _contract_path(request.path_params["path"], endpoint.paths)
        if path is None:
            endpoint.journal.complain(f"unknown path {request.url.path[:100]!r}")
            return JSONResponse({"ErrorCode": RefusalCode.REQUEST_DATA, "Message": "No such path"}, 404)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            endpoint.journal.complain(f"{path}: the content type is not application/json")
        try:
            body = await bounded_body(request, MAX_BODY)
        except (BodyTooLong, ClientDisconnect):
            return rubbish.response(refused(RefusalCode.REQUEST_DATA, "Request data error: too long"), clock)
        return rubbish.response(await endpoint.handle(path, body), clock)

    pages = [*CasinoControl(endpoint).routes(), *site.routes(endpoint.hub)]
    return Starlette(routes=[*pages, Route("/{path:path}", contract_call, methods=["POST"])])


def _contract_path(path: str, known: list[str]) -> str | None:
    """Return the contract path at the end of this path, or None."""
    return next((name for name in known if path == name or path.endswith(f"/{name}")), None)
