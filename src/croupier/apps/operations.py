"""The operational pages of the hub, the OpenAPI document of everything that it serves, and the AsyncAPI
document of its socket.

Owns: those pages as operations, and the parts of the document. Never: the operations of a protocol (its own folder), or
the work of a page (hub_app). Spec: operate.md 6.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from msgspec import Meta

from croupier import __version__, casinos, providers
from croupier.casino_api.operations import CASINO_API
from croupier.feed.rest.operations import FEED
from croupier.feed.socket_operations import LIVE_FEED
from croupier.kit.asyncapi import document as asyncapi_document
from croupier.kit.field_words import FieldWords
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
    """The reason why this worker should get no traffic."""

    ready: Literal[False]
    why: str


class Version(TypedDict):
    """The name and version of the program."""

    name: Literal["croupier"]
    version: str


class NotFound(TypedDict):
    """The page does not exist."""

    error: str
    path: NotRequired[str]


_WORDS: Final = {
    "alive": FieldWords("The process answers.", example=True),
    "breakers_open": FieldWords("Numbers of the casinos whose circuit breaker is open.", [2201]),
    "ready": FieldWords("Whether this worker should get traffic.", example=True),
    "NotReady.ready": FieldWords("Whether this worker should get traffic.", example=False),
    "recovering": FieldWords("Whether recovery mode is on.", example=False),
    "why": FieldWords("Why not.", "shutting down"),
    "name": FieldWords("The program.", "croupier"),
    "version": FieldWords("Its version.", __version__),
}


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
            AnswerSpec(503, "It should not.", NotReady, do="Send requests to another worker, and look at `why`."),
        ),
        _page(
            "/metrics",
            "Numbers of all workers of this hub together.",
            AnswerSpec(200, "All of them.", Text, media="text/plain"),
        ),
        _page("/version", "Name and version.", AnswerSpec(200, "Both.", Version)),
        _page("/openapi.json", "This document.", AnswerSpec(200, "What the hub serves.", Page)),
    ),
    caller="Whoever runs the hub.",
    words=_WORDS,
)
"""The operations that belong to neither half."""


def all_operations() -> tuple[Operation, ...]:
    """Return every operation of the hub."""
    return tuple(operation for half in _halves() for operation in half.operations)


def openapi() -> Schema:
    """Return the OpenAPI 3.1 document of everything that this version of the hub serves."""
    means = (
        "The hub between casinos and game providers. Amounts are decimal text in major units, never a binary float. "
        "A body is JSON in UTF-8 of at most 64 KB and 32 levels; a key that occurs twice, NUL, half a surrogate pair "
        "and numbers of more than 64 characters are refused, unknown fields are ignored. 99 with 503 and 504 is the "
        "only way in which a call of a provider is put off."
    )
    return document(_halves(), title="croupier", version=__version__, means=means)


def asyncapi() -> Schema:
    """Return the AsyncAPI 3.0 document of the live feed's socket."""
    means = (
        "The live feed of the hub between casinos and game providers: snapshots of the draws of a game type, every 500 ms and at once "
        "on a change. The protocol is ASP.NET Core SignalR's, so that its official clients work unchanged."
    )
    return asyncapi_document(LIVE_FEED, title="croupier live feed", version=__version__, means=means)


def _halves() -> list[Half]:
    of_casinos = [protocol.serves for protocol in casinos.PROTOCOLS.values()]
    return [OWN, *of_casinos, FEED, CASINO_API, *(protocol.serves for protocol in providers.PROTOCOLS.values())]
