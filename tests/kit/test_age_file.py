"""Encrypted files: what goes in comes out, another key opens nothing, and a changed or cut file is noticed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pytest

from croupier.kit.age_file import BadBackupKey, _through_pipe, decrypt, digest, encrypt, read_key, read_or_make_key

BIG = bytes(range(256)) * 4096


def write_big(sink: BinaryIO) -> None:
    sink.writelines(BIG[start : start + 1000] for start in range(0, len(BIG), 1000))


def opened(key: object, path: Path) -> bytes:
    into = BytesIO()
    decrypt(key, path, lambda source: into.write(source.read()) and None)
    return into.getvalue()


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    key, is_new = read_or_make_key(tmp_path / "key")
    encrypt(key, write_big, tmp_path / "file")
    assert is_new
    assert opened(read_key(tmp_path / "key"), tmp_path / "file") == BIG
    assert BIG[:256] not in (tmp_path / "file").read_bytes()
    assert ((tmp_path / "file").stat().st_mode | (tmp_path / "key").stat().st_mode) & 0o077 == 0


def test_a_key_is_made_once(tmp_path: Path) -> None:
    first, _ = read_or_make_key(tmp_path / "key")
    second, is_new = read_or_make_key(tmp_path / "key")
    assert (str(first), False) == (str(second), is_new)


@pytest.mark.parametrize("text", ["", "AGE-SECRET-KEY-1ZZZ", "age1notsecret", "\0\xff"])
def test_a_file_that_holds_no_key_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text, "utf-8")
    with pytest.raises(BadBackupKey, match="key"):
        read_key(tmp_path / "key")


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    key, _ = read_or_make_key(tmp_path / "key")
    other, _ = read_or_make_key(tmp_path / "other")
    encrypt(key, write_big, tmp_path / "file")
    with pytest.raises(BadBackupKey, match="does not open with this key"):
        digest(other, tmp_path / "file")


@pytest.mark.parametrize("where", [5, 300, 70_000, -1])
def test_a_changed_byte_is_noticed(tmp_path: Path, where: int) -> None:
    key, _ = read_or_make_key(tmp_path / "key")
    encrypt(key, write_big, tmp_path / "file")
    data = bytearray((tmp_path / "file").read_bytes())
    data[where] ^= 1
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(BadBackupKey):
        digest(key, tmp_path / "file")


@pytest.mark.parametrize("length", [0, 10, 70_000, -1])
def test_a_cut_file_is_noticed(tmp_path: Path, length: int) -> None:
    key, _ = read_or_make_key(tmp_path / "key")
    encrypt(key, write_big, tmp_path / "file")
    (tmp_path / "file").write_bytes((tmp_path / "file").read_bytes()[:length])
    with pytest.raises(BadBackupKey):
        digest(key, tmp_path / "file")


def test_an_error_of_the_writer_is_the_one_that_is_told(tmp_path: Path) -> None:
    def fail(sink: BinaryIO) -> None:
        sink.write(b"some")
        raise OSError("the disk is gone")

    key, _ = read_or_make_key(tmp_path / "key")
    with pytest.raises(OSError, match="the disk is gone"):
        encrypt(key, fail, tmp_path / "file")


def test_an_error_of_the_reader_ends_the_writer(tmp_path: Path) -> None:
    def fail(source: BinaryIO) -> None:
        source.read(1)
        raise ValueError("enough")

    key, _ = read_or_make_key(tmp_path / "key")
    encrypt(key, write_big, tmp_path / "file")
    with pytest.raises(ValueError, match="enough"):
        decrypt(key, tmp_path / "file", fail)


def test_a_reader_that_is_gone_before_the_last_bytes_are_flushed_says_why() -> None:
    """The last bytes leave when the pipe is closed: that write fails like any other."""
    gone = Event()

    def write(sink: BinaryIO) -> None:
        gone.wait(10)
        sink.write(b"x")

    def read(source: BinaryIO) -> None:
        source.close()
        gone.set()
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        _through_pipe(write, read)
