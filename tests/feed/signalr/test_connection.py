"""The server's side of one connection: handshake, keep-alive, silence, refusals, close."""

from __future__ import annotations

import json

import pytest

from croupier.feed.signalr import json_codec, msgpack_codec, negotiate
from croupier.feed.signalr.connection import Frame, ServerConnection
from croupier.feed.signalr.handshake import MAX_HANDSHAKE
from croupier.feed.signalr.messages import CancelInvocation, Close, Completion, Invocation, Ping

JSON_HANDSHAKE = b'{"protocol":"json","version":1}\x1e'
PACKED_HANDSHAKE = b'{"protocol":"messagepack","version":1}\x1e'
PING_JSON = b'{"type":6}\x1e'


def sent(connection: ServerConnection) -> list[Frame]:
    frames = list(connection.outgoing)
    connection.outgoing.clear()
    return frames


def shaken(handshake: bytes = JSON_HANDSHAKE) -> ServerConnection:
    connection = ServerConnection(100.0)
    assert connection.receive(handshake, 100.0) == []
    sent(connection)
    return connection


@pytest.mark.parametrize("version", [0, 1, 2])
def test_the_handshake_is_answered_and_a_ping_follows_in_a_frame_of_its_own(version: int) -> None:
    connection = ServerConnection(0.0)
    assert connection.receive(json.dumps({"protocol": "json", "version": version}).encode() + b"\x1e", 0.1) == []
    assert sent(connection) == [Frame(b"{}\x1e"), Frame(PING_JSON)]
    assert connection.ended is None


def test_messagepack_is_answered_in_binary_frames() -> None:
    connection = ServerConnection(0.0)
    connection.receive(PACKED_HANDSHAKE, 0.1)
    assert sent(connection) == [Frame(b"{}\x1e", binary=True), Frame(b"\x02\x91\x06", binary=True)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"protocol":"xml","version":1}\x1e', "json, messagepack"),
        (b'{"protocol":["json"],"version":1}\x1e', "json, messagepack"),
        (b'{"protocol":"json","version":3}\x1e', "0 to 2"),
        (b'{"protocol":"json"}\x1e', "0 to 2"),
        (b'{"protocol":"json","version":true}\x1e', "0 to 2"),
        (b'{"type":6}\x1e', "json, messagepack"),
        (b"GET / HTTP/1.1\x1e", "must be a handshake"),
        (b"x" * (MAX_HANDSHAKE + 1), "at most 4096 bytes"),
    ],
)
def test_a_handshake_that_cannot_be_met_is_answered_with_the_reason(data: bytes, says: str) -> None:
    connection = ServerConnection(0.0)
    assert connection.receive(data, 0.1) == []
    (frame,) = sent(connection)
    assert says in json.loads(frame.data.removesuffix(b"\x1e"))["error"]
    assert connection.ended is not None
    assert connection.receive(JSON_HANDSHAKE, 0.2) == []
    assert sent(connection) == []


def test_a_call_may_come_in_the_frame_of_the_handshake_and_over_several_frames() -> None:
    first, second = Invocation("Subscribe", ("a", "{}"), "1"), Invocation("Subscribe", ("b", "{}"))
    data = JSON_HANDSHAKE + json_codec.write(first) + json_codec.write(second)
    connection, calls = ServerConnection(0.0), []
    for start in range(0, len(data), 50):
        calls += connection.receive(data[start : start + 50], 0.1)
    assert calls == [first, second]


def test_only_calls_are_handed_on() -> None:
    connection = shaken()
    data = b"".join(map(json_codec.write, (Ping(), Completion("1"), CancelInvocation("7"), Ping())))
    assert connection.receive(data, 101.0) == [CancelInvocation("7")]


def test_bytes_that_are_no_message_end_it_with_the_reason() -> None:
    connection = shaken(PACKED_HANDSHAKE)
    assert connection.receive(b"\x01\xc1", 101.0) == []
    (frame,) = sent(connection)
    (close,) = msgpack_codec.read(bytearray(frame.data))
    assert isinstance(close, Close)
    assert close.error == connection.ended == "a message must be a MessagePack array"
    assert not close.allow_reconnect


def test_what_comes_behind_a_close_is_not_taken() -> None:
    connection = shaken()
    assert connection.receive(json_codec.write(Close()) + json_codec.write(Invocation("a")), 101.0) == []
    assert connection.ended == ""
    assert connection.receive(json_codec.write(Invocation("a")), 102.0) == []
    assert sent(connection) == []


def test_a_ping_goes_out_when_nothing_else_did_for_15_seconds() -> None:
    connection = shaken()
    connection.receive(PING_JSON, 114.0)
    assert connection.tick(114.9) == 115.0
    assert sent(connection) == []
    connection.send(Completion("1"), 114.9)
    sent(connection)
    connection.tick(115.0)
    assert sent(connection) == []
    connection.tick(129.9)
    assert sent(connection) == [Frame(PING_JSON)]


def test_a_client_that_is_silent_for_30_seconds_is_gone() -> None:
    connection = shaken()
    connection.receive(PING_JSON, 110.0)
    connection.tick(139.9)
    assert connection.ended is None
    connection.tick(140.0)
    assert connection.ended == "nothing was received for 30 s"


def test_a_handshake_has_15_seconds() -> None:
    connection = ServerConnection(0.0)
    connection.receive(JSON_HANDSHAKE[:10], 14.0)
    assert connection.tick(14.9) == 15.0
    assert connection.ended is None
    connection.tick(15.0)
    assert connection.ended == "no handshake came within 15 s"


def test_a_shutdown_lets_clients_connect_again() -> None:
    connection = shaken()
    connection.close(101.0, allow_reconnect=True)
    assert sent(connection) == [Frame(b'{"type":7,"allowReconnect":true}\x1e')]
    assert connection.ended is not None


@pytest.mark.parametrize(("asked", "version"), [(None, 0), ("0", 0), ("1", 1), ("2", 1), ("99", 1)])
def test_negotiate_answers_in_the_newest_version_both_know(asked: str | None, version: int) -> None:
    assert negotiate.version(asked) == version


@pytest.mark.parametrize("asked", ["", "-1", "1.0", "one", "1" * 10])
def test_a_version_that_is_no_number_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        negotiate.version(asked)


def test_version_0_has_the_token_for_its_id() -> None:
    old, new = negotiate.answer(0, "id", "token"), negotiate.answer(1, "id", "token")
    assert (old["connectionId"], old.get("connectionToken"), old["negotiateVersion"]) == ("token", None, 0)
    assert (new["connectionId"], new["connectionToken"], new["negotiateVersion"]) == ("id", "token", 1)
    assert [t["transport"] for t in new["availableTransports"]] == ["WebSockets"]
