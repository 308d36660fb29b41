"""Both encodings against the byte examples of the published protocol, and against themselves."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.feed.signalr import json_codec, msgpack_codec
from croupier.feed.signalr.messages import (
    MAX_MESSAGE,
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

CODECS = pytest.mark.parametrize("codec", [json_codec, msgpack_codec], ids=lambda codec: codec.NAME)

PACKED = {
    "96 01 80 a3 78797a a6 6d6574686f64 91 2a 90": Invocation("method", (42,), "xyz"),
    "96 01 80 c0 a6 6d6574686f64 91 2a 90": Invocation("method", (42,)),
    "96 01 82 a178 a179 a17a a17a a3 78797a a6 6d6574686f64 91 2a 90": Invocation(
        "method", (42,), "xyz", headers={"x": "y", "z": "z"}
    ),
    "96 04 80 a3 78797a a6 6d6574686f64 91 2a 90": StreamInvocation("xyz", "method", (42,)),
    "94 02 80 a3 78797a 2a": StreamItem("xyz", 42),
    "95 03 80 a3 78797a 01 a5 4572726f72": Completion("xyz", error="Error"),
    "94 03 80 a3 78797a 02": Completion("xyz"),
    "95 03 80 a3 78797a 03 2a": Completion("xyz", 42),
    "93 05 80 a3 78797a": CancelInvocation("xyz"),
    "91 06": Ping(),
    "92 07 a3 78797a": Close("xyz"),
    "93 07 a3 78797a c3": Close("xyz", allow_reconnect=True),
}
TEXTS = {
    '{"type":1,"invocationId":"123","target":"Send","arguments":[42,"Test Message"]}': Invocation(
        "Send", (42, "Test Message"), "123"
    ),
    '{"type":1,"target":"Send","arguments":[42,"Test Message"]}': Invocation("Send", (42, "Test Message")),
    '{"type":1,"invocationId":"123","target":"Send","arguments":[42],"streamIds":["1"]}': Invocation(
        "Send", (42,), "123", ("1",)
    ),
    '{"type":1,"headers":{"Foo":"Bar"},"invocationId":"123","target":"Send","arguments":[42]}': Invocation(
        "Send", (42,), "123", headers={"Foo": "Bar"}
    ),
    '{"type":4,"invocationId":"123","target":"Send","arguments":[42]}': StreamInvocation("123", "Send", (42,)),
    '{"type":2,"invocationId":"123","item":42}': StreamItem("123", 42),
    '{"type":3,"invocationId":"123"}': Completion("123"),
    '{"type":3,"invocationId":"123","result":42}': Completion("123", 42),
    '{"type":3,"invocationId":"123","error":"It didn\'t work!"}': Completion("123", error="It didn't work!"),
    '{"type":5,"invocationId":"123"}': CancelInvocation("123"),
    '{"type":6}': Ping(),
    '{"type":7}': Close(),
    '{"type":7,"error":"Connection closed because of an error!","allowReconnect":true}': Close(
        "Connection closed because of an error!", allow_reconnect=True
    ),
    '{"type":8,"sequenceId":1394}': Ack(1394),
    '{"type":9,"sequenceId":1234}': Sequence(1234),
}


def framed(body: bytes) -> bytes:
    return bytes([len(body)]) + body


@pytest.mark.parametrize(("example", "message"), PACKED.items())
def test_the_published_messagepack_examples(example: str, message: Message) -> None:
    data = framed(bytes.fromhex(example))
    assert msgpack_codec.read(bytearray(data)) == [message]
    assert msgpack_codec.write(message) == data


@pytest.mark.parametrize(
    ("example", "message"), [("92 08 cc 24", Ack(36)), ("92 09 cc 13", Sequence(19))], ids=["ack", "sequence"]
)
def test_a_number_may_be_written_longer_than_it_must(example: str, message: Message) -> None:
    assert msgpack_codec.read(bytearray(framed(bytes.fromhex(example)))) == [message]


@pytest.mark.parametrize(("example", "message"), TEXTS.items())
def test_the_published_json_examples(example: str, message: Message) -> None:
    data = example.encode() + b"\x1e"
    assert json_codec.read(bytearray(data)) == [message]
    assert json_codec.write(message) == data


def test_a_length_of_two_bytes_reads_as_published() -> None:
    """The published example: 0x80 0x29 is 5248."""
    message = Invocation("m", ("a" * 5237,))
    data = msgpack_codec.write(message)
    assert data[:2] == b"\x80\x29"
    assert msgpack_codec.read(bytearray(data)) == [message]


TEXT = st.text(max_size=12)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.lists(VALUE, max_size=4).map(tuple)
HEADERS = st.dictionaries(TEXT, TEXT, max_size=2)
MESSAGE = st.one_of(
    st.builds(Invocation, TEXT, ARGUMENTS, st.none() | TEXT, st.lists(TEXT, max_size=2).map(tuple), HEADERS),
    st.builds(StreamInvocation, TEXT, TEXT, ARGUMENTS, st.lists(TEXT, max_size=2).map(tuple), HEADERS),
    st.builds(StreamItem, TEXT, VALUE, HEADERS),
    st.builds(Completion, TEXT, VALUE, headers=HEADERS),
    st.builds(Completion, TEXT, error=TEXT, headers=HEADERS),
    st.builds(Completion, TEXT, headers=HEADERS),
    st.builds(CancelInvocation, TEXT, HEADERS),
    st.just(Ping()),
    st.builds(Close, st.none() | TEXT, st.booleans()),
    st.builds(Ack, st.integers(0, 2**53)),
    st.builds(Sequence, st.integers(0, 2**53)),
)


@pytest.mark.one_in(2)
@CODECS
@given(messages=st.lists(MESSAGE, max_size=4), cuts=st.lists(st.integers(0, 400), max_size=4))
def test_whatever_is_written_reads_back_however_it_is_cut(
    codec: ModuleType, messages: list[Message], cuts: list[int]
) -> None:
    data = b"".join(map(codec.write, messages))
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    buffer, found = bytearray(), []
    for start, end in pairwise(places):
        buffer += data[start:end]
        found += codec.read(buffer)
    assert found == messages
    assert not buffer


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[]", "a JSON object"),
        (b"{", "a JSON object"),
        (b'"\xff"', "a JSON object"),
        (b"[" * 10_000, "a JSON object"),
        (b"{}", "type is unknown"),
        (b'{"type":10}', "type is unknown"),
        (b'{"type":true}', "type is unknown"),
        (b'{"type":1,"arguments":[]}', "target must be a string"),
        (b'{"type":1,"target":"a"}', "arguments must be an array"),
        (b'{"type":1,"target":"a","arguments":{}}', "arguments must be an array"),
        (b'{"type":1,"target":"a","arguments":[],"invocationId":7}', "invocationId must be a string"),
        (b'{"type":1,"target":"a","arguments":[],"headers":{"a":1}}', "value must be a string"),
        (b'{"type":4,"target":"a","arguments":[]}', "invocationId must be a string"),
        (b'{"type":3,"invocationId":"1","result":1,"error":"x"}', "not both"),
        (b'{"type":2,"invocationId":"1"}', "item is missing"),
        (b'{"type":7,"allowReconnect":1}', "must be a boolean"),
        (b'{"type":8}', "must be an integer"),
    ],
)
def test_json_that_is_no_message_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        json_codec.read(bytearray(data + b"\x1e"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("80", "a MessagePack array"),
        ("c1", "a MessagePack array"),
        ("91", "a MessagePack array"),
        ("90", "type is unknown"),
        ("91 0a", "type is unknown"),
        ("91 c3", "type is unknown"),
        ("92 01 80", "too few elements"),
        ("96 01 80 c0 c0 90 90", "target must be a string"),
        ("96 01 90 c0 a161 90 90", "headers must be a map"),
        ("96 01 80 c0 a161 80 90", "arguments must be an array"),
        ("94 03 80 a161 04", "kind of the result is unknown"),
        ("94 03 80 a161 01", "too few elements"),
        ("92 08 a161", "must be an integer"),
    ],
)
def test_messagepack_that_is_no_message_is_refused(body: str, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        msgpack_codec.read(bytearray(framed(bytes.fromhex(body))))


def test_an_older_client_sends_no_stream_ids_and_a_newer_one_more_elements() -> None:
    older, newer = "95 01 80 c0 a161 90", "97 01 80 c0 a161 90 90 c0"
    for example in (older, newer):
        assert msgpack_codec.read(bytearray(framed(bytes.fromhex(example)))) == [Invocation("a")]


@CODECS
def test_a_message_over_the_bound_is_refused_before_all_of_it_came(codec: ModuleType) -> None:
    largest = Invocation("m", ("a" * (MAX_MESSAGE - 100),))
    assert codec.read(bytearray(codec.write(largest))) == [largest]
    with pytest.raises(ProtocolError, match="at most 32768 bytes"):
        codec.read(bytearray(codec.write(Invocation("m", ("a" * MAX_MESSAGE,)))[: MAX_MESSAGE + 2]))


def test_a_length_without_an_end_is_refused() -> None:
    assert msgpack_codec.read(bytearray(b"\xff\xff\xff\xff")) == []
    with pytest.raises(ProtocolError, match="at most 5 bytes"):
        msgpack_codec.read(bytearray(b"\xff\xff\xff\xff\xff"))


@CODECS
@given(data=st.binary(max_size=300), prefix=st.sampled_from([b"", b'{"type":', b"\x05\x96\x01\x80", b"\x0b\x93\x07"]))
def test_any_bytes_are_messages_or_refused(codec: ModuleType, data: bytes, prefix: bytes) -> None:
    buffer = bytearray(prefix + data + b"\x1e")
    with suppress(ProtocolError):
        assert all(isinstance(message, Message) for message in codec.read(buffer))
