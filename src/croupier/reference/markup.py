"""HTML as text: elements whose contents and attributes are escaped.

Owns: the escaping. `Html` marks what is markup already; every other text is escaped where it enters an element.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(content: str) -> Html:
    """Return content as it is written in HTML."""
    return content if isinstance(content, Html) else Html(escape(content))


def joined(parts: Iterable[str]) -> Html:
    """Return the parts after each other."""
    return Html("".join(text(part) for part in parts))


def element(name: str, /, *content: str, **attributes: str | bool | None) -> Html:
    """Return an element. `class_` and `for_` lose their dash; true is an attribute without a value, None and false none."""
    head = name
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        shown = key.rstrip("_").replace("_", "-")
        head += f" {shown}" if value is True else f' {shown}="{escape(str(value))}"'
    return Html(f"<{head}>{joined(content)}</{name}>")


def void(name: str, /, **attributes: str | bool | None) -> Html:
    """Return an element without contents."""
    return Html(element(name, **attributes).removesuffix(f"</{name}>"))


def with_code(words: str) -> Html:
    """Return words whose parts between back quotes are code."""
    parts = words.split("`")
    return joined(element("code", part) if number % 2 else part for number, part in enumerate(parts))
