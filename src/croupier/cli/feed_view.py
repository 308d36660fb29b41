"""The three forms in which `croupier feed watch` shows what happens: a terminal, plain lines, JSON lines.

Owns: the words. Never: the protocol, or a decision about the connection.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Protocol

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from croupier.cli.show import note, printable
from croupier.kit.clock import Clock
from croupier.sandbox.feed_follower import (
    FeedConnected,
    FeedEvent,
    FeedLost,
    FeedPush,
    FeedSilent,
    SeenDraw,
    SeenSnapshot,
)

STATES: Final = {1: "awaiting", 2: "active", 3: "finished", 4: "under review", 5: "cancelled"}
ACTIVE, AWAITING = 2, 1
BETTING: Final = 1
REFRESHES_PER_S: Final = 4


class FeedView(Protocol):
    """A receiver of everything that happens."""

    def show(self, event: FeedEvent) -> None:
        """Show one event."""
        ...


@contextmanager
def view_of(game_type: int, clock: Clock, *, as_json: bool) -> Iterator[FeedView]:
    """Open the form that fits: JSON if asked, else by what standard output is."""
    if as_json:
        yield JsonLines(game_type, clock)
    elif sys.stdout.isatty():
        board = Board(game_type, clock)
        with Live(get_renderable=board.picture, refresh_per_second=REFRESHES_PER_S, console=board.console):
            yield board
    else:
        yield PlainLines(game_type, clock)


class JsonLines:
    """One JSON object per line, on standard output."""

    def __init__(self, game_type: int, clock: Clock) -> None:
        self._game_type = game_type
        self._clock = clock

    def show(self, event: FeedEvent) -> None:
        """Write it."""
        match event:
            case FeedConnected(connection_id):
                _write_json({"event": "connected", "connectionId": connection_id})
            case FeedLost(why, wait_s):
                _write_json({"event": "lost", "why": why, "retryInSeconds": round(wait_s, 3)})
            case FeedSilent(for_s):
                _write_json({"event": "silent", "seconds": round(for_s, 3)})
            case FeedPush(argument, seen):
                age_ms = _age_ms(seen, self._clock)
                _write_json({"event": "snapshot", "gameType": self._game_type, "ageMs": age_ms, "snapshot": argument})


class PlainLines:
    """One line per snapshot on standard output; what happens to the connection goes to standard error."""

    def __init__(self, game_type: int, clock: Clock) -> None:
        self._game_type = game_type
        self._clock = clock

    def show(self, event: FeedEvent) -> None:
        """Write it."""
        if isinstance(event, FeedPush):
            _write_line(printable(_line(event.seen, self._clock)))
        else:
            note(_about_connection(event, self._game_type))


class Board:
    """The current state of a terminal, redrawn several times a second; what came to an end stays above it."""

    def __init__(self, game_type: int, clock: Clock) -> None:
        self.console = Console(highlight=False)
        self._game_type = game_type
        self._clock = clock
        self._seen: SeenSnapshot | None = None
        self._trouble = "connecting"
        self._ended: set[int] | None = None

    def show(self, event: FeedEvent) -> None:
        """Take it into the picture."""
        if not isinstance(event, FeedPush):
            self._trouble = "" if isinstance(event, FeedConnected) else _about_connection(event, self._game_type)
            return
        self._seen, self._trouble = event.seen, ""
        over = {draw.ge: draw for draw in event.seen.wgi if draw.s not in (AWAITING, ACTIVE)}
        for edition in sorted(over.keys() - (self._ended if self._ended is not None else over.keys())):
            self.console.print(Text(printable(_about_draw(over[edition]))))
        self._ended = set(over)

    def picture(self) -> Group:
        """Return what the terminal shows now."""
        title = Text(f"Game type {self._game_type}", style="bold")
        if self._seen is None:
            return Group(title, Text(printable(self._trouble)))
        lines = [Text(printable(line)) for line in _board_lines(self._seen, self._clock)]
        return Group(title, *lines, Text(printable(self._trouble), style="yellow"))


def _board_lines(seen: SeenSnapshot, clock: Clock) -> list[str]:
    lines = ["In maintenance"] if seen.im else []
    lines += [_about_draw(draw, _countdown(seen, draw, clock)) for draw in seen.wgi] or ["No draw yet"]
    return [*lines, f"Snapshot {seen.sId}, {_seconds(_age_ms(seen, clock))} old"]


def _line(seen: SeenSnapshot, clock: Clock) -> str:
    current = next((d for state in (ACTIVE, AWAITING) for d in reversed(seen.wgi) if d.s == state), None)
    last = next((d for d in seen.wgi if d.s not in (AWAITING, ACTIVE)), None)
    parts = [f"#{seen.sId}", f"age {_seconds(_age_ms(seen, clock))}"]
    parts += ["in maintenance"] if seen.im else []
    parts += [] if current is None else [_about_draw(current, _countdown(seen, current, clock))]
    parts += [] if last is None else [f"last {_about_draw(last)}"]
    return " | ".join(parts if current or last else [*parts, "no draw yet"])


def _about_draw(draw: SeenDraw, countdown: str = "") -> str:
    state = STATES.get(draw.s, f"state {draw.s}")
    if draw.s == ACTIVE:
        state = "betting" if draw.ps == BETTING else "game action"
    about = f"{draw.t}/{draw.ge} {state}, round {draw.cr}{countdown}"
    return f"{about}: {' '.join(map(str, draw.res))}" if draw.res else about


def _countdown(seen: SeenSnapshot, draw: SeenDraw, clock: Clock) -> str:
    """Return the time until betting ends, for the draw that takes bets."""
    if seen.bt is None or draw.s != ACTIVE or draw.ps != BETTING:
        return ""
    return f", {max(0, seen.bt - clock.now_ms() // 1000)} s left"


def _about_connection(event: FeedConnected | FeedLost | FeedSilent, game_type: int) -> str:
    match event:
        case FeedConnected(connection_id):
            return f"Connected as {connection_id}, subscribed to game type {game_type}."
        case FeedLost(why, wait_s):
            return f"Connection lost: {why}. The next try is in {wait_s:.1f} s."
        case FeedSilent(for_s):
            return (
                f"No snapshot of game type {game_type} for {for_s:.0f} s: no provider has this game type, or the hub cannot "
                "reach its database."
            )


def _age_ms(seen: SeenSnapshot, clock: Clock) -> int:
    """Return how long ago the hub made the snapshot; 0 if its clock is ahead of this machine's."""
    try:
        made_ms = round(datetime.fromisoformat(seen.tst).timestamp() * 1000)
    except ValueError:
        return 0
    return max(0, clock.now_ms() - made_ms)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s"


def _write_json(value: object) -> None:
    _write_line(msgspec.json.encode(value).decode())


def _write_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
