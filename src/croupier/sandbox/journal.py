"""The journal of a sandbox casino or studio: messages received and sent, and complaints, for `/_sandbox/log` and tests.

Owns: the bounded lists of entries and complaints. Never: a secret: no token, signature or password is passed to it. A
complaint is a breach of the contract that an honest peer tolerates but should never see.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from croupier.kit.clock import Clock
from croupier.kit.strictjson import Json, NumberText

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One message received or sent."""

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
        """Return the entry as JSON for the log page."""
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
    """The last entries and complaints of one casino or studio."""

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
        """Record one message."""
        self._count += 1
        at_ms = self._clock.now_ms()
        self._entries.append(JournalEntry(self._count, at_ms, direction, path, data, status, answer, note))

    def complain(self, about: str) -> None:
        """Record one breach of the contract."""
        self.complaints.append(about)

    def complain_of_bug(self, task: asyncio.Task[Any]) -> None:
        """Keep the error of a task that ended with one; a callback for tasks that nobody awaits."""
        if not task.cancelled() and task.exception() is not None:
            self.complain(f"a task of the sandbox ended with {task.exception()!r}")

    def since(self, number: int = 0) -> list[JournalEntry]:
        """Return the entries after this number, oldest first."""
        return [entry for entry in self._entries if entry.number > number]


def plain_json(document: Json) -> object:
    """Return the document with whole numbers as int. Other numbers stay text, so that none becomes a float."""
    if isinstance(document, NumberText):
        return int(document) if document.lstrip("-").isdigit() else str(document)
    if isinstance(document, list):
        return [plain_json(item) for item in document]
    if isinstance(document, dict):
        return {name: plain_json(value) for name, value in document.items()}
    return document
