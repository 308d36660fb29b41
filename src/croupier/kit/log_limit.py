"""So many log lines of one kind and no more: what anybody on the network can cause fills no disk and hides no other line.

Owns: which line of a kind still passes, how many were held back, and when that is told. Never: what a line says.

A kind is the event's name, with the casino or provider that it names. In each window of ten seconds the first `LINES`
of a kind pass. The rest are counted, and one line tells how many they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_S = 10.0
LINES = 20
KINDS = 2000
"""More kinds than that at once are one: what is remembered is bounded too."""
REST = "others"


@dataclass(slots=True)
class _Window:
    until_s: float
    passed: int = 0
    held: int = 0


class Limit:
    """Counts lines by kind; `now_s` is a clock that never goes back."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._windows: dict[str, _Window] = {}
        self._totals: Counter[str] = Counter()

    def passes(self, kind: str, name: str) -> bool:
        """Whether one more line of this kind may be written now. `name` is what it is counted by for good."""
        now_s = self._now_s()
        if kind not in self._windows and len(self._windows) >= KINDS:
            kind = REST
        window = self._windows.get(kind)
        if window is None or (now_s >= window.until_s and not window.held):
            window = self._windows[kind] = _Window(now_s + WINDOW_S)
        if window.passed < LINES and now_s < window.until_s:
            window.passed += 1
            return True
        window.held += 1
        self._totals[name] += 1
        return False

    def over(self) -> list[tuple[str, int]]:
        """The kinds whose windows are over, with how many lines were held back in each; they begin anew."""
        now_s = self._now_s()
        ended = [kind for kind, window in self._windows.items() if now_s >= window.until_s]
        held = [(kind, self._windows.pop(kind).held) for kind in ended]
        return [(kind, count) for kind, count in held if count]

    def take_totals(self) -> dict[str, int]:
        """How many lines were held back since this was asked last, by name."""
        taken, self._totals = dict(self._totals), Counter()
        return taken
