"""The AsyncAPI document and the code of the socket, both ways: what the hub says fits the document, what it states is taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import jsonschema_rs
import pytest

from croupier.apps.operations import asyncapi
from croupier.core.draws import Draw, DrawKey, DrawState, PlayState
from croupier.feed.push import argument
from croupier.feed.pushes import Push
from croupier.feed.signalr import handshake, json_codec
from croupier.feed.signalr.connection import ServerConnection
from croupier.feed.signalr.messages import (
    Ack,
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Message,
    Ping,
    ProtocolError,
    Sequence,
    StreamInvocation,
    StreamItem,
)
from croupier.feed.snapshot import Snapshot
from croupier.feed.sockets import PATHS
from croupier.feed.subscriptions import SUBSCRIBE, TOPIC, UNSUBSCRIBE, SubscriptionRefused, change
from croupier.store.feed.draws import StoredDraw
from croupier.store.feed.streams import StreamState

DOCUMENT: dict[str, Any] = json.loads(json.dumps(asyncapi()))
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
CASINO_ID = 2201
NOT_OFFERED = {StreamInvocation, StreamItem, CancelInvocation, Ack, Sequence}
"""Messages of the protocol without a use here: no method streams, and no connection is resumed."""
STATED = {Invocation: 1, Completion: 3, Ping: 6, Close: 7}


def refs(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        yield from [document["$ref"]] if "$ref" in document else []
    for inner in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from refs(inner)


def schema_of(name: str) -> dict[str, Any]:
    (last,) = [MESSAGES[name]["payload"]["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][last]
    return found


def fits(name: str, told: object) -> bool:
    """Whether a message is one that the document states under this name."""
    judge = jsonschema_rs.Draft202012Validator({**MESSAGES[name]["payload"], "components": DOCUMENT["components"]})
    return bool(judge.is_valid(told))


def sent(connection: ServerConnection) -> list[dict[str, Any]]:
    """What came out of a connection, as JSON."""
    data = b"".join(frame.data for frame in connection.outgoing)
    connection.outgoing.clear()
    return [json.loads(one) for one in data.split(json_codec.END) if one]


def shaken() -> ServerConnection:
    connection = ServerConnection(0.0)
    connection.receive(handshake.request(json_codec), 0.0)
    connection.outgoing.clear()
    return connection


def taken(told: object) -> bool:
    """Whether the hub takes a message of a client after the handshake."""
    connection = shaken()
    calls = connection.receive(json.dumps(told).encode() + json_codec.END, 0.0)
    if connection.ended:
        return False
    try:
        for call in calls:
            change(call, CASINO_ID)
    except SubscriptionRefused:
        return False
    return True


def hand_shaken(told: object) -> bool:
    try:
        return handshake.read(bytearray(json.dumps(told).encode() + json_codec.END)) is not None
    except ProtocolError:
        return False


# --- the document is sound --------------------------------------------------------------------------------------------


def test_every_reference_leads_somewhere() -> None:
    for ref in refs(DOCUMENT):
        place: Any = DOCUMENT
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]
    assert DOCUMENT["asyncapi"] == "3.0.0"


def test_both_paths_of_the_hub_are_channels_and_no_other() -> None:
    assert tuple(channel["address"] for channel in DOCUMENT["channels"].values()) == PATHS


def test_every_message_is_sent_or_received_and_its_examples_fit() -> None:
    operations = [o for o in DOCUMENT["operations"].values() if o["channel"]["$ref"] == "#/channels/livefeed"]
    named = [ref["$ref"].rpartition("/")[2] for operation in operations for ref in operation["messages"]]
    assert sorted(named) == sorted(MESSAGES)
    for name, message in MESSAGES.items():
        assert all(fits(name, example["payload"]) for example in message.get("examples", ()))


# --- from the code to the document ------------------------------------------------------------------------------------


def test_every_message_of_the_protocol_is_stated_or_has_no_use_here() -> None:
    assert set(get_args(Message)) == NOT_OFFERED | set(STATED)
    numbers = {schema_of(name)["properties"].get("type", {}).get("enum", [0])[0] for name in MESSAGES}
    assert numbers == {0, *STATED.values()}, "0 is the handshake, which has no number"


def test_what_the_hub_sends_fits() -> None:
    connection = ServerConnection(0.0)
    connection.receive(handshake.request(json_codec), 0.0)
    accepted, ping = sent(connection)
    assert fits("handshakeAnswer", accepted)
    assert fits("ping", ping)
    connection.send(Completion("1"), 0.0)
    connection.send(Completion("1", error="no"), 0.0)
    assert all(fits("completion", told) for told in sent(connection))
    connection.close(0.0, "the access token has ended", allow_reconnect=True)
    assert all(fits("close", told) for told in sent(connection))
    refused = ServerConnection(0.0)
    refused.receive(b'{"protocol":"xml","version":1}\x1e', 0.0)
    assert all(fits("handshakeAnswer", told) for told in sent(refused))


def draw(**changes: Any) -> StoredDraw:
    told = {"ends_ms": None, "results": None, "proof": (), **changes}
    return StoredDraw(7, Draw(DrawKey(23, 5), 1, DrawState.ACTIVE, PlayState.BETTING, 0, 1_000, 2_000, **told))


@pytest.mark.parametrize(
    "draws", [[], [draw()], [draw(ends_ms=3_000, results='[7,"grey",{"a":1}]', proof=(("seed", "ab"),))]]
)
def test_a_push_fits_and_has_exactly_the_stated_keys(draws: list[StoredDraw]) -> None:
    told = argument(StreamState(1, maintenance=False, draws=draws, last_finished=None), sequence=0, made_ms=5_000)
    framed = Push(Snapshot(23, 0, 5_000, told)).frame_for(json_codec)
    message = json.loads(framed[framed.index(b"{") : -1])
    assert fits("snapshot", message)
    schemas = DOCUMENT["components"]["schemas"]
    assert set(schemas["GameTypeSnapshot"]["properties"]) == set(schemas["GameTypeSnapshot"]["required"]) == set(told)
    for one in told["wgi"]:
        assert set(schemas["DrawRecord"]["properties"]) == set(schemas["DrawRecord"]["required"]) == set(one)


# --- from the document to the code ------------------------------------------------------------------------------------


def test_what_the_document_states_of_clients_is_taken() -> None:
    for name in ("subscription", "clientPing", "clientClose"):
        for example in MESSAGES[name].get("examples", ()):
            told = example["payload"]
            if "arguments" in told:
                topic, text = told["arguments"]
                told = {**told, "arguments": [topic, json.dumps({**json.loads(text), "PartnerClientId": CASINO_ID})]}
            assert taken(told)


@pytest.mark.parametrize("protocol", schema_of("handshake")["properties"]["protocol"]["enum"])
@pytest.mark.parametrize("version", [-1, 0, 1, 2, 3])
def test_a_handshake_is_taken_exactly_if_it_is_stated(protocol: str, version: int) -> None:
    told = {"protocol": protocol, "version": version}
    assert hand_shaken(told) is fits("handshake", told)


@pytest.mark.parametrize("told", [{}, {"protocol": "xml", "version": 1}, {"protocol": "json"}, {"version": 1}])
def test_another_handshake_is_neither_stated_nor_taken(told: dict[str, Any]) -> None:
    assert not fits("handshake", told)
    assert not hand_shaken(told)


def test_the_names_are_those_of_the_code() -> None:
    call = schema_of("subscription")["properties"]
    assert set(call["target"]["enum"]) == {SUBSCRIBE, UNSUBSCRIBE}
    assert call["arguments"]["prefixItems"][0]["enum"] == [TOPIC]
    assert set(schema_of("handshake")["properties"]["protocol"]["enum"]) == set(handshake.CODECS)
    assert schema_of("snapshot")["properties"]["target"]["enum"] == [TOPIC]


GOOD: dict[str, Any] = {"type": 1, "target": "Subscribe", "arguments": [TOPIC, '{"GameType":3,"PartnerClientId":2201}']}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"target": "Send"},
        {"arguments": [TOPIC]},
        {"arguments": ["SubOnNothing", "{}"]},
        {"arguments": [TOPIC, {"GameType": 3}]},
        {"target": None},
        {"invocationId": 7},
        {"type": 12},
    ],
)
def test_a_subscription_is_taken_exactly_if_it_is_stated(changes: dict[str, Any]) -> None:
    told = {**GOOD, **changes}
    assert taken(told) is fits("subscription", told)


def test_every_field_of_a_message_has_words() -> None:
    """The page of the socket shows them beside its name."""
    wordless = [
        f"{schema}.{name}"
        for schema, told in asyncapi()["components"]["schemas"].items()
        for name, field in told.get("properties", {}).items()
        if "description" not in field and "$ref" not in field
    ]
    assert wordless == []
