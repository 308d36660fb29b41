"""What a JSON Schema of the OpenAPI document says, for readers: the rows of its fields, and an example of its value.

Owns: both. Never: the schemas, which are made of the code's records.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from croupier.kit.field_words import REFERENCE

Schema = Mapping[str, Any]

_DEEPEST: Final = 6
_PLAIN: Final[dict[str, object]] = {"string": "text", "integer": 1, "number": 1, "boolean": True, "null": None}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field: its path from the body, such as `games[].name`, and what a reader must know."""

    path: str
    type: str
    required: bool
    means: str
    example: str
    """JSON text; empty for a field that holds others."""


class Schemas:
    """The schemas of one document."""

    def __init__(self, components: Mapping[str, Schema]) -> None:
        self._components = components

    def flat(self, schema: Schema) -> dict[str, Any]:
        """Return a schema without `$ref` and `allOf` at its top."""
        told = dict(schema)
        if "$ref" in told:
            name = str(told.pop("$ref")).removeprefix(REFERENCE)
            told = {**self.flat(self._components[name]), **told}
        for part in told.pop("allOf", ()):
            told = _merged(told, self.flat(part))
        return told

    def variants(self, schema: Schema) -> list[dict[str, Any]]:
        """Return the alternatives of a body; one if there are none."""
        told = self.flat(schema)
        return [self.flat(one) for one in told["anyOf"]] if "anyOf" in told else [told]

    def rows(self, schema: Schema, prefix: str = "", depth: int = 0) -> Iterator[FieldRow]:
        """Yield the fields of an object or of a list's objects, each before those that it holds."""
        told = self._object_in(schema)
        must = told.get("required", ())
        for name, field in told.get("properties", {}).items():
            path = f"{prefix}{name}"
            inner = self._object_in(field)
            holds = "properties" in inner and depth < _DEEPEST
            example = "" if holds else json.dumps(self.example(field), ensure_ascii=False)
            means = str(self.flat(field).get("description", ""))
            yield FieldRow(path, self.type_of(field), name in must, means, example)
            if holds:
                listed = self._not_null(field).get("type") == "array"
                yield from self.rows(field, f"{path}{'[]' if listed else ''}.", depth + 1)

    def _object_in(self, schema: Schema) -> dict[str, Any]:
        told = self._not_null(schema)
        return self._object_in(told["items"]) if told.get("type") == "array" and told.get("items") else told

    def _not_null(self, schema: Schema) -> dict[str, Any]:
        """Return the schema without the alternative null."""
        told = self.flat(schema)
        options = [one for one in told.get("anyOf", ()) if one.get("type") != "null"]
        return {**self.flat(options[0]), **{k: v for k, v in told.items() if k != "anyOf"}} if options else told

    def type_of(self, schema: Schema) -> str:
        """Return the type in words, with its bounds."""
        told = self.flat(schema)
        if "anyOf" in told:
            return " or ".join(self.type_of(one) for one in told["anyOf"])
        if "enum" in told:
            return " or ".join(json.dumps(value) for value in told["enum"])
        if "prefixItems" in told:
            return f"list of {', '.join(map(self.type_of, told['prefixItems']))}"
        if told.get("type") == "array":
            inner = self.type_of(told["items"]) if told.get("items") else "any value"
            return f"list of {inner}" + (f", at most {told['maxItems']}" if "maxItems" in told else "")
        kinds = told.get("type", "any value")
        shown = kinds if isinstance(kinds, str) else " or ".join(kinds)
        return shown + _bounds(told)

    def example(self, schema: Schema, *, whole: bool = True, depth: int = 0) -> object:
        """Return a value that fits. With `whole` an object has all fields; without it only those that it must have."""
        told = self.flat(schema)
        if "enum" in told:
            wanted = told.get("examples", ())
            return next((one for one in wanted if one in told["enum"]), told["enum"][0])
        if "examples" in told:
            return told["examples"][0]
        told = self._not_null(told)
        if "properties" in told:
            return self._object(told, whole=whole, depth=depth)
        if "prefixItems" in told:
            return [self.example(one, whole=whole, depth=depth + 1) for one in told["prefixItems"]]
        if told.get("type") == "array":
            inner = told.get("items")
            return [self.example(inner, whole=whole, depth=depth + 1)] if inner else []
        kind = told.get("type", "object")
        return told.get("minimum") or _PLAIN.get(kind if isinstance(kind, str) else kind[0], {})

    def _object(self, told: Schema, *, whole: bool, depth: int) -> dict[str, object]:
        must = told.get("required", ())
        names = told["properties"] if (whole or not must) and depth < _DEEPEST else must
        properties = told["properties"]
        names = [name for name in names if not properties[name].get("x-errors-only") or name in must]
        return {name: self.example(properties[name], whole=whole, depth=depth + 1) for name in names}


def _merged(first: Schema, second: Schema) -> dict[str, Any]:
    """Return what both schemas say together; of a field that both describe, the words of the first and the values of the second."""
    told = {**first, **second}
    properties = dict(first.get("properties", {}))
    for name, schema in second.get("properties", {}).items():
        properties[name] = {**properties.get(name, {}), **schema}
    if properties:
        told["properties"] = properties
    told["required"] = list(dict.fromkeys([*first.get("required", ()), *second.get("required", ())]))
    return told


def _bounds(told: Schema) -> str:
    low, high = told.get("minimum"), told.get("maximum")
    if "maxLength" in told:
        return f", {told.get('minLength', 0)} to {told['maxLength']} characters"
    if low is not None and high is not None:
        return f", {low} to {high}"
    if high is not None:
        return f", at most {high}"
    return f", at least {low}" if low else ""
