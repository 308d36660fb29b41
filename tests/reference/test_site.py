"""The pages of the reference: one for every operation and every guide, whole, linked, escaped, and with nothing from elsewhere."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from croupier.apps.operations import asyncapi, openapi
from croupier.reference.markdown import document
from croupier.reference.operation_page import OperationEntry, OperationPage, operations
from croupier.reference.samples import samples
from croupier.reference.schemas import Schemas
from croupier.reference.site import HERE, Site, markdown_files
from croupier.webframe.page_files import design_tokens

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = json.loads(json.dumps(openapi()))
SITE = Site(openapi(), asyncapi(), design_tokens(), trying=False)
PAGES = SITE.pages()
HTML = {path: page.body.decode() for path, page in PAGES.items() if page.media_type.startswith("text/html")}
ENTRIES = list(operations(DOCUMENT))
VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}
NO_ICON = "data:,"


class Reading(HTMLParser):
    """What a page has: its ids, addresses, and elements that were not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.fields: list[tuple[str, dict[str, str | None]]] = []
        self.labels: set[str] = set()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.ids += [str(told["id"])] if "id" in told else []
        self.links += [str(told["href"])] if tag == "a" else []
        address = str(told.get("src") or told.get("href"))
        self.loaded += [address] if tag in ("script", "link", "img", "iframe") and address != NO_ICON else []
        self.labels |= {str(told["for"])} if tag == "label" else set()
        if tag in ("input", "textarea"):
            self.fields.append((tag, told))
        if tag not in VOID:
            self.open.append(tag)
        if any(name.startswith("on") or name == "style" for name in told):
            self.wrong.append(f"{tag} {attrs}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")


READ = {path: Reading(page) for path, page in HTML.items()}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.method} {entry.path}")
def test_every_operation_has_a_page_of_its_own(entry: OperationEntry) -> None:
    page = HTML[entry.address]
    assert f"<code>{entry.path}</code>" in page
    assert sum(entry.address == other.address for other in ENTRIES) == 1
    for anchor in ("overview", "sample", "answers"):
        assert anchor in READ[entry.address].ids
    for status in entry.stated["responses"]:
        assert f">{status}</b>" in page
    assert {"curl", "Python", "JavaScript", "PHP"} == samples(OperationPage(entry, DOCUMENT, {}).sample_call()).keys()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.method} {entry.path}")
def test_it_says_who_calls_and_what_to_do_about_every_refusal(entry: OperationEntry) -> None:
    assert entry.stated["x-called-by"]
    silent = [s for s, said in entry.stated["responses"].items() if int(s) >= 400 and not said.get("x-what-to-do")]
    assert silent == []


def test_every_field_is_explained_and_has_an_example() -> None:
    schemas = Schemas(DOCUMENT["components"]["schemas"])
    for name, record in DOCUMENT["components"]["schemas"].items():
        for row in schemas.rows(record):
            assert row.means, f"{name}.{row.path}"
            assert row.example != '"text"', f"{name}.{row.path}"
    for entry in ENTRIES:
        for one in entry.stated.get("parameters", ()):
            assert one["schema"].get("description"), (entry.path, one["name"])
            assert schemas.example(one["schema"]) != "text", (entry.path, one["name"])


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.method} {entry.path}")
def test_the_examples_fit_their_schemas(entry: OperationEntry) -> None:
    schemas = Schemas(DOCUMENT["components"]["schemas"])

    def check(schema: dict[str, Any], value: object) -> None:
        judge = jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
        assert [str(error) for error in judge.iter_errors(value)] == []

    contents = [entry.stated.get("requestBody", {}), *entry.stated["responses"].values()]
    for one in (said for told in contents for said in told.get("content", {}).values()):
        for variant in schemas.variants(one["schema"]):
            for whole in (True, False):
                check(variant, schemas.example(variant, whole=whole))
    for one in entry.stated.get("parameters", ()):
        value = schemas.example(one["schema"])
        check(one["schema"], value)


