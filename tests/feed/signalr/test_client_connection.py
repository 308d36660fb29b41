"""The client's side of one connection against the server's side: bytes of one are the input of the other."""

from __future__ import annotations

from types import ModuleType

import pytest

from croupier.feed.signalr import json_codec, msgpack_codec
from croupier.feed.signalr.client_connection import ClientConnection
from croupier.feed.signalr.connection import HANDSHAKE_S, PING_S, SILENCE_S, ServerConnection
from croupier.feed.signalr.messages import MAX_MESSAGE, Completion, Invocation, Ping

CODECS = pytest.mark.parametrize("codec", [json_codec, msgpack_codec], ids=["json", "messagepack"])


def pair(codec: ModuleType = json_codec) -> tuple[ClientConnection, ServerConnection]:
    return ClientConnection(0.0, codec), ServerConnection(0.0)


def carry(client: ClientConnection, server: ServerConnection, now_s: float = 0.0) -> list[object]:
    """Bring both sides' bytes over; what the client heard."""
    while client.outgoing:
        server.receive(client.outgoing.popleft().data, now_s)
    heard: list[object] = []
    while server.outgoing:
        heard += client.receive(server.outgoing.popleft().data, now_s)
    return heard


@CODECS
def test_a_call_is_heard_and_answered(codec: ModuleType) -> None:
    client, server = pair(codec)
    client.send(Invocation("Subscribe", ("a", "b"), "7"), 0.0)
    handshake, call = client.outgoing.popleft(), client.outgoing.popleft()
    server.receive(handshake.data, 0.0)
    assert server.receive(call.data, 0.0) == [Invocation("Subscribe", ("a", "b"), "7")]
    server.send(Completion("7"), 0.0)
    assert carry(client, server) == [Completion("7")]
    assert client.ready


@CODECS
def test_a_server_may_send_more_than_it_takes(codec: ModuleType) -> None:
    client, server = pair(codec)
    carry(client, server)
    push = Invocation("Push", ("x" * (2 * MAX_MESSAGE),))
    server.send(push, 0.0)
    assert carry(client, server) == [push]


def test_an_answer_in_pieces_is_put_together() -> None:
    client, _ = pair()
    assert client.receive(b"{", 0.0) == []
    assert not client.ready
    assert client.receive(b"}\x1e" + json_codec.write(Ping()) + json_codec.write(Completion("1")), 0.0) == [
        Completion("1")
    ]


def test_a_refused_handshake_ends_it_with_the_reason() -> None:
    client, _ = pair()
    client.receive(b'{"error":"the version must be 0 to 2"}\x1e', 0.0)
    assert client.ended == "the server refused the handshake: the version must be 0 to 2"


def test_what_is_no_message_ends_it() -> None:
    client, server = pair()
    carry(client, server)
    client.receive(b"[]\x1e", 0.0)
    assert client.ended == "a message must be a JSON object"


def test_it_pings_and_leaves_a_server_that_fell_silent() -> None:
    client, server = pair()
    carry(client, server)
    assert client.tick(PING_S) == SILENCE_S
    assert client.outgoing.popleft().data == json_codec.write(Ping())
    client.tick(SILENCE_S)
    assert client.ended == "the server sent nothing for 30 s"


def test_a_server_that_answers_no_handshake_is_left() -> None:
    client, _ = pair()
    assert client.tick(0.0) == HANDSHAKE_S
    client.tick(HANDSHAKE_S)
    assert client.ended == "the server sent nothing for 15 s"


def test_an_end_of_the_server_is_heard() -> None:
    client, server = pair()
    carry(client, server)
    server.close(0.0, "the access token has ended", allow_reconnect=True)
    carry(client, server)
    assert client.ended == "the access token has ended"
