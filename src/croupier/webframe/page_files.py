"""The files of the frame's own pages: modules, styles and words, under a path that names their contents.

Owns: their paths, and the catalogues of words. Never: a request. One digest stands for all files, because modules import each other by
relative paths; a changed file gives every path a new name, so that each may be cached for ever.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from croupier.webframe.client_files import IMMUTABLE, SCRIPT_TYPE, StaticFile

HERE: Final = Path(__file__).parent
LAST_RESORT: Final = "en"
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})
_TYPES: Final = {".js": SCRIPT_TYPE, ".css": "text/css; charset=utf-8"}


@cache
def page_files() -> Mapping[str, StaticFile]:
    """Return every file of the pages by its path."""
    root = page_root()
    return {
        f"{root}/{name}": StaticFile(body, _TYPES[Path(name).suffix], IMMUTABLE) for name, body in _bodies().items()
    }


@cache
def page_root() -> str:
    """Return the path of the directory, without a slash at its end."""
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + body for name, body in _bodies().items()))
    return f"/assets/page/{digest.hexdigest()[:16]}"


@cache
def design_tokens() -> str:
    """Return the part of the style that sets colours, type and space: other pages of the hub use it too."""
    style = (HERE / "page" / "style.css").read_text("utf-8")
    return style[style.index(":root {") : style.index("\n* {")]


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return the words of a language that `languages` has."""
    words: dict[str, str] = json.loads((HERE / "languages" / f"{language}.json").read_text("utf-8"))
    return words


@cache
def languages() -> frozenset[str]:
    """Return the languages with a catalogue."""
    return frozenset(path.stem for path in (HERE / "languages").glob("*.json"))


def language_of(tag: str) -> str:
    """Return the language for a BCP 47 tag: it loses its last part until a catalogue is found, and English is the last resort."""
    parts = tag.lower().replace("_", "-").split("-")
    found = ("-".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((one for one in found if one in languages()), LAST_RESORT)


def direction_of(language: str) -> str:
    """Return `rtl` for languages that are written from right to left."""
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def _bodies() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((HERE / "page").iterdir()) if path.suffix in _TYPES}
