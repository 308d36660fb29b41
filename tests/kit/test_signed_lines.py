"""Signed lines: what was added is read back, and whatever else stands in the files is not taken for a line."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from croupier.kit.keys import from_base64url
from croupier.kit.signed_lines import FIRST, LONGEST, SignedLines

SEED = bytes(range(32))
NOVEMBER, DECEMBER = 1_794_000_000_000, 1_797_000_000_000


@pytest.fixture
def lines(tmp_path: Path) -> SignedLines:
    return SignedLines(tmp_path / "trail", SEED)


def add(lines: SignedLines, n: int, now_ms: int = NOVEMBER) -> None:
    last = lines.last()
    assert lines.add({"n": n}, now_ms, after=FIRST if last is None else last.digest)


def said(lines: SignedLines) -> list[int | None]:
    return [None if line is None else line.said["n"] for line in lines.lines()]


def file_of(lines: SignedLines) -> Path:
    return max(lines.folder.glob("*.jsonl"))


def test_lines_are_read_back_in_order_each_bound_to_the_one_before(lines: SignedLines) -> None:
    for n in range(5):
        add(lines, n)
    found = [line for line in lines.lines() if line is not None]
    assert [line.said["n"] for line in found] == [0, 1, 2, 3, 4]
    assert [line.before for line in found] == [FIRST, *(line.digest for line in found[:-1])]
    assert all(map(lines.is_ours, found))
    assert lines.last() == found[-1]


def test_nothing_is_there_before_the_first_line(lines: SignedLines) -> None:
    assert lines.last() is None
    assert list(lines.lines()) == []
    assert not lines.folder.exists(), "reading makes no folder"


def test_only_the_owner_may_read(lines: SignedLines) -> None:
    add(lines, 1)
    assert stat.S_IMODE(lines.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file_of(lines).stat().st_mode) == 0o600


def test_a_line_is_json_that_anybody_verifies_with_the_public_key(lines: SignedLines) -> None:
    """No code of ours is needed: the text before `,"sig"`, Ed25519, base64url."""
    add(lines, 7)
    text = file_of(lines).read_text()
    assert json.loads(text)["n"] == 7
    key = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    signed = text.partition(',"sig":')[0].encode()
    key.verify(from_base64url(json.loads(text)["sig"]), signed)
    with pytest.raises(InvalidSignature):
        key.verify(from_base64url(json.loads(text)["sig"]), signed.replace(b"7", b"8"))


def test_who_thinks_of_another_last_line_adds_nothing(lines: SignedLines) -> None:
    add(lines, 1)
    assert not lines.add({"n": 2}, NOVEMBER, after=FIRST)
    assert said(lines) == [1]


def test_a_new_month_is_a_new_file_and_the_chain_goes_on(lines: SignedLines) -> None:
    add(lines, 1)
    add(lines, 2, DECEMBER)
    add(lines, 3, NOVEMBER)  # a clock that went back
    assert [p.name for p in sorted(lines.folder.glob("*.jsonl"))] == ["2026-11.jsonl", "2026-12.jsonl"]
    assert said(lines) == [1, 2, 3]
    found = [line for line in lines.lines() if line is not None]
    assert [line.before for line in found[1:]] == [line.digest for line in found[:-1]]


@pytest.mark.parametrize("cut", [1, 2, 40, 150])
def test_a_torn_line_is_passed_over_and_the_next_begins_a_new_one(lines: SignedLines, cut: int) -> None:
    """A process died while it wrote: nobody was told of that line."""
    add(lines, 1)
    whole = file_of(lines).read_bytes()
    add(lines, 2)
    both = file_of(lines).read_bytes()
    file_of(lines).write_bytes(both[:-cut])
    torn = cut > 1  # only the line's end is missing: the line is there
    assert said(lines) == [1, None if torn else 2]
    add(lines, 3)
    assert said(lines) == ([1, None, 3] if torn else [1, 2, 3])
    assert file_of(lines).read_bytes().startswith(whole)
    last = lines.last()
    assert last is not None
    assert lines.is_ours(last)


def test_a_file_without_a_whole_line_sends_the_reader_to_the_one_before(lines: SignedLines) -> None:
    add(lines, 1)
    (lines.folder / "2026-12.jsonl").write_text('{"n":2,"bef')
    assert lines.last() is not None
    add(lines, 3, DECEMBER)
    assert said(lines) == [1, None, 3]


@pytest.mark.parametrize("rubbish", ["", "null", "{}", '{"n":1}', "\x00" * 50, '{"n":1,"before":"00","sig":"xx"}'])
def test_rubbish_is_no_line(lines: SignedLines, rubbish: str) -> None:
    add(lines, 1)
    with file_of(lines).open("a") as file:
        file.write(rubbish + "\n")
    add(lines, 2)
    assert said(lines) == [1, None, 2]


def test_a_line_that_another_key_signed_is_not_ours(lines: SignedLines) -> None:
    other = SignedLines(lines.folder, bytes(32))
    add(other, 1)
    (line,) = lines.lines()
    assert line is not None
    assert other.is_ours(line)
    assert not lines.is_ours(line)
    assert lines.key_id != other.key_id


def test_the_same_seed_is_the_same_key(lines: SignedLines) -> None:
    assert SignedLines(lines.folder, SEED).key_id == lines.key_id


def test_what_is_too_long_is_refused_and_nothing_is_written(lines: SignedLines) -> None:
    add(lines, 1)
    last = lines.last()
    assert last is not None
    with pytest.raises(ValueError, match=str(LONGEST)):
        lines.add({"n": "x" * LONGEST}, NOVEMBER, after=last.digest)
    assert said(lines) == [1]


def _race(folder: Path, n: int) -> None:
    lines = SignedLines(folder, SEED)
    for _ in range(20):
        while True:
            last = lines.last()
            if lines.add({"n": n}, NOVEMBER, after=FIRST if last is None else last.digest):
                break


@pytest.mark.slow
def test_processes_that_write_at_once_make_one_chain(lines: SignedLines) -> None:
    context = multiprocessing.get_context("spawn")
    racers = [context.Process(target=_race, args=(lines.folder, n)) for n in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    found = [line for line in lines.lines() if line is not None]
    assert sorted(line.said["n"] for line in found) == [0] * 20 + [1] * 20 + [2] * 20
    assert [line.before for line in found] == [FIRST, *(line.digest for line in found[:-1])]


def test_nobody_waits_for_a_writer_that_was_stopped(lines: SignedLines) -> None:
    add(lines, 1)
    last = lines.last()
    assert last is not None
    with (lines.folder / "lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not lines.add({"n": 2}, NOVEMBER, after=last.digest)
    assert lines.add({"n": 3}, NOVEMBER, after=last.digest)
    assert said(lines) == [1, 3]


_DIES = """
import os, sys
from pathlib import Path
from croupier.kit.signed_lines import FIRST, SignedLines
lines = SignedLines(Path(sys.argv[1]), bytes(range(32)))
os.fsync = lambda _: os.kill(os.getpid(), 9)
lines.add({"n": 1}, 1794000000000, after=FIRST)
"""


def test_a_process_that_is_killed_before_the_sync_leaves_what_the_next_one_can_use(lines: SignedLines) -> None:
    done = subprocess.run([sys.executable, "-c", _DIES, str(lines.folder)], check=False, env={"PYTHONPATH": "src"})
    assert done.returncode == -9
    add(lines, 2)
    assert said(lines) == [1, 2]
