"""The language of the money stories: a file of text, read into a `Story`.

A file is a title, one sentence that says which line of money.md it proves, settings (`name value`), a table, and what
stands at the end. A blank cell in the table means: as on the line before, and that is checked too. A cell of the
`state` column names states that matter there, `b1 on; b1 payout sent`.

Owns: the grammar of files, times, amounts and results; errors name file and line. Never: plays a story (play).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from croupier.core.money import BadAmount, parse_amount
from tests.scenarios import words
from tests.scenarios.words import BadWords, Event

FIGURES = ("wallet", "open-bets", "owed", "ggr", "suspense", "cashback", "jackpot")
"""What can be a column: the players' change at the casino, then sums of accounts. Minor units, signed."""
SETTINGS = ("currency", "hold", "claim", "late_accept", "tax_bp", "close", "info", "skip_zero", "pay_out_waits",
            "jackpot_wins", "in_flight", "reuses_transaction_ids")  # fmt: skip
END = "At the end"
_SUBJECT = re.compile(r"([a-z]\w*)\s+(\w+)(?:,\s*(\w+))?(?::\s*(.*))?")


class BadStory(Exception):
    """The file cannot be read; the text begins with file:line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `at_ms` is milliseconds since the story began, or None for `after_ms` more than now."""

    line: int
    at_ms: int | None
    after_ms: int
    words: str
    event: Event
    answer: str
    figures: dict[str, int]
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """How one bet or cashback ends: its state, what the casino knows of its end, its payments' states."""

    state: str
    closing: str | None
    payments: dict[str, str]


@dataclass(slots=True)
class Story:
    """One file. `incidents` and `undecided` hold texts like `b1 parked` and `b1 payout`."""

    path: Path
    title: str = ""
    proves: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    endings: dict[str, Ending] = field(default_factory=dict)
    incidents: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()
    unexplained: int = 0
    """How far the casino's wallets stand from the ledger's: 0 where the casino told the truth."""

    @property
    def currency(self) -> str:
        """The one currency of the story."""
        return self.settings.get("currency", "EUR")


def read(path: Path) -> Story:
    """Read a file; raises BadStory."""
    reader = _Reader(path)
    for number, text in enumerate(path.read_text().splitlines(), 1):
        try:
            reader.line(number, text.rstrip())
        except (BadWords, BadAmount, ValueError) as bad:
            raise BadStory(f"{path.name}:{number}: {bad}") from bad
    missing = [name for name in ("title", "proves", "rows", "endings") if not getattr(reader.story, name)]
    if missing:
        raise BadStory(f"{path.name}:1: the story has no {', '.join(missing)}")
    return reader.story


class _Reader:
    def __init__(self, path: Path) -> None:
        self.story = Story(path)
        self._part = self._head
        self._figures: dict[str, int] = {}

    def line(self, number: int, text: str) -> None:
        if not text or text.startswith("#") or set(text) <= set("-+| "):
            return
        if text == END:
            self._part = self._end
        elif "|" in text and not self.story.columns:
            self._columns(text)
        else:
            self._part(number, text)

    def _head(self, number: int, text: str) -> None:
        story = self.story
        if not story.title:
            story.title = text
        elif text.startswith("Proves "):
            story.proves = text
        else:
            name, _, value = text.partition(" ")
            if name not in SETTINGS:
                raise BadWords(f"{name!r} is no setting; there are: {', '.join(SETTINGS)}")
            story.settings[name] = value.strip()

    def _columns(self, text: str) -> None:
        names = [c.strip() for c in text.split("|")]
        if names[:3] != ["time", "event", "answer"]:
            raise BadWords("the table begins with the columns time, event, answer")
        if unknown := set(names[3:]) - {*FIGURES, "state"}:
            raise BadWords(f"no column is called {', '.join(sorted(unknown))}")
        self.story.columns = names
        self._figures = {name: 0 for name in names[3:] if name != "state"}
        self._part = self._row

    def _row(self, number: int, text: str) -> None:
        cells = [c.strip() for c in text.split("|")]
        if len(cells) != len(self.story.columns):
            raise BadWords(f"{len(cells)} cells, the table has {len(self.story.columns)} columns")
        named = dict(zip(self.story.columns, cells, strict=True))
        for name in self._figures:
            if named[name]:
                self._figures[name] = signed(named[name], self.story.currency)
        states = tuple(s.strip() for s in named.get("state", "").split(";") if s.strip())
        at_ms, after_ms = _time(named["time"])
        row = Row(number, at_ms, after_ms, named["event"], words.event(named["event"]), named["answer"],
                  dict(self._figures), states)  # fmt: skip
        self.story.rows.append(row)

    def _end(self, number: int, text: str) -> None:
        name, _, rest = text.partition(" ")
        rest = rest.strip()
        if name in {"incidents", "undecided"}:
            found = frozenset() if rest == "none" else frozenset(x.strip() for x in rest.split(","))
            setattr(self.story, name, found)
        elif name == "unexplained":
            self.story.unexplained = signed(rest, self.story.currency)
        else:
            self.story.endings[name] = _ending(text)


def _ending(text: str) -> Ending:
    matched = _SUBJECT.fullmatch(text)
    if matched is None:
        raise BadWords("expected `b1 returned, closed: stake accepted, bet_return accepted`")
    payments: dict[str, str] = {}
    for item in (matched[4] or "").split(","):
        if item.strip():
            kind, _, state = item.strip().partition(" ")
            if kind not in words.KINDS:
                raise BadWords(f"{kind!r} is no kind of payment")
            payments[kind] = state
    return Ending(matched[2], matched[3], payments)


def signed(text: str, currency: str) -> int:
    """An amount that may be negative, in minor units. Raises BadAmount."""
    minor = parse_amount(text.removeprefix("-"), currency)
    return -minor if text.startswith("-") else minor


def _time(text: str) -> tuple[int | None, int]:
    """`0:45`, `2:00:00`, `0:00.25` since the beginning, or `+30s` since the line before; blank is at once."""
    if not text:
        return None, 0
    if matched := re.fullmatch(r"\+([\d.]+)s", text):
        return None, round(float(matched[1]) * 1000)
    matched = re.fullmatch(r"(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)", text)
    if matched is None:
        raise BadWords(f"{text!r} is no time: write 0:45, 2:00:00 or +30s")
    hours, minutes, seconds = int(matched[1] or 0), int(matched[2]), float(matched[3])
    return round(((hours * 60 + minutes) * 60 + seconds) * 1000), 0
