"""What a sandbox side received, sent and found odd, for `/_sandbox/log` and for the tests to look into.

Owns: the bounded list of entries and the list of complaints. Never: a secret (no bearer, no signature, no password is
handed to it). A complaint is a breach of the contract that an honest peer survives but should never see.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from croupier.kit.clock import Clock
from croupier.kit.strictjson import Json, NumberText

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One message, seen from this side."""

    number: int
    at_ms: int
    direction: str
    """`in` for a call received, `out` for a call made."""
    path: str
    data: Json
    status: int | None
    """HTTP status; None if there was no answer."""
    answer: Json
    note: str

    def as_json(self) -> dict[str, object]:
        """For the log page."""
        return {
            "number": self.number,
            "atMs": self.at_ms,
            "direction": self.direction,
            "path": self.path,
            "data": plain_json(self.data),
            "status": self.status,
            "answer": plain_json(self.answer),
            "note": self.note,
        }


class Journal:
    """The last entries and complaints of one side."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: deque[JournalEntry] = deque(maxlen=KEPT)
        self._count = 0
        self.complaints: deque[str] = deque(maxlen=1000)

    def note(
        self,
        direction: str,
        path: str,
        data: Json,
        *,
        status: int | None = None,
        answer: Json = None,
        note: str = "",
    ) -> None:
        """Keep one message."""
        self._count += 1
        at_ms = self._clock.now_ms()
        self._entries.append(JournalEntry(self._count, at_ms, direction, path, data, status, answer, note))

    def complain(self, about: str) -> None:
        """Keep one breach of the contract."""
        self.complaints.append(about)

    def since(self, number: int = 0) -> list[JournalEntry]:
        """The entries after that number, oldest first."""
        return [entry for entry in self._entries if entry.number > number]


def plain_json(document: Json) -> object:
    """The same document with whole numbers as numbers again; other numbers stay their own text, so none is a float."""
    if isinstance(document, NumberText):
        return int(document) if document.lstrip("-").isdigit() else str(document)
    if isinstance(document, list):
        return [plain_json(item) for item in document]
    if isinstance(document, dict):
        return {name: plain_json(value) for name, value in document.items()}
    return document
