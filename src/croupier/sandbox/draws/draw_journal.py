"""The journal of the draws on disk: what a studio that starts again must know to finish or refund what it had begun.

Owns: one file per game type, one JSON line per changed record, flushed to disk before the change counts. Never: a decision. The last line of
a record is the record. A line cut off by a crash can only be the last one, and what it said had not counted yet.

The seed of a draw that runs stands in the file, so only its owner may read it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from croupier.sandbox.draws.records import DrawBet, DrawBetState, Phase, StudioDraw

_OWNER_ONLY = 0o600


class JournalBroken(Exception):
    """A line of the journal cannot be read; the text names file and line, and what to do."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(
            f"{name}: line {number} cannot be read. Restore the file, or move it away to begin anew; bets that it holds and that are "
            "not over must then be ended by a person (`croupier bet`)"
        )


class FolderInUse(OSError):
    """Another studio keeps its journals in this directory."""


class Pages(Protocol):
    """The place that keeps the lines of one game type."""

    @property
    def name(self) -> str:
        """The name that a person reads."""
        ...

    def append(self, line: str) -> None:
        """Keep one line for good. Raises OSError."""
        ...

    def lines(self) -> list[str]:
        """Return the whole lines kept so far."""
        ...

    def replace(self, lines: Iterable[str]) -> None:
        """Keep these lines instead, all or nothing. Raises OSError."""
        ...


class FilePages:
    """Lines in a file that is synced after each of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._cut_torn_line()

    def append(self, line: str) -> None:
        """Write the line and sync it. A write that failed in the middle is cut off again."""
        before = self._path.stat().st_size if self._path.exists() else 0
        with self._opened(self._path, os.O_APPEND) as file:
            try:
                _write(file.fileno(), line.encode() + b"\n")
            except OSError:
                os.ftruncate(file.fileno(), before)
                raise

    def lines(self) -> list[str]:
        """Return every line that was written whole."""
        return self._path.read_text("utf-8").splitlines() if self._path.exists() else []

    def replace(self, lines: Iterable[str]) -> None:
        """Write a new file beside the old one, sync it, and put it in its place."""
        fresh = self._path.with_suffix(".new")
        with self._opened(fresh, os.O_TRUNC) as file:
            _write(file.fileno(), "".join(f"{line}\n" for line in lines).encode())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _cut_torn_line(self) -> None:
        if not self._path.exists():
            return
        body = self._path.read_bytes()
        whole = body.rfind(b"\n") + 1
        if whole != len(body):
            os.truncate(self._path, whole)

    def _opened(self, path: Path, mode: int) -> Any:  # noqa: ANN401 - a raw file
        return open(os.open(path, os.O_WRONLY | os.O_CREAT | mode, _OWNER_ONLY), "wb", buffering=0)  # noqa: PTH123


def lock(folder: Path) -> int:
    """Hold the directory for this process until the descriptor that is returned is closed. Raises FolderInUse, OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise FolderInUse(f"another studio runs draws with the journals in {folder}: stop it first") from None
    return held


class MemoryPages:
    """Lines in memory, for a studio that was given no directory: it forgets its draws at its end."""

    def __init__(self) -> None:
        self.name = "memory"
        self._lines: list[str] = []

    def append(self, line: str) -> None:
        """Keep the line."""
        self._lines.append(line)

    def lines(self) -> list[str]:
        """Return all lines."""
        return list(self._lines)

    def replace(self, lines: Iterable[str]) -> None:
        """Keep these lines instead."""
        self._lines = list(lines)


class DrawJournal:
    """The records of one game type, in memory as they stand on disk."""

    def __init__(self, pages: Pages) -> None:
        self.draws: dict[int, StudioDraw] = {}
        """Edition to draw: those that are not over for good, and the newest one."""
        self.bets: dict[str, DrawBet] = {}
        """Every bet of those draws, by its betId."""
        self.told: dict[int, int] = {}
        """Edition to the newest version of it that the feed took."""
        self._pages = pages
        for number, line in enumerate(pages.lines(), 1):
            self._read(number, line)

    @property
    def newest(self) -> StudioDraw | None:
        """Return the draw with the highest edition."""
        return self.draws[max(self.draws)] if self.draws else None

    def put_draw(self, draw: StudioDraw) -> StudioDraw:
        """Write the draw, then hold it. Raises OSError."""
        self._pages.append(_line("draw", {**asdict(draw), "phase": draw.phase.value}))
        self.draws[draw.edition] = draw
        return draw

    def put_bet(self, bet: DrawBet) -> DrawBet:
        """Write the bet, then hold it. Raises OSError."""
        self._pages.append(_line("bet", {**asdict(bet), "state": bet.state.value}))
        self.bets[bet.bet] = bet
        return bet

    def put_told(self, edition: int, version: int) -> None:
        """Write that the feed took this version. Raises OSError."""
        self._pages.append(_line("told", {"edition": edition, "version": version}))
        self.told[edition] = version

    def bets_of(self, edition: int) -> list[DrawBet]:
        """Return the bets of one draw, in the order in which they were made."""
        return [bet for bet in self.bets.values() if bet.edition == edition]

    def over(self, draw: StudioDraw) -> bool:
        """Return whether nothing is left to do for a draw: it ended, the feed knows, and each of its bets has ended."""
        known = self.told.get(draw.edition) == draw.version
        return draw.phase.ended and known and all(bet.state.ended for bet in self.bets_of(draw.edition))

    def forget_what_is_over(self) -> None:
        """Drop draws that are over, with their bets, from memory and disk. The newest stays: it holds the last edition."""
        newest = self.newest
        gone = [draw.edition for draw in self.draws.values() if draw is not newest and self.over(draw)]
        if not gone:
            return
        draws = {edition: draw for edition, draw in self.draws.items() if edition not in gone}
        bets = {name: bet for name, bet in self.bets.items() if bet.edition not in gone}
        told = {edition: version for edition, version in self.told.items() if edition not in gone}
        self._pages.replace([
            *(_line("draw", {**asdict(draw), "phase": draw.phase.value}) for draw in draws.values()),
            *(_line("bet", {**asdict(bet), "state": bet.state.value}) for bet in bets.values()),
            *(_line("told", {"edition": edition, "version": version}) for edition, version in told.items()),
        ])  # fmt: skip
        self.draws, self.bets, self.told = draws, bets, told

    def _read(self, number: int, line: str) -> None:
        try:
            ((kind, told),) = json.loads(line).items()
            if kind == "draw":
                draw = StudioDraw(**_with(told, phase=Phase(told["phase"]), results=_results(told["results"])))
                self.draws[draw.edition] = draw
            elif kind == "bet":
                bet = DrawBet(**_with(told, state=DrawBetState(told["state"])))
                self.bets[bet.bet] = bet
            elif kind == "told":
                self.told[told["edition"]] = told["version"]
            else:
                raise JournalBroken(self._pages.name, number)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise JournalBroken(self._pages.name, number) from problem


def _line(kind: str, told: Mapping[str, Any]) -> str:
    return json.dumps({kind: told}, separators=(",", ":"))


def _with(told: Mapping[str, Any], **changes: object) -> dict[str, Any]:
    return {**told, **changes}


def _results(told: list[int | str] | None) -> tuple[int | str, ...] | None:
    return None if told is None else tuple(told)


def _write(descriptor: int, body: bytes) -> None:
    """Write all of it and sync. Raises OSError."""
    rest = memoryview(body)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)
