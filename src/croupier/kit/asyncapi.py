"""Messages of a WebSocket as data, one record per message, and the AsyncAPI 3.0 document made of them.

Owns: the records and the format of the document. Never: a path or a field of a protocol; these are defined beside its code.
Format: AsyncAPI Specification 3.0.0, whose schemas are JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from croupier.kit.openapi import JSON, Schema

RECEIVE: Final = "receive"
SEND: Final = "send"
_SCHEMA = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class SocketMessage:
    """One message of the socket. `direction` is the hub's: RECEIVE from a client, or SEND to one."""

    name: str
    direction: str
    summary: str
    contract: str
    """Its section of the contract."""
    body: object
    """A type that msgspec can describe."""
    examples: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True)
class SocketChannel:
    """One WebSocket: the paths at which it answers, its query, and its messages."""

    name: str
    paths: Sequence[str]
    means: str
    messages: Sequence[SocketMessage]
    query: Mapping[str, Schema] = field(default_factory=dict)
    """The parameters of the query by name; all are optional."""
    schemes: Mapping[str, Schema] = field(default_factory=dict)
    """Alternative ways of authentication."""


def document(channel: SocketChannel, *, title: str, version: str, means: str) -> Schema:
    """Return the whole document, ready to be written as JSON."""
    names = [channel.name, *(f"{channel.name}{number}" for number in range(2, len(channel.paths) + 1))]
    places = dict(zip(names, channel.paths, strict=True))
    schemas, components = msgspec.json.schema_components(
        [message.body for message in channel.messages], ref_template=_SCHEMA
    )
    messages = {m.name: _message(m, schema) for m, schema in zip(channel.messages, schemas, strict=True)}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version, "description": means},
        "defaultContentType": JSON,
        "servers": {
            "hub": {
                "host": "hub.example",
                "protocol": "wss",
                "description": "The hub behind its proxy; without one the protocol is ws.",
                "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in channel.schemes],
            }
        },
        "channels": {name: _channel(channel, path) for name, path in places.items()},
        "operations": {
            f"{name}.{direction}": _operation(channel, name, direction)
            for name in places
            for direction in (RECEIVE, SEND)
        },
        "components": {"messages": messages, "schemas": components, "securitySchemes": dict(channel.schemes)},
    }


def _channel(channel: SocketChannel, path: str) -> Schema:
    query: Schema = {"type": "object", "properties": dict(channel.query)}
    return {
        "address": path,
        "description": channel.means,
        "messages": {m.name: {"$ref": f"#/components/messages/{m.name}"} for m in channel.messages},
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
    }


def _operation(channel: SocketChannel, name: str, direction: str) -> Schema:
    told = [message.name for message in channel.messages if message.direction == direction]
    return {
        "action": direction,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in told],
    }


def _message(message: SocketMessage, schema: Schema) -> Schema:
    stated: Schema = {
        "name": message.name,
        "summary": message.summary,
        "description": f"Contract: {message.contract}.",
        "payload": schema,
    }
    if message.examples:
        stated["examples"] = [{"payload": dict(example)} for example in message.examples]
    return stated