def test_every_guide_and_page_of_the_contract_is_served() -> None:
    """The text lies in `docs`; the package holds links to it, so that an installed hub has it too."""
    wanted = {
        path.relative_to(ROOT / "docs").as_posix()
        for folder in ("guides", "contract", "protocols")
        for path in (ROOT / "docs" / folder).glob("*.md")
    }
    assert markdown_files().keys() == wanted
    for name in wanted:
        assert (HERE / "pages" / name).resolve() == ROOT / "docs" / name


def test_every_link_leads_to_a_page_and_an_anchor_that_is_there() -> None:
    known = {*HTML, "/openapi.json"}
    dead = []
    for path, page in READ.items():
        for link in page.links:
            to, _, anchor = link.partition("#")
            if link.startswith("http"):
                continue
            if (to or path) not in known or (anchor and anchor not in READ[to or path].ids):
                dead.append(f"{path} -> {link}")
    assert dead == []


def test_every_page_is_well_formed_and_loads_nothing_from_elsewhere() -> None:
    for path, page in READ.items():
        assert (page.wrong, page.open) == ([], []), path
        assert len(page.ids) == len(set(page.ids)), path
        assert all(address.startswith("/docs/files/") and address in PAGES for address in page.loaded), path
        assert [f for _, f in page.fields if f.get("id") not in page.labels] == [], path
    style = next(page.body.decode() for path, page in PAGES.items() if path.endswith(".css"))
    assert "url(" not in style
    assert "@import" not in style


def test_every_page_in_the_navigation_has_a_name() -> None:
    links = [link for group in SITE.frame.groups for link in group.links]
    assert {link.path for link in links} == HTML.keys() - {"/docs"}
    assert [link.path for link in links if not link.label] == []


@pytest.mark.slow
def test_only_a_sandbox_has_the_form() -> None:
    assert not any('class="try"' in page for page in HTML.values())
    assert "connect-src 'none'" in SITE.frame.headers["Content-Security-Policy"]
    sandbox = Site(openapi(), asyncapi(), design_tokens(), trying=True)
    pages = sandbox.pages()
    shown = {path for path, page in pages.items() if b'class="try"' in page.body}
    assert shown == {entry.address for entry in ENTRIES}
    assert "connect-src 'self'" in sandbox.frame.headers["Content-Security-Policy"]
    for path in shown:
        page = Reading(pages[path].body.decode())
        assert [f for _, f in page.fields if f.get("id") not in page.labels] == [], path


def test_the_policy_lets_nothing_in() -> None:
    policy = SITE.frame.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


NASTY = """# A <script>alert(1)</script> title

<img src=x onerror=alert(1)> and [a link](javascript:alert(1)) and `<b>` and [gone](../nowhere.md) and [there](webframe.md#x).

```html
<script>alert(1)</script>
```

| <i> |
| --- |
| " onclick="x |
"""


def test_what_a_text_says_is_text() -> None:
    told = document(NASTY, "guides/a.md", {"guides/webframe.md": "/docs/guides/webframe"}.get)
    body = str(told.body)
    assert "<script" not in body
    assert "<img" not in body
    assert "<i>" not in body
    assert 'href="javascript:' not in body
    assert 'href="/docs/guides/webframe#x"' in body
    assert "nowhere" not in body
    assert "gone" in body
    page = Reading(SITE.frame.page("/docs/x", told.title, told.body).decode())
    assert page.wrong == []
    assert "script" not in page.open


def test_every_message_of_the_socket_is_on_its_page() -> None:
    ids = READ["/docs/api/feed/socket"].ids
    assert set(asyncapi()["components"]["messages"]) <= set(ids)  # type: ignore[call-overload,index]


def test_numbered_sections_have_their_number_as_anchor() -> None:
    assert "3.2" in READ["/docs/contract/casino"].ids
    assert re.search(r'href="/docs/contract/casino#1\.3"', HTML["/docs/api/casinos/auth-token"])
