"""The web site of the sandbox casino: a page of a pretend casino that logs a player in and embeds the frame of the hub.

Owns: three static files, and where the hub is. Never: real money; the page says that it is demo money.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from croupier.sandbox.hub_connection import HubConnection

HERE: Final = Path(__file__).parent
_FILES: Final = {"site.js": "text/javascript; charset=utf-8", "site.css": "text/css; charset=utf-8"}


def routes(hub: HubConnection) -> list[Route]:
    """Return the routes for the casino's app. The page is another origin than the hub."""

    async def page(_request: Request) -> Response:
        policy = (
            f"default-src 'none'; script-src 'self' {hub.hub_url}; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
            f"frame-src {hub.hub_url}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        return FileResponse(HERE / "index.html", headers=headers, media_type="text/html; charset=utf-8")

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _FILES:
            return JSONResponse({"problem": "no such file"}, 404)
        return FileResponse(HERE / name, headers={"Cache-Control": "no-store"}, media_type=_FILES[name])

    async def config(_request: Request) -> Response:
        return JSONResponse({"hubUrl": hub.hub_url, "clientId": hub.client_id})

    return [Route("/", page), Route("/site/config", config), Route("/site/{name}", file)]
