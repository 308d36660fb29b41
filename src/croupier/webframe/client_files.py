"""The embeddable client's files: each released version under a path that never changes, and the newest under a moving alias.

Owns: the forms of one source (ES module, script, types), their paths and integrity hashes. Never: a request. Spec: webframe.md 2.1.

The source is `client/VERSION/frame.mjs`. The script is the same text in a function, which sets `WebFrame` and `TvbetFrame` instead of
exporting them. A released version never changes, because pages name its integrity hash: `client/integrity.json` lists every hash,
and a test compares it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

CLIENT: Final = Path(__file__).parent / "client"
NEWEST: Final = "1.0.0"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
MOVING: Final = "public, max-age=300"
SCRIPT_TYPE: Final = "text/javascript; charset=utf-8"
_EXPORT: Final = re.compile(r"^export (?=class )", re.MULTILINE)
_ALIAS: Final = "export { WebFrame as TvbetFrame };\n"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served."""

    body: bytes
    media_type: str
    cached: str
    """The value of Cache-Control."""
    shared: bool = False
    """True if pages of every origin may load it."""

    @property
    def tag(self) -> str:
        """Return the entity tag."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


def integrity_of(body: bytes) -> str:
    """Return the value of an `integrity` attribute."""
    return f"sha384-{base64.b64encode(hashlib.sha384(body).digest()).decode('ascii')}"


@cache
def client_files() -> Mapping[str, StaticFile]:
    """Return every file of the client by its path."""
    return dict(_all_files())


def published() -> Mapping[str, Mapping[str, str]]:
    """Return path to integrity hash of the scripts of each version, as `/assets/frame.json` shows them."""
    return {version: dict(_hashes(version)) for version in versions()}


def versions() -> list[str]:
    """Return every released version, the oldest first."""
    return sorted((path.name for path in CLIENT.iterdir() if path.is_dir()), key=_numbers)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _hashes(version: str) -> Iterator[tuple[str, str]]:
    for name, body in _forms(version).items():
        if not name.endswith(".ts"):
            yield f"/assets/{version}/{name}", integrity_of(body)


def _all_files() -> Iterator[tuple[str, StaticFile]]:
    for version in versions():
        for name, body in _forms(version).items():
            yield f"/assets/{version}/{name}", StaticFile(body, _type_of(name), IMMUTABLE, shared=True)
    for name, body in _forms(NEWEST).items():
        yield f"/assets/{name}", StaticFile(body, _type_of(name), MOVING, shared=True)
    told = json.dumps({"version": NEWEST, "integrity": published()}, indent=1).encode()
    yield "/assets/frame.json", StaticFile(told, "application/json", MOVING, shared=True)


def _forms(version: str) -> dict[str, bytes]:
    source = (CLIENT / version / "frame.mjs").read_text("utf-8")
    types = (CLIENT / version / "frame.d.ts").read_bytes()
    return {"frame.js": _script(source).encode(), "frame.mjs": source.encode(), "frame.d.ts": types}


def _script(source: str) -> str:
    """Return the module as a script of its own scope."""
    assert source.endswith(_ALIAS), "the alias is the last line"
    inside = _EXPORT.sub("", source.removesuffix(_ALIAS))
    head, _, rest = inside.partition("\n")
    return f"{head}\n(() => {{\n{rest}\nObject.assign(globalThis, {{ WebFrame, TvbetFrame: WebFrame, WebFrameElement }});\n}})();\n"


def _type_of(name: str) -> str:
    return "text/plain; charset=utf-8" if name.endswith(".ts") else SCRIPT_TYPE
