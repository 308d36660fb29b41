"""The guides and the contract as HTML. A Markdown library parses them; raw HTML in them is shown as text.

Owns: where relative links lead, anchors of headings, code in several languages as tabs, and coloured code. Never: a text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from croupier.reference.markup import Html, element, joined, void

_NAMES: Final = {"bash": "curl", "js": "JavaScript", "javascript": "JavaScript", "python": "Python", "php": "PHP"}
"""Languages of which blocks one after the other show the same thing, with the names of their tabs."""
_NUMBER: Final = re.compile(r"([0-9]+(?:\.[0-9]+)*)\.?\s")
_FORMAT: Final[HtmlFormatter[str]] = HtmlFormatter(nowrap=True)

Lead = Callable[[str], str | None]
"""The address of the page of a file, named from the root of the documents; None: it is not served."""


@dataclass(frozen=True, slots=True)
class Document:
    """One rendered file."""

    title: str
    first: str
    """Its first paragraph, as plain text."""
    body: Html
    headings: Sequence[tuple[str, str]]
    """Anchor and text of each heading of the second level."""


def document(text: str, name: str, lead: Lead) -> Document:
    """Render a file. `name` is its path from the root of the documents, from which its links lead."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    headings = _anchor(tokens)
    _link(tokens, name, lead)
    _set_rules(parser)
    body = Html(parser.renderer.render(_with_tabs(tokens, name), parser.options, {}))
    title = next((words for level, _, words in headings if level == "h1"), name)
    first = next((_plain(tokens[at + 1]) for at, token in enumerate(tokens) if token.type == "paragraph_open"), "")
    return Document(title, first, body, [(anchor, words) for level, anchor, words in headings if level == "h2"])


def code(text: str, language: str) -> Html:
    """Return code with a colour for each kind of word."""
    try:
        lexer = get_lexer_by_name(language, startinline=True) if language == "php" else get_lexer_by_name(language)
    except ClassNotFound:
        return element("pre", element("code", text), tabindex="0")
    return element("pre", element("code", Html(highlight(text, lexer, _FORMAT))), tabindex="0")


def tabs(name: str, blocks: Mapping[str, Html]) -> Html:
    """Return blocks of which one is shown, chosen by radio buttons: no script is needed. `name` is unique on the page."""
    parts: list[Html] = []
    for number, label in enumerate(blocks):
        key = f"{name}-{number}"
        parts.append(void("input", type="radio", name=name, id=key, checked=number == 0))
        parts.append(element("label", label, for_=key))
    return element(
        "div", *parts, *blocks.values(), class_="tabs", role="group", aria_label="The same in several languages"
    )


def anchor_of(words: str, taken: set[str]) -> str:
    """Return the anchor of a heading: its number if it begins with one, otherwise its words."""
    numbered = _NUMBER.match(words)
    wanted = numbered[1] if numbered else re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "part"
    found, count = wanted, 1
    while found in taken:
        count += 1
        found = f"{wanted}-{count}"
    taken.add(found)
    return found


def _plain(inline: Token) -> str:
    """Return inline contents without their markup."""
    parts = inline.children or ()
    return "".join(" " if part.type == "softbreak" else part.content for part in parts)


def _anchor(tokens: Sequence[Token]) -> list[tuple[str, str, str]]:
    """Give each heading an anchor; return level, anchor and words of all."""
    taken: set[str] = {"main", "contents"}
    found = []
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            words = _plain(tokens[at + 1])
            anchor = anchor_of(words, taken)
            token.attrSet("id", anchor)
            found.append((token.tag, anchor, words))
    return found


def _link(tokens: Sequence[Token], name: str, lead: Lead) -> None:
    """Point links between files at their pages. A link to a file that is not served becomes plain text."""
    for token in tokens:
        unlinked = False
        for part in token.children or ():
            if part.type == "link_open":
                address = _address(str(part.attrGet("href")), name, lead)
                unlinked = address is None
                if address is not None:
                    part.attrSet("href", address)
            if unlinked and part.type in ("link_open", "link_close"):
                unlinked = part.type == "link_open"
                part.type, part.tag, part.nesting, part.content, part.attrs = "text", "", 0, "", {}


def _address(href: str, name: str, lead: Lead) -> str | None:
    if re.match(r"[a-z]+:|#", href):
        return href
    path, hash_sign, anchor = href.partition("#")
    page = lead(posixpath.normpath(posixpath.join(posixpath.dirname(name), path)))
    return None if page is None else page + hash_sign + anchor


def _with_tabs(tokens: Sequence[Token], name: str) -> list[Token]:
    """Put fences of several languages that follow each other into one set of tabs."""
    told: list[Token] = []
    at = 0
    while at < len(tokens):
        count = 0
        while at + count < len(tokens) and _tabbed(tokens[at + count], tokens[at : at + count]):
            count += 1
        if count < 2:
            told.append(tokens[at])
            at += 1
            continue
        fences = tokens[at : at + count]
        blocks = {_NAMES[one.info.strip()]: code(one.content, one.info.strip()) for one in fences}
        group = Token("html_block", "", 0)
        group.content = tabs(f"{re.sub('[^a-z]', '-', name)}{at}", blocks) + "\n"
        told.append(group)
        at += count
    return told


def _tabbed(token: Token, before: Sequence[Token]) -> bool:
    """Return whether a fence goes on with the tabs of those before it."""
    language = token.info.strip()
    return token.type == "fence" and language in _NAMES and all(one.info.strip() != language for one in before)


def _set_rules(parser: MarkdownIt) -> None:
    def fence(_: Any, tokens: Sequence[Token], at: int, *__: object) -> str:  # noqa: ANN401 - the library's
        return code(tokens[at].content, tokens[at].info.strip()) + "\n"

    def plain_block(_: Any, tokens: Sequence[Token], at: int, *__: object) -> str:  # noqa: ANN401 - the library's
        return element("pre", element("code", tokens[at].content), tabindex="0") + "\n"

    def table_open(*_: object) -> str:
        return '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n'

    def table_close(*_: object) -> str:
        return "</table></div>\n"

    def heading_close(_: Any, tokens: Sequence[Token], at: int, *__: object) -> str:  # noqa: ANN401 - the library's
        level = tokens[at].tag
        opened = next(one for one in reversed(tokens[:at]) if one.type == "heading_open")
        link = element("a", "#", class_="anchor", href=f"#{opened.attrGet('id')}", aria_label="Link to this section")
        return f"{joined([Html(' '), link])}</{level}>\n" if level != "h1" else f"</{level}>\n"

    for name, rule in (
        ("fence", fence),
        ("code_block", plain_block),
        ("table_open", table_open),
        ("table_close", table_close),
        ("heading_close", heading_close),
    ):
        parser.add_render_rule(name, rule)
