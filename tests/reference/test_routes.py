"""The routes of the reference: entity tags, unknown pages, the rate of an address, and the switch."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from croupier.apps.hub_app import hub_app
from croupier.kit.config import BadSettings, load
from croupier.reference.routes import AT_ONCE, Made, routes
from croupier.reference.site import ServedPage

PAGE = ServedPage(b"<!doctype html>", "text/html; charset=utf-8", "public, max-age=0, must-revalidate", '"1"')


def client(now_s: list[float]) -> TestClient:
    async def made() -> Made:
        return Made({"/docs": PAGE}, {"Content-Security-Policy": "default-src 'none'"})

    return TestClient(Starlette(routes=[*routes(made, lambda: now_s[0])]))


def test_a_page_comes_with_its_policy_and_tag_and_is_not_sent_twice() -> None:
    site = client([0.0])
    first = site.get("/docs")
    assert (first.status_code, first.content, first.headers["etag"]) == (200, PAGE.body, '"1"')
    assert first.headers["content-security-policy"] == "default-src 'none'"
    assert "set-cookie" not in first.headers
    again = site.get("/docs", headers={"If-None-Match": '"1"'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == "default-src 'none'"
    assert site.head("/docs").status_code == 200
    assert site.post("/docs").status_code == 405


def test_an_unknown_page_says_where_the_pages_are() -> None:
    answer = client([0.0]).get("/docs/no/<script>")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["see"] == "/docs"
    assert answer.headers["content-security-policy"] == "default-src 'none'"


def test_an_address_that_asks_too_often_waits() -> None:
    now_s = [0.0]
    site = client(now_s)
    for _ in range(int(AT_ONCE)):
        assert site.get("/docs").status_code == 200
    late = site.get("/docs")
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) >= 1
    now_s[0] += float(late.headers["retry-after"])
    assert site.get("/docs").status_code == 200


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
