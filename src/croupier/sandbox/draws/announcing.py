"""The studio's line to the feed: what is new of each draw is published until the hub has taken it.

Owns: the order and the repeats of one game type; each game type has a line of its own, so that none waits for another. Never: the
contents of an announcement (records). Of a draw only the newest version is published; the ones it replaced may be skipped (feed.md 4.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from croupier.kit.clock import Clock
from croupier.sandbox.draws.draw_journal import DrawJournal
from croupier.sandbox.draws.records import StudioDraw
from croupier.sandbox.journal import Journal
from croupier.sandbox.studio_calls import NOT_KNOWN, OK, StudioCalls
from croupier.sandbox.studio_rounds import answer_or_silence

REPEAT_S = 0.5
"""The pause after a publication that the hub did not answer, or answered with 99."""
REFUSED_S = 5.0
"""The pause after a refusal: an operator may give the studio the game type meanwhile."""


class Announcer:
    """Publishes the draws of one game type. `run` is its task."""

    def __init__(self, *, calls: StudioCalls, clock: Clock, records: DrawJournal, journal: Journal) -> None:
        self._calls = calls
        self._clock = clock
        self._records = records
        self._journal = journal
        self._waiting: dict[int, StudioDraw] = {}
        self._new = asyncio.Event()
        self._taken = asyncio.Event()

    def announce(self, draw: StudioDraw) -> None:
        """Publish this version of the draw as soon as possible."""
        self._waiting[draw.edition] = draw
        self._new.set()

    async def taken(self, draw: StudioDraw) -> None:
        """Wait until the hub has taken this version of the draw, or a newer one."""
        while self._records.told.get(draw.edition, -1) < draw.version:
            self._taken.clear()
            await self._taken.wait()

    async def run(self) -> None:
        """Publish whatever waits, for ever. The oldest draw goes first; one that is refused holds up no newer one."""
        while True:
            await self._new.wait()
            self._new.clear()
            while self._waiting:
                pauses_s = [await self._publish(self._waiting[edition]) for edition in sorted(self._waiting)]
                if self._waiting and any(pauses_s):
                    await self._clock.sleep(max(pauses_s))

    async def _publish(self, draw: StudioDraw) -> float:
        """Publish one version; return how long to wait before the next try, 0 if it was taken."""
        told: Mapping[str, object] = draw.announcement()
        answer = await answer_or_silence(lambda: self._calls.publish([told]))
        if answer is None or answer.code is None or answer.code >= NOT_KNOWN:
            return REPEAT_S
        if answer.code != OK:
            self._journal.complain(f"draw {draw.game_type}/{draw.edition} is not published: code {answer.code}")
            return REFUSED_S
        try:
            self._records.put_told(draw.edition, draw.version)
        except OSError as problem:
            self._journal.complain(f"the journal of the draws cannot be written: {problem}")
            return REPEAT_S
        if self._waiting.get(draw.edition) is draw:
            del self._waiting[draw.edition]
        self._taken.set()
        return 0.0
