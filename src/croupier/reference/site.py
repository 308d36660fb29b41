"""All pages of the reference by their paths, made once per process of the two documents and the Markdown files.

Owns: which pages there are, and their order in the navigation. Never: a request.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from croupier.kit.etags import tag_of
from croupier.reference import socket_page
from croupier.reference.layout import Frame, NavGroup, NavLink, method_tag, section
from croupier.reference.markdown import Document, document
from croupier.reference.markup import Html, element, joined, with_code
from croupier.reference.operation_page import OperationEntry, OperationPage, operations

HERE: Final = Path(__file__).parent
ROOT: Final = "/docs"
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_FRESH: Final = "public, max-age=0, must-revalidate"
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_GUIDES: Final = ("getting_started", "casino", "casino_api", "webframe", "feed", "provider", "draws")
"""The order of reading; a guide that is not named follows them."""
_TITLES: Final = {
    "casinos": "Casinos: payments",
    "casino-api": "Casino API",
    "feed": "Live feed",
    "providers": "Providers",
    "operations": "Operation of the hub",
}
"""Halves in the order of the navigation, with their titles; another half follows them under its own name."""


@dataclass(frozen=True, slots=True)
class ServedPage:
    """One page or file as it is served."""

    body: bytes
    media_type: str
    cached: str
    """The value of Cache-Control."""
    tag: str


@dataclass(frozen=True)
class Site:
    """The two documents, the design's tokens as CSS, and whether pages may call the hub."""

    openapi: Mapping[str, Any]
    asyncapi: Mapping[str, Any]
    tokens: str
    trying: bool

    def pages(self) -> dict[str, ServedPage]:
        """Return every page and file by its path."""
        made = {path: _page(body) for path, body in self._bodies()}
        for name, body in self._file_bodies.items():
            made[f"{self._files}/{name}"] = ServedPage(body, _TYPES[Path(name).suffix], _IMMUTABLE, tag_of(body))
        return made

    @cached_property
    def frame(self) -> Frame:
        """What all pages share."""
        version = str(self.openapi["info"]["version"])
        return Frame(version, self._files, list(self._groups()), self.trying)

    @cached_property
    def operations(self) -> dict[str, list[OperationEntry]]:
        """The operations of each half, in the order of the navigation."""
        found: dict[str, list[OperationEntry]] = {name: [] for name in _TITLES}
        for entry in operations(self.openapi):
            found.setdefault(entry.group, []).append(entry)
        return found

    @cached_property
    def _file_bodies(self) -> dict[str, bytes]:
        found = {path.name: path.read_bytes() for path in sorted((HERE / "files").iterdir()) if path.suffix in _TYPES}
        return {**found, "docs.css": self.tokens.encode() + found["docs.css"]}

    @cached_property
    def _files(self) -> str:
        """The path of the files. It names their contents, so that each may be cached for ever."""
        digest = hashlib.sha256(b"".join(name.encode() + b"\0" + body for name, body in self._file_bodies.items()))
        return f"{ROOT}/files/{digest.hexdigest()[:16]}"

    @cached_property
    def _documents(self) -> dict[str, Document]:
        """The Markdown files by their names from the root of the documents."""
        texts = markdown_files()
        leads = {name: page_of(name) for name in texts}
        return {name: document(text, name, leads.get) for name, text in texts.items()}

    def _groups(self) -> Iterator[NavGroup]:
        yield NavGroup("Guides", self._links("guides"))
        for name, entries in self.operations.items():
            paths = _short_paths([entry.path for entry in entries])
            links = [
                NavLink(entry.address, path, entry.method, f"{entry.title} {entry.path}")
                for path, entry in zip(paths, entries, strict=True)
            ]
            if name == "feed":
                links.append(NavLink(socket_page.ADDRESS, "socket", "WS", "signalr websocket asyncapi"))
            yield NavGroup(_TITLES.get(name, name), links)
        yield NavGroup("Protocols", self._links("protocols"))
        yield NavGroup("The contract", self._links("contract"))

    def _links(self, folder: str) -> list[NavLink]:
        return [
            NavLink(page_of(name), _short(one.title))
            for name, one in self._documents.items()
            if name.startswith(f"{folder}/")
        ]

    def _bodies(self) -> Iterator[tuple[str, bytes]]:
        yield ROOT, self.frame.page(ROOT, "Documentation", *self._index(), wide=True)
        for name, one in self._documents.items():
            here = [element("li", element("a", words, href=f"#{anchor}")) for anchor, words in one.headings]
            title = element("p", "On this page", class_="quiet")
            inside = element("nav", title, element("ul", *here), class_="inside", aria_label="On this page")
            head, rest = _after_title(one.body)
            parts = [head, inside, rest] if len(here) > 2 else [one.body]
            path = page_of(name)
            yield path, self.frame.page(path, one.title, element("article", *parts))
        pages = {name: page_of(name) for name in self._documents}
        for entries in self.operations.values():
            for entry in entries:
                parts = OperationPage(entry, self.openapi, pages).contents(trying=self.trying)
                yield entry.address, self.frame.page(entry.address, entry.title, *parts, wide=True)
        socket = socket_page.contents(self.asyncapi)
        yield socket_page.ADDRESS, self.frame.page(socket_page.ADDRESS, socket_page.TITLE, *socket)

    def _index(self) -> list[Html]:
        cards = [
            element(
                "li",
                element("a", one.title, href=page_of(name)),
                element("p", one.first.partition(". ")[0].rstrip(".") + ".", class_="quiet"),
            )
            for name, one in self._documents.items()
            if name.startswith("guides/")
        ]
        parts = [
            element("header", element("h1", "Croupier documentation"), element("p", *_lead(self.openapi))),
            section("Guides", "guides", element("ul", *cards, class_="cards")),
        ]
        means = {str(tag["name"]): str(tag["description"]) for tag in self.openapi["tags"]}
        for name, entries in self.operations.items():
            rows = [_operation_row(NavLink(entry.address, entry.title, entry.method, entry.path)) for entry in entries]
            if name == "feed":
                path = next(iter(self.asyncapi["channels"].values()))["address"]
                rows.append(_operation_row(NavLink(socket_page.ADDRESS, socket_page.TITLE, "WS", path)))
            about = element("p", with_code(means.get(name, "")))
            parts.append(section(_TITLES.get(name, name), name, about, element("ul", *rows, class_="operations")))
        return parts


