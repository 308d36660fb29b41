"""Verification of archive files alone: their signatures, their order, and the books of every bet in them.

Owns: the reports. Never: a database, or a trust in the key that a file names: the caller says which keys it trusts. Memory use does
not grow with a file. Spec: decision 0100.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from croupier.kit.signed_file import FileBroken, SignedFileReader
from croupier.views.archive.books import Sums, add_up, problems

FORM: Final = 1
FIRST: Final = "0" * 64
"""What the first part names as the digest of the part before."""
MOST: Final = 100
"""The most problems of one file."""


@dataclass(slots=True)
class FileReport:
    """The result for one file. It holds if there is no problem."""

    path: Path
    part: int = 0
    last: bool = False
    before_ms: int | None = None
    installation: str | None = None
    subjects: int = 0
    entries: int = 0
    key: str = ""
    """The public key that signed it, in base64url."""
    sha256: str = ""
    previous: str = ""
    totals: Sums = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def verify_files(paths: Sequence[Path], trusts: Callable[[str], bool]) -> list[FileReport]:
    """Verify each file, and that the parts of an archive are all there; in the order of archives and parts.

    `trusts` says whether a public key, in base64url, is one that may sign. Raises OSError.
    """
    reports = sorted((verify_file(path, trusts) for path in paths), key=lambda r: (r.before_ms or 0, r.part))
    archives: dict[tuple[str | None, int | None], list[FileReport]] = {}
    for report in reports:
        archives.setdefault((report.installation, report.before_ms), []).append(report)
    for parts in archives.values():
        _follow(parts)
    return reports


def verify_file(path: Path, trusts: Callable[[str], bool]) -> FileReport:
    """Verify one file. It stops after MOST problems. Raises OSError."""
    report, reader = FileReport(path), SignedFileReader(path)
    before = 0
    try:
        for _ in reader.lines():  # nothing is read out of a file before its signature fits
            pass
        for number, line in enumerate(reader.lines()):
            said = json.loads(line)
            if number == 0:
                _head(report, said)
            elif len(report.problems) < MOST:
                before = _subject(report, said, before)
        _end(report, reader, trusts)
    except FileBroken as broken:
        report.problems.insert(0, str(broken))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        report.problems.append(f"a line has another form than this program knows ({type(error).__name__}: {error})")
    return report


def subjects_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a verified file: one bet or cashback each. Raises OSError."""
    for line in islice(SignedFileReader(path).lines(), 1, None):
        yield json.loads(line)


def _head(report: FileReport, said: dict[str, Any]) -> None:
    if said["what"] != "archive" or said["form"] != FORM:
        report.problems.append(f"it is no archive of form {FORM}: use the program that wrote it, {said.get('program')}")
    report.part, report.before_ms, report.previous = said["part"], said["before_ms"], said["previous"]
    report.installation = said["installation"]


def _subject(report: FileReport, said: dict[str, Any], before: int) -> int:
    report.subjects += 1
    report.entries += len(said["ledger"])
    report.problems += [f"{said['subject']}: {problem}" for problem in problems(said)]
    if said["subject"] <= before:
        report.problems.append(f"{said['subject']} is there twice, or out of order")
    add_up(said, report.totals)
    return int(said["subject"])


def _end(report: FileReport, reader: SignedFileReader, trusts: Callable[[str], bool]) -> None:
    end = reader.end
    report.key, report.sha256, report.last = reader.key, end["sha256"], end["last"]
    if not trusts(reader.key):
        report.problems.append(f"it is signed with key {reader.key}, which is not one of yours")
    if (end["what"], end["part"], end["subjects"]) != ("end", report.part, report.subjects):
        report.problems.append(f"its end says part {end['part']} with {end['subjects']} bets and cashbacks")
    if end["totals"] != report.totals:
        report.problems.append("its entries do not add up to the sums at its end")


def _follow(parts: list[FileReport]) -> None:
    """Check that each part names the one before, and that the last one is there."""
    before = FIRST
    for number, report in enumerate(parts, start=1):
        if report.part != number or report.previous != before:
            report.problems.append(f"it is part {report.part}, and part {number} of this archive belongs here")
        before = report.sha256
    if parts and not parts[-1].last:
        parts[-1].problems.append("it is not the last part of its archive: the next one is missing")
