"""Every id that a peer can name, for every operation of the hub: found in the OpenAPI document, which is the route table.

Owns: which ids there are, and what a cell of the matrix is. Never: what is expected of a cell (test_tenant_matrix).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from croupier.apps.operations import openapi
from tests.journeys.by_hand import Told
from tests.journeys.stage import Stage, Table

TOKEN = "(token)"
"""The id in a body that is one JWT and nothing else."""

Cell = tuple[str, str]
"""An operation and the name of an id in it."""


@dataclass
class Four:
    """What the hub says to one's own id, another tenant's, nobody's, and to what is no id."""

    own: Told
    foreign: Told
    missing: Told
    malformed: Told


@dataclass
class Ground:
    """Two tenants beside each other: two players at two casinos, with games of two studios."""

    stage: Stage
    mine: Table
    theirs: Table
    their_bet: str
    words: set[str] = field(default_factory=set)
    """What is theirs alone and may stand in no answer to me."""


Ask = Callable[[Ground], Awaitable[Four]]


def ids_of_the_hub(document: dict[str, Any] | None = None) -> set[Cell]:
    """Every cell that must be in the matrix: ids in paths, bodies and proofs of the document as it is now."""
    known = document or openapi()
    paths: dict[str, dict[str, Any]] = known["paths"]
    return {
        (operation["operationId"], name)
        for item in paths.values()
        for operation in item.values()
        for name in _ids(operation, known)
    }


def _ids(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    yield from (p["name"] for p in parameters if p.get("in") != "query" or _is_id(p["name"]))
    proofs = {scheme for proof in operation["security"] for scheme in proof}
    yield from (scheme for scheme in proofs if _is_id(scheme) or scheme == "bearer")
    body = operation.get("requestBody")
    if body is not None:
        yield from _ids_in(body["content"]["application/json"]["schema"], document)


def _ids_in(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for alternative in schema.get("anyOf", []):
        yield from _ids_in(alternative, document)
    if schema.get("type") == "string":
        yield TOKEN
    for name, inner in schema.get("properties", {}).items():
        if _is_id(name):
            yield name
        if "$ref" in inner or inner.get("type") == "object":
            yield from _ids_in(inner, document)


def _is_id(name: str) -> bool:
    return name.lower().endswith("id") or name.endswith("Ref")
