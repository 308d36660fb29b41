"""The frame of every page: head, navigation, and the headers that hold it in place.

Owns: the HTML around a page's contents, and its policy. Never: contents, a cookie, anything from another origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from croupier.reference.markup import Html, element, joined, text, void


@dataclass(frozen=True, slots=True)
class NavLink:
    """One page in the navigation. `tag` is the method of an operation."""

    path: str
    label: str
    tag: str = ""
    hint: str = ""
    """Words by which the filter finds it besides its label."""


@dataclass(frozen=True, slots=True)
class NavGroup:
    """A heading of the navigation with its pages."""

    title: str
    links: Sequence[NavLink]


@dataclass(frozen=True, slots=True)
class Frame:
    """What all pages share."""

    version: str
    files: str
    """The path of the directory of the style and the script."""
    groups: Sequence[NavGroup]
    trying: bool
    """Whether pages may call the hub: only where all money is play money."""

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every page."""
        calls = "'self'" if self.trying else "'none'"
        policy = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {calls}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    def page(self, path: str, title: str, *contents: str, wide: bool = False) -> bytes:
        """Return a whole page."""
        head = joined([
            void("meta", charset="utf-8"),
            void("meta", name="viewport", content="width=device-width, initial-scale=1"),
            void("meta", name="color-scheme", content="dark light"),
            element("title", f"{title} · Croupier"),
            void("link", rel="icon", href="data:,"),
            void("link", rel="stylesheet", href=f"{self.files}/docs.css"),
            element("script", type="module", src=f"{self.files}/docs.js"),
        ])  # fmt: skip
        skip = element("a", "Skip to the contents", class_="skip", href="#main")
        main = element("main", *contents, id="main", tabindex="-1", class_="wide" if wide else "text")
        body = element("body", skip, self._top(path), element("div", main, self._navigation(path), class_="columns"))
        return f'<!doctype html>\n<html lang="en"><head>{head}</head>{body}</html>\n'.encode()

    def _top(self, path: str) -> Html:
        home = element(
            "a",
            element("b", "Croupier"),
            element("span", " documentation", class_="wide-only"),
            class_="home",
            href="/docs",
        )
        version = element("span", self.version, class_="quiet")
        contents = element("a", "Contents", class_="button narrow-only", href="#contents")
        return element("header", home, version, contents, class_="top", data_path=path)

    def _navigation(self, path: str) -> Html:
        label = element("label", "Find a page", for_="find", class_="sr")
        find = void("input", id="find", type="search", placeholder="Find a page", autocomplete="off", hidden=True)
        groups = [self._group(group, path) for group in self.groups]
        none = element("p", "No page has these words.", class_="quiet", id="none", hidden=True, role="status")
        return element("nav", label, find, *groups, none, id="contents", aria_label="Contents")

    def _group(self, group: NavGroup, path: str) -> Html:
        rows = []
        for link in group.links:
            tag = [method_tag(link.tag)] if link.tag else []
            here = "page" if link.path == path else None
            label = element("code", *_breaking(link.label)) if tag else element("span", link.label)
            anchor = element("a", *tag, label, href=link.path, aria_current=here)
            rows.append(element("li", anchor, data_words=f"{link.label} {link.hint}".lower()))
        return element("section", element("h2", group.title), element("ul", *rows))


def _breaking(path: str) -> list[Html]:
    """Return a path that may break after each slash."""
    parts = path.split("/")
    return [text(parts[0]), *(Html(f"/<wbr>{text(part)}") for part in parts[1:])]


def method_tag(method: str) -> Html:
    """Return the badge of a method."""
    return element("span", method, class_=f"method {method.lower()}")


def section(title: str, anchor: str, *contents: str) -> Html:
    """Return a part of a page with its heading and anchor."""
    link = element("a", "#", class_="anchor", href=f"#{anchor}", aria_label="Link to this section")
    return element("section", element("h2", text(title), Html(" "), link, id=anchor), *contents)
