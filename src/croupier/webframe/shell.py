"""The frame's document: an empty page with the words, the settings and the policy that holds it in place.

Owns: the HTML and its headers. Never: a token, or a text from outside that is not escaped. Spec: webframe.md 2.3.

Only pages of the casino's origins may embed the document. Its scripts, styles and calls are the hub's own. The one thing that
comes from elsewhere is the provider's page in the inner frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from croupier.core.counterparty import Casino
from croupier.webframe.page_files import catalogue, direction_of, page_root

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; object-src 'none'"
)
HEADERS: Final = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}


def headers(origins: Sequence[str], *, plain_http: bool) -> dict[str, str]:
    """Return the headers of a document that these origins may embed. `plain_http`: providers without TLS are allowed."""
    ancestors = " ".join(origins) or "'none'"
    frames = "https: http:" if plain_http else "https:"
    policy = f"{POLICY}; frame-src {frames}; frame-ancestors {ancestors}"
    return {**HEADERS, "Content-Security-Policy": policy}


def document(casino: Casino | None, language: str) -> str:
    """Return the document for a casino; None is an unknown one, whose document says so."""
    words = catalogue(language)
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{escape("Games" if casino is None else casino.name)}</title>'
        f'<link rel="stylesheet" href="{page_root()}/style.css">'
    )
    body = _unknown(words) if casino is None else _frame(casino, language, words)
    return f'<!doctype html>\n<html lang="{language}" dir="{direction_of(language)}">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def _unknown(words: Mapping[str, str]) -> str:
    title, text = escape(words["error.title"]), escape(words["error.unknown_casino"])
    return f'<main id="main"><section class="problem" role="alert"><h1>{title}</h1><p>{text}</p></section></main>'


def _frame(casino: Casino, language: str, words: Mapping[str, str]) -> str:
    told = {
        "clientId": casino.casino_id,
        "casino": casino.name,
        "origins": list(casino.origins),
        "language": language,
        "words": words,
    }
    return (
        f'<main id="main" tabindex="-1" aria-busy="true"></main>'
        f'<div id="announcer" class="sr" role="status" aria-live="polite"></div>'
        f"<noscript>{escape(words['noscript'])}</noscript>"
        f'<script type="application/json" id="config">{_in_script(told)}</script>'
        f'<script type="module" src="{page_root()}/app.js"></script>'
    )


def _in_script(told: object) -> str:
    """Return JSON that cannot end the element around it."""
    text = json.dumps(told, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
