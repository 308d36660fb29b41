"""Errors of the system say their cause and what to do, and nothing in a library's words."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from pathlib import Path

import pytest

from croupier.kit.os_words import _WORDS, os_words

RAW = re.compile(r"Errno|Error|Exception|\[|<|\b0x")


def made_by(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", _WORDS, ids=lambda number: errno.errorcode[number])
def test_each_says_a_cause_and_what_to_do(number: int) -> None:
    said = os_words(made_by(number))
    cause, _, remedy = said.partition("; ")
    assert cause
    assert remedy
    assert not RAW.search(said)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.ENOTEMPTY, 9999])
def test_an_unlisted_one_has_the_systems_words_without_its_number(number: int) -> None:
    said = os_words(made_by(number))
    assert said
    assert not RAW.search(said)


def test_several_attempts_are_told_by_the_first() -> None:
    several = OSError(
        "Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), [Errno 111] Connect call failed"
    )
    assert os_words(several) == os_words(made_by(errno.ECONNREFUSED))


def test_words_of_our_own_stay() -> None:
    assert os_words(OSError("cannot listen on 127.0.0.1:80")) == "cannot listen on 127.0.0.1:80"
    assert "check the address" in os_words(ConnectionError())


def test_a_port_where_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionRefusedError) as refused:
        socket.create_connection(("127.0.0.1", port))
    assert os_words(refused.value).startswith("nothing listens at this address; check")


def test_a_file_that_is_a_directory(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as problem:
        tmp_path.read_text()
    assert os_words(problem.value) == "it is a directory and no file; check the path"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "check its spelling"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "name server does not answer"),
        (ssl.SSLError(1, "[SSL: RECORD_LAYER_FAILURE] record layer failure (_ssl.c:1006)"), "no TLS connection"),
    ],
)
def test_names_and_tls(error: OSError, says: str) -> None:
    said = os_words(error)
    assert says in said
    assert not RAW.search(said)
