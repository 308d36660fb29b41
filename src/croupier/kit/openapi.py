"""What the hub serves, as data: one record per method and path, and the OpenAPI 3.1 document made of all of them.

Owns: the records and the form of the document. Never: a path, a code or a field of any half: those stand beside the
routes of each protocol. Form: OpenAPI Specification 3.1.0, whose schemas are JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

Schema = dict[str, object]

JSON = "application/json"
_REFERENCE = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: HTTP status, what it means, and the record in its body."""

    status: int
    means: str
    body: object
    """A type that msgspec can describe."""
    only: Mapping[str, Sequence[object]] = field(default_factory=dict)
    """Field of the body to the values it can have beside this status, where the record alone says less."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header to what it says; it always comes with this answer."""
    media: str = JSON


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    method: str
    path: str
    """As the routes spell it, parameters in braces."""
    name: str
    summary: str
    contract: str
    """Where in the contract it comes from."""
    answers: tuple[Said, ...]
    bodies: tuple[object, ...] = ()
    """The types that the request's body can be of; none where there is no body."""
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    """The parameters of the path by name."""
    proofs: tuple[Sequence[str], ...] = ()
    """Ways to prove who asks, each a list of schemes that are all needed; an empty list is nobody in particular."""


@dataclass(frozen=True, slots=True)
class Half:
    """What one side of the hub serves: its operations, and the schemes by which its peers prove who they are."""

    title: str
    means: str
    operations: tuple[Operation, ...]
    schemes: Mapping[str, Schema] = field(default_factory=dict)


def document(halves: Iterable[Half], *, title: str, version: str, means: str) -> Schema:
    """The whole document, ready to be written as JSON."""
    parts = list(halves)
    operations = [(half, operation) for half in parts for operation in half.operations]
    shapes = _Shapes([shape for _, operation in operations for shape in _shapes_of(operation)])
    paths: dict[str, Schema] = {}
    for half, operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(half, operation, shapes)
    schemes = {name: scheme for half in parts for name, scheme in half.schemes.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": means},
        "tags": [{"name": half.title, "description": half.means} for half in parts],
        "paths": paths,
        "components": {"schemas": shapes.components, "securitySchemes": schemes},
    }


class _Shapes:
    """The schemas of all types at once, so that a record that several operations share is stated once."""

    def __init__(self, types: Sequence[object]) -> None:
        self._types = types
        self._schemas, self.components = msgspec.json.schema_components(types, ref_template=_REFERENCE)

    def of(self, shape: object) -> Schema:
        """The schema of one of the types."""
        return self._schemas[self._types.index(shape)]


def _shapes_of(operation: Operation) -> list[object]:
    return [*operation.bodies, *(said.body for said in operation.answers)]


def _operation(half: Half, operation: Operation, shapes: _Shapes) -> Schema:
    stated: Schema = {
        "operationId": operation.name,
        "tags": [half.title],
        "summary": operation.summary,
        "description": f"Contract: {operation.contract}.",
        "security": [{scheme: [] for scheme in proof} for proof in operation.proofs],
        "responses": {str(said.status): _answer(said, shapes) for said in operation.answers},
    }
    if operation.parameters:
        stated["parameters"] = [_parameter(name, schema) for name, schema in operation.parameters.items()]
    if operation.bodies:
        schemas = [shapes.of(body) for body in operation.bodies]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        stated["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return stated


def _parameter(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _answer(said: Said, shapes: _Shapes) -> Schema:
    stated: Schema = {"description": said.means, "content": {said.media: {"schema": _narrowed(said, shapes)}}}
    if said.headers:
        stated["headers"] = {
            name: {"description": means, "required": True, "schema": {"type": "string"}}
            for name, means in said.headers.items()
        }
    return stated


def _narrowed(said: Said, shapes: _Shapes) -> Schema:
    shape = shapes.of(said.body)
    if not said.only:
        return shape
    only = {name: {"enum": list(values)} for name, values in said.only.items()}
    return {"allOf": [shape, {"type": "object", "properties": only, "required": list(only)}]}
