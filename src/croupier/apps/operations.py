"""What the hub serves beside its two halves, and the OpenAPI document of all that it serves.

Owns: the operational pages as operations, and which halves the document is made of. Never: what a protocol serves,
which stands in its own folder, nor a page's work (hub_app). Spec: operate.md 6.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from msgspec import Meta

from croupier import __version__, casinos, providers
from croupier.kit.openapi import AnswerSpec, Half, Operation, Schema, document

Text = Annotated[str, Meta(description="Prometheus' text form.")]
Page = Annotated[dict[str, Any], Meta(description="This document.")]


class Alive(TypedDict):
    """The process answers."""

    alive: Literal[True]


class Ready(TypedDict):
    """The database answers and the worker is not stopping; casinos by number whose breaker is open."""

    ready: Literal[True]
    breakers_open: list[int]
    recovering: bool


class NotReady(TypedDict):
    """Why no traffic should come now."""

    ready: Literal[False]
    why: str


class Version(TypedDict):
    """Which program this is."""

    name: Literal["croupier"]
    version: str


class NotFound(TypedDict):
    """There is no such page."""

    error: str
    path: NotRequired[str]


def _page(path: str, summary: str, *answers: AnswerSpec) -> Operation:
    return Operation("GET", path, path.strip("/").partition(".")[0], summary, "operate.md 6", answers, proofs=((),))


OWN: Final = Half(
    "operations",
    "Pages for whoever runs the hub. A proxy in front of it lets none of them out.",
    (
        _page("/livez", "Whether the process answers.", AnswerSpec(200, "It does.", Alive)),
        _page(
            "/readyz",
            "Whether this worker should get traffic.",
            AnswerSpec(200, "It should.", Ready),
            AnswerSpec(503, "It should not.", NotReady),
        ),
        _page(
            "/metrics",
            "Numbers of all workers of this hub together.",
            AnswerSpec(200, "All of them.", Text, media="text/plain"),
        ),
        _page("/version", "Name and version.", AnswerSpec(200, "Both.", Version)),
        _page("/openapi.json", "This document.", AnswerSpec(200, "What the hub serves.", Page)),
    ),
)
"""Everything that is neither half's."""


def all_operations() -> tuple[Operation, ...]:
    """Every operation of the hub."""
    return tuple(operation for half in _halves() for operation in half.operations)


def openapi() -> Schema:
    """The OpenAPI 3.1 document of everything that this version of the hub serves."""
    means = (
        "The hub between casinos and game providers. Amounts are decimal text in major units, never a binary float. "
        "A body is JSON in UTF-8 of at most 64 KB and 32 levels; a key that occurs twice, NUL, half a surrogate pair "
        "and numbers of more than 64 characters are refused, unknown fields are ignored. 99 with 503 and 504 is the "
        "only way in which a call of a provider is put off."
    )
    return document(_halves(), title="croupier", version=__version__, means=means)


def _halves() -> list[Half]:
    of_casinos = [protocol.serves for protocol in casinos.PROTOCOLS.values()]
    return [OWN, *of_casinos, *(protocol.serves for protocol in providers.PROTOCOLS.values())]
