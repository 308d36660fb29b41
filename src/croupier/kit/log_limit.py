"""Rate limit of log lines by kind, so that a peer can neither fill the disk nor hide other lines.

Owns: the decision for each line, and the count of suppressed lines. Never: the contents of a line.

A kind is the event's name with the casino or provider that it names. In each window of ten seconds the first `LINES`
of a kind pass. The rest are counted, and one line reports the count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_S = 10.0
LINES = 20
KINDS = 2000
"""The largest number of kinds at once; further ones share one kind, so that memory is bounded."""
REST = "others"


@dataclass(slots=True)
class _Window:
    until_s: float
    passed: int = 0
    held: int = 0


class Limit:
    """Rate limit by kind; `now_s` is a monotonic clock."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._windows: dict[str, _Window] = {}
        self._totals: Counter[str] = Counter()

    def passes(self, kind: str, name: str) -> bool:
        """Return whether one more line of this kind may be written now. Suppressed lines are totalled by `name`."""
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
        """Return the kinds whose windows are over, with their suppressed lines, and remove these windows."""
        now_s = self._now_s()
        ended = [kind for kind, window in self._windows.items() if now_s >= window.until_s]
        held = [(kind, self._windows.pop(kind).held) for kind in ended]
        return [(kind, count) for kind, count in held if count]

    def take_totals(self) -> dict[str, int]:
        """Return the suppressed lines since the last call, by name."""
        taken, self._totals = dict(self._totals), Counter()
        return taken
