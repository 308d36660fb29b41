"""Operations of the hub as data, one record per method and path, and the OpenAPI 3.1 document made of them.

Owns: the records and the format of the document. Never: a path, code or field of a protocol; these are defined beside
its routes. Format: OpenAPI Specification 3.1.0, whose schemas are JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from croupier.kit.field_words import REFERENCE, FieldWords, Words, explain, explained, references

Schema = dict[str, object]

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class AnswerSpec:
    """One answer: HTTP status, what it means, and the record in its body."""

    status: int
    means: str
    body: object
    """A type that msgspec can describe; None for an answer without a body."""
    only: Mapping[str, Sequence[object]] = field(default_factory=dict)
    """Fields of the body to their possible values with this status, if fewer than the record allows."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that always come with this answer, with their descriptions."""
    media: str = JSON
    do: str = ""
    """What the caller does about it; empty for a success."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    method: str
    path: str
    """The path of the route, with parameters in braces."""
    name: str
    summary: str
    contract: str
    """Its section of the contract."""
    answers: tuple[AnswerSpec, ...]
    bodies: tuple[object, ...] = ()
    """The possible types of the request's body; empty without a body."""
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    """The parameters of the path by name."""
    proofs: tuple[Sequence[str], ...] = ()
    """Alternative ways of authentication, each a list of schemes that are all needed; an empty list needs none."""
    query: Mapping[str, Schema] = field(default_factory=dict)
    """The parameters of the query by name; all are optional."""
    caller: str = ""
    """Who makes the call, if not the caller of the half."""


@dataclass(frozen=True, slots=True)
class Half:
    """One side of the hub: its operations, and the authentication schemes of its peers."""

    title: str
    means: str
    operations: tuple[Operation, ...]
    schemes: Mapping[str, Schema] = field(default_factory=dict)
    caller: str = ""
    """Who makes these calls."""
    words: Words = field(default_factory=dict[str, FieldWords])
    """What the fields mean that its records do not explain."""


def document(halves: Iterable[Half], *, title: str, version: str, means: str) -> Schema:
    """Return the whole document, ready to be written as JSON."""
    parts = list(halves)
    operations = [(half, operation) for half in parts for operation in half.operations]
    shapes = _Shapes([shape for _, operation in operations for shape in _shapes_of(operation)])
    paths: dict[str, Schema] = {}
    for half, operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(half, operation, shapes)
    for half in parts:
        explain(
            shapes.components, set(references([paths[o.path][o.method.lower()] for o in half.operations])), half.words
        )
    schemes = {name: scheme for half in parts for name, scheme in half.schemes.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": means},
        "tags": [{"name": half.title, "description": half.means} for half in parts],
        "paths": paths,
        "components": {"schemas": shapes.components, "securitySchemes": schemes},
    }


class _Shapes:
    """The schemas of all types together, so that a shared record is defined once."""

    def __init__(self, types: Sequence[object]) -> None:
        self._types = types
        self._schemas, self.components = msgspec.json.schema_components(types, ref_template=f"{REFERENCE}{{name}}")

    def of(self, shape: object) -> Schema:
        """Return the schema of one of the types."""
        return self._schemas[self._types.index(shape)]


def _shapes_of(operation: Operation) -> list[object]:
    return [*operation.bodies, *(said.body for said in operation.answers if said.body is not None)]


def _operation(half: Half, operation: Operation, shapes: _Shapes) -> Schema:
    stated: Schema = {
        "operationId": operation.name,
        "tags": [half.title],
        "summary": operation.summary,
        "description": f"Contract: {operation.contract}.",
        "x-called-by": operation.caller or half.caller,
        "security": [{scheme: [] for scheme in proof} for proof in operation.proofs],
        "responses": {str(said.status): _answer(said, shapes) for said in operation.answers},
    }
    parameters = [_parameter(name, schema, half.words) for name, schema in operation.parameters.items()]
    parameters += [
        {"name": name, "in": "query", "schema": explained(schema, half.words.get(name))}
        for name, schema in operation.query.items()
    ]
    if parameters:
        stated["parameters"] = parameters
    if operation.bodies:
        schemas = [shapes.of(body) for body in operation.bodies]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        stated["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return stated


def _parameter(name: str, schema: Schema, words: Words) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": explained(schema, words.get(name))}


def _answer(said: AnswerSpec, shapes: _Shapes) -> Schema:
    stated: Schema = {"description": said.means}
    if said.do:
        stated["x-what-to-do"] = said.do
    if said.body is not None:
        stated["content"] = {said.media: {"schema": _narrowed(said, shapes)}}
    if said.headers:
        stated["headers"] = {
            name: {"description": means, "required": True, "schema": {"type": "string"}}
            for name, means in said.headers.items()
        }
    return stated


def _narrowed(said: AnswerSpec, shapes: _Shapes) -> Schema:
    shape = shapes.of(said.body)
    if not said.only:
        return shape
    only = {name: {"enum": list(values)} for name, values in said.only.items()}
    return {"allOf": [shape, {"type": "object", "properties": only, "required": list(only)}]}
