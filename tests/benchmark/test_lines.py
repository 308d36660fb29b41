"""Messages of the load sides: whole ones are found however the network cuts them, and others are refused."""

from __future__ import annotations

import socket

import pytest

from croupier.benchmark.lines import BadMessage, Line, Loop, message_end

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 3\r\nserver: hub\r\n\r\n{"}'


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (ANSWER, (51, 54)),
        (ANSWER + b"HTTP/1.1", (51, 54)),
        (ANSWER[:-1], None),
        (ANSWER[:20], None),
        (b"POST /a HTTP/1.1\r\nCONTENT-LENGTH:0\r\n\r\n", (38, 38)),
        (b"GET /a HTTP/1.1\r\nhost: hub\r\n\r\n", (30, 30)),
    ],
)
def test_the_end_of_a_message(data: bytes, end: tuple[int, int] | None) -> None:
    assert message_end(data) == end


def test_a_body_without_its_length_is_refused() -> None:
    """A side that guessed would take the next answer for a part of this one."""
    with pytest.raises(BadMessage):
        message_end(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


def test_pieces_and_two_messages_in_one_are_heard_as_messages() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    heard, loop = [], Loop()

    class Plain(socket.socket):
        def setsockopt(self, *_: object) -> None:
            """A pair of Unix sockets has no TCP_NODELAY."""

    line = Line(loop, Plain(fileno=ours.detach()), lambda _, first, body: heard.append((first, body)))
    for piece in (ANSWER[:10], ANSWER[10:] + ANSWER + ANSWER[:30], ANSWER[30:]):
        theirs.sendall(piece)
        line._ready()
    assert heard == [(b"HTTP/1.1 200 OK", b'{"}')] * 3
    theirs.close()
    line._ready()
    assert loop._functions == {}
