"""The readers of the live feed: both encodings of SignalR, the handshake, subscriptions, and what the channel carries.

What is read must be written and read again to the same; a decoder that takes a frame in two halves reads the same as in one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

from croupier.feed.carried import Assembly, NotCarried, to_texts
from croupier.feed.signalr import handshake, json_codec, msgpack_codec
from croupier.feed.signalr.messages import (
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Message,
    Ping,
    ProtocolError,
    StreamInvocation,
    StreamItem,
)
from croupier.feed.snapshot import Snapshot
from croupier.feed.subscriptions import SubscriptionChange, SubscriptionRefused, change
from tests.fuzz.breed import Breeder
from tests.fuzz.stopwatch import WATCH

CASINO_ID = 2201
ASKED = {
    "GameType": (b"3", b"23", b"-1", b"2147483648", b'"3"', b"3.0", b"null"),
    "PartnerClientId": (b"2201", b"2202", b"true", b'"2201"'),
    "Count": (b"1", b"0", b"1e3", b"99999999999999999999"),
}
MESSAGES: tuple[Message, ...] = (
    Invocation("Subscribe", ("SubOnWholeGamesInfo", '{"GameType":3}'), "1"),
    Invocation("Subscribe", (None, 1.5, [True, {"a": "é"}], 2**53), None, ("s",), {"h": "v"}),
    StreamInvocation("2", "Stream", (1,)),
    StreamItem("2", {"a": [1]}),
    Completion("3", "done"),
    Completion("3", None),
    Completion("3"),
    Completion("3", error="no"),
    CancelInvocation("4"),
    Ping(),
    Close(),
    Close("bye", allow_reconnect=True),
)
SNAPSHOT = Snapshot(3, 7, 1_700_000_000_000, {"sId": 7, "wgi": [{"i": 1, "res": ["a", "é"]}]})


def frames(codec: ModuleType) -> Callable[[Breeder], bytes]:
    """One to three messages, as written, broken, or noise."""

    def breed(breeder: Breeder) -> bytes:
        how = breeder.chance.random()
        if how < 0.004:
            return breeder.bomb() + b"\x1e"
        if how < 0.02:
            return breeder.noise()
        written = [codec.write(breeder.chance.choice(MESSAGES)) for _ in range(breeder.chance.randint(1, 3))]
        if how < 0.6:
            written[-1] = breeder.twisted(written[-1])
        return b"".join(written)

    return breed


def check_frames(codec: ModuleType) -> Callable[[bytes], bool]:
    """Only ProtocolError is raised; what was read is stable, and halves are read as the whole."""

    def check(data: bytes) -> bool:
        whole = bytearray(data)
        try:
            read = codec.read(whole)
        except ProtocolError:
            return False
        WATCH.turn()
        half = bytearray(data[: len(data) // 2])
        again = codec.read(half)
        half += data[len(data) // 2 :]
        again += codec.read(half)
        assert repr(again) == repr(read), "two halves are read otherwise"
        assert half == whole, "something else is left over"
        WATCH.turn()
        written = bytearray(b"".join(codec.write(message) for message in read))
        assert repr(codec.read(written)) == repr(read), "what was read is written otherwise"
        return bool(read)

    return check


def any_handshake(breeder: Breeder) -> bytes:
    shaped = breeder.record(
        {
            "protocol": (b'"json"', b'"messagepack"', b'"soap"', b"1"),
            "version": (b"0", b"1", b"2", b"3", b"true", b"1.0"),
        }
    )
    return (breeder.twisted(shaped) if breeder.chance.random() < 0.3 else shaped) + b"\x1e"


def check_handshake(data: bytes) -> bool:
    buffer = bytearray(data)
    try:
        codec = handshake.read(buffer)
    except ProtocolError as problem:
        assert handshake.refused(str(problem)).endswith(b"\x1e")
        return False
    if codec is not None:
        told = json.loads(data[: data.index(b"\x1e")])
        assert told["protocol"] == codec.NAME
        assert told["version"] in range(3)
    return codec is not None


def any_subscription(breeder: Breeder) -> Any:
    text = breeder.record(ASKED)
    if breeder.chance.random() < 0.3:
        text = breeder.twisted(text)
    return text.decode("utf-8", "replace")


def check_subscription(text: str) -> bool:
    call = Invocation("Subscribe", ("SubOnWholeGamesInfo", text))
    try:
        found = change(call, CASINO_ID)
    except SubscriptionRefused:
        return False
    assert isinstance(found, SubscriptionChange)
    told = json.loads(text)
    assert (told["PartnerClientId"], told["GameType"]) == (CASINO_ID, found.game_type)
    return True


def any_carried(breeder: Breeder) -> Any:
    texts = to_texts(SNAPSHOT, 200)
    if breeder.chance.random() < 0.7:
        place = breeder.chance.randrange(len(texts))
        texts[place] = breeder.twisted(texts[place].encode()).decode("utf-8", "replace")
    return texts


def check_carried(texts: list[str]) -> bool:
    assembly = Assembly()
    try:
        found = [one for one in map(assembly.take, texts) if one is not None]
    except NotCarried:
        return False
    assert all(isinstance(one, Snapshot) for one in found)
    return bool(found)


SHAPES: tuple[tuple[str, Callable[[Breeder], Any], Callable[[Any], bool]], ...] = (
    ("signalr_json", frames(json_codec), check_frames(json_codec)),
    ("signalr_messagepack", frames(msgpack_codec), check_frames(msgpack_codec)),
    ("signalr_handshake", any_handshake, check_handshake),
    ("subscription", any_subscription, check_subscription),
    ("carried", any_carried, check_carried),
)
"""Name, breeding and check of each."""