def markdown_files() -> dict[str, str]:
    """Return the Markdown files by their names from the root of the documents: guides in the order of reading first."""
    paths = sorted((HERE / "pages").glob("*/*.md"))
    names = {path.relative_to(HERE / "pages").as_posix(): path for path in paths}

    def place(name: str) -> tuple[int, str]:
        stem = Path(name).stem
        known = name.startswith("guides/") and stem in _GUIDES
        return (_GUIDES.index(stem) if known else 0 if stem == "README" else len(_GUIDES), name)

    return {name: names[name].read_text("utf-8") for name in sorted(names, key=place)}


def page_of(name: str) -> str:
    """Return the path of the page of a Markdown file."""
    return f"{ROOT}/{name.removesuffix('.md').removesuffix('/README')}"


def _page(body: bytes) -> ServedPage:
    return ServedPage(body, "text/html; charset=utf-8", _FRESH, tag_of(body))


def _lead(openapi: Mapping[str, Any]) -> list[str]:
    link = element("a", "OpenAPI document", href="/openapi.json")
    return [str(openapi["info"]["description"]), Html(" The same as a file: the "), link, Html(".")]


def _short(title: str) -> str:
    return title.partition(":")[0]


def _short_paths(paths: Sequence[str]) -> list[str]:
    """Return the paths without what all of them begin with, and long ones by their end."""
    parts = [path.split("/") for path in paths]
    shared = posixpath.commonpath(paths).strip("/") if len(paths) > 1 else ""
    same = 1 + len(shared.split("/")) if shared else 1
    shown = [one[same:] for one in parts]
    return ["/".join(one if len(one) < 4 else ["…", *one[-2:]]) for one in shown]


def _operation_row(link: NavLink) -> Html:
    anchor = element("a", method_tag(link.tag), element("code", link.hint), href=link.path)
    return element("li", anchor, element("span", link.label))


def _after_title(body: Html) -> tuple[Html, Html]:
    """Return the title of a rendered file, and the rest."""
    head, end, rest = body.partition("</h1>\n")
    return (Html(head + end), Html(rest)) if end else (Html(""), joined([body]))
