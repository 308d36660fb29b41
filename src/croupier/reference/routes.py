"""The routes of the reference: pages out of memory, each with its entity tag.

Owns: HTTP requests and responses, and the rate for each address. Never: a call of the hub, a database, a cookie.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from croupier.kit.addresses import network_of
from croupier.kit.etags import is_current
from croupier.kit.inbound import address_of
from croupier.kit.token_buckets import TokenBuckets
from croupier.reference.site import ROOT, ServedPage

PER_ADDRESS_PER_S: Final = 20.0
"""Pages a second and address; many readers may share one."""
AT_ONCE: Final = 200.0


@dataclass(frozen=True, slots=True)
class Made:
    """All pages and files by their paths, and the headers of each."""

    pages: Mapping[str, ServedPage]
    headers: Mapping[str, str]


def routes(made: Callable[[], Awaitable[Made]], now_s: Callable[[], float]) -> list[Route]:
    """Return the routes. `made` is asked with each request, and makes what it returns once."""
    addresses = TokenBuckets(now_s, PER_ADDRESS_PER_S, AT_ONCE)

    async def answer(request: Request) -> Response:
        wait_s = addresses.wait_s(network_of(address_of(request)))
        if wait_s:
            return JSONResponse({"code": "too_many_requests"}, 429, headers={"Retry-After": str(wait_s)})
        site = await made()
        found = site.pages.get(request.url.path)
        if found is None:
            told = {"error": "not found", "path": request.url.path[:200], "see": ROOT}
            return JSONResponse(told, 404, headers=dict(site.headers))
        own = {**site.headers, "ETag": found.tag, "Cache-Control": found.cached}
        if is_current(request, found.tag):
            return Response(status_code=304, headers=own)
        return Response(found.body, headers=own, media_type=found.media_type)

    return [Route(ROOT, answer, methods=["GET"]), Route(f"{ROOT}/{{name:path}}", answer, methods=["GET"])]
