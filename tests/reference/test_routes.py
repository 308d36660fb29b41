"""The routes of the reference: entity tags, unknown pages, the rate of an address, and the switch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette

from croupier.apps.hub_app import hub_app
from croupier.kit.config import BadSettings, load
from croupier.reference.routes import AT_ONCE, Made, routes
from croupier.reference.site import ServedPage

PAGE = ServedPage(b"<!doctype html>", "text/html; charset=utf-8", "public, max-age=0, must-revalidate", '"1"')


@dataclass(frozen=True)
class Answer:
    """What the routes said."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One address that asks the routes of one page."""

    def __init__(self, now_s: list[float]) -> None:
        async def made() -> Made:
            return Made({"/docs": PAGE}, {"Content-Security-Policy": "default-src 'none'"})

        self._app = Starlette(routes=[*routes(made, lambda: now_s[0])])

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Make one request; an underscore in a header's name is a hyphen."""
        told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": told,
            "client": ("192.0.2.7", 1), "server": ("hub", 80), "scheme": "http", "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        read = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], read, b"".join(part.get("body", b"") for part in sent[1:]))


async def test_a_page_comes_with_its_policy_and_tag_and_is_not_sent_twice() -> None:
    site = Client([0.0])
    first = await site.ask("/docs")
    assert (first.status, first.body, first.headers["etag"]) == (200, PAGE.body, '"1"')
    assert first.headers["content-security-policy"] == "default-src 'none'"
    assert "set-cookie" not in first.headers
    again = await site.ask("/docs", if_none_match='"1"')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["content-security-policy"] == "default-src 'none'"
    assert (await site.ask("/docs", "HEAD")).status == 200
    assert (await site.ask("/docs", "POST")).status == 405


async def test_an_unknown_page_says_where_the_pages_are() -> None:
    answer = await Client([0.0]).ask("/docs/no/<script>")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body)["see"] == "/docs"
    assert answer.headers["content-security-policy"] == "default-src 'none'"


async def test_an_address_that_asks_too_often_waits() -> None:
    now_s = [0.0]
    site = Client(now_s)
    for _ in range(int(AT_ONCE)):
        assert (await site.ask("/docs")).status == 200
    late = await site.ask("/docs")
    assert late.status == 429
    assert int(late.headers["retry-after"]) >= 1
    now_s[0] += float(late.headers["retry-after"])
    assert (await site.ask("/docs")).status == 200


def test_a_setting_switches_it_off() -> None:
    nobody: Any = None

    def paths(**told: str) -> set[str]:
        return {getattr(route, "path", "") for route in hub_app(nobody, load(told)).routes}

    assert "/docs" in paths()
    assert not any(path.startswith("/docs") for path in paths(CROUPIER_DOCS="0"))


def test_the_form_is_refused_where_money_may_be_real() -> None:
    with pytest.raises(BadSettings, match="CROUPIER_DOCS_TRY is for sandboxes"):
        load({"CROUPIER_DOCS_TRY": "1"})
    assert load({"CROUPIER_DOCS_TRY": "1", "CROUPIER_ALLOW_PRIVATE_PEERS": "1"}).docs_try
