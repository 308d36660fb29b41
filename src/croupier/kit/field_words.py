"""What the fields of an API mean, and an example of each: filled into an OpenAPI document where its records say nothing.

Owns: how words find their fields. Never: the words of a protocol; these are defined in its own folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

Schema = dict[str, object]

REFERENCE = "#/components/schemas/"
"""What the reference to a record begins with."""


@dataclass(frozen=True, slots=True)
class FieldWords:
    """What a field means, with its unit, and an example of its value."""

    means: str
    example: object = None
    """None for a field that holds other records: theirs have examples."""
    errors_only: bool = False
    """Whether the field comes with errors alone, so that no example of a success shows it."""


Words = Mapping[str, FieldWords]
"""Field to its words. `Record.field` stands before `field`."""


def explain(components: Mapping[str, Schema], names: Iterable[str], words: Words) -> None:
    """Add words to the fields of these records, and of all that they hold."""
    found = reachable(components, names)
    shared = _shared(components[name] for name in found)
    for name in found:
        properties = components[name].get("properties", {})
        assert isinstance(properties, dict)
        for field, schema in properties.items():
            said = words.get(f"{name}.{field}") or words.get(field)
            properties[field] = explained(schema, said, also=str(schema.get("description")) in shared)


def explained(schema: Schema, said: FieldWords | None, *, also: bool = False) -> Schema:
    """Return a schema with a description and an example. Its own description stays; with `also` it follows the words."""
    if said is None:
        return schema
    own = str(schema.get("description", ""))
    told = {**schema, "description": f"{said.means} {own}" if also else own or said.means}
    if said.errors_only:
        told = {**told, "x-errors-only": True}
    if said.example is None:
        return told
    # A field of a path or query is text, whatever the same field of a record is.
    example = _as_text(said.example) if schema.get("type") == "string" else said.example
    return {"examples": [example], **told}


def _as_text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _shared(records: Iterable[Schema]) -> set[str]:
    """Return the descriptions that fields of several names share: they tell of a type, such as an amount."""
    names: dict[str, set[str]] = {}
    for record in records:
        properties = record.get("properties", {})
        assert isinstance(properties, dict)
        for field, schema in properties.items():
            names.setdefault(str(schema.get("description")), set()).add(field)
    return {description for description, fields in names.items() if len(fields) > 1}


def reachable(components: Mapping[str, Schema], names: Iterable[str]) -> set[str]:
    """Return these records and every record that they hold, at any depth."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += references(components[name])
    return found


def references(schema: object) -> Iterator[str]:
    """Yield the name of every record that a schema refers to."""
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(REFERENCE)
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for part in inner:
        yield from references(part)
