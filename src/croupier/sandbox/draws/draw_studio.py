"""All draw games of one studio: a table each, their journals, and what is shown of them.

Owns: starting and stopping the tables, finding the table of a session, the view. Never: the way of a draw (table) or of its money (settling).
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from croupier.core.money import format_amount
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.sandbox.draws.catalogue import DRAW_GAMES
from croupier.sandbox.draws.draw_journal import DrawJournal, FilePages, MemoryPages, Pages, lock
from croupier.sandbox.draws.records import DrawBet, StudioDraw
from croupier.sandbox.draws.schedule import SCHEDULES, Schedule
from croupier.sandbox.draws.table import BetRejected, DrawTable
from croupier.sandbox.journal import Journal
from croupier.sandbox.studio_calls import StudioCalls
from croupier.sandbox.studio_games import LaunchedSession


@dataclass(frozen=True, slots=True)
class DrawPlan:
    """The plan of the draws: the folder of their journals, and the factor by which they run faster than usual."""

    folder: Path | None = None
    pace: int = 1


class DrawStudio:
    """The draw games. Tables are made by `start`; before it there is none, and no bet is taken."""

    def __init__(self, *, calls: StudioCalls, clock: Clock, chance: Chance, journal: Journal) -> None:
        self.tables: dict[int, DrawTable] = {}
        self._calls = calls
        self._clock = clock
        self._chance = chance
        self._journal = journal
        self._tasks: list[asyncio.Task[None]] = []
        self._planned: DrawPlan | None = None
        self._lock: int | None = None

    def plan(self, plan: DrawPlan) -> None:
        """Start by this plan as soon as the studio has its credentials."""
        self._planned = plan

    def begin_if_planned(self, *, has_credentials: bool) -> None:
        """Start if that was planned and calls can be signed."""
        if self._planned is not None and has_credentials:
            self.start(self._planned.folder, pace=self._planned.pace)

    def start(self, folder: Path | None = None, *, pace: int = 1, schedules: dict[int, Schedule] | None = None) -> None:
        """Run the draws of all games; does nothing if they run. With a folder a restart goes on where this run ended.

        Raises JournalBroken, FolderInUse, OSError for a folder that cannot be used.
        """
        if self.tables:
            return
        held = None if folder is None else lock(folder)
        try:
            self.tables = {
                game_type: self._table(game_type, schedule.faster(pace), _pages(folder, game_type))
                for game_type, schedule in (schedules or SCHEDULES).items()
            }
        except BaseException:
            _release(held)
            raise
        self._lock = held
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(table.run()) for table in self.tables.values()]
        for task in self._tasks:
            task.add_done_callback(self._journal.complain_of_bug)

    def _table(self, game_type: int, schedule: Schedule, pages: Pages) -> DrawTable:
        return DrawTable(
            DRAW_GAMES[game_type],
            schedule,
            calls=self._calls,
            clock=self._clock,
            chance=self._chance,
            records=DrawJournal(pages),
            journal=self._journal,
        )

    async def close(self) -> None:
        """Stop all tables where they are: the journal knows how to go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self.tables = {}
        _release(self._lock)
        self._lock = None

    def table_of(self, launched: LaunchedSession) -> DrawTable:
        """Return the table of a session's game. Raises BetRejected."""
        found = self.running_table(launched)
        if found is None:
            raise BetRejected("this game has no draws, or the draws do not run")
        return found

    def running_table(self, launched: LaunchedSession) -> DrawTable | None:
        """Return the table of a session's game; None where its draws do not run."""
        return next((table for table in self.tables.values() if table.game.game_id == launched.game), None)

    def table(self, game_type: int) -> DrawTable:
        """Return the table of a game type. Raises BetRejected."""
        if game_type not in self.tables:
            raise BetRejected(f"no draws of game type {game_type} run")
        return self.tables[game_type]

    def shown(self) -> list[dict[str, object]]:
        """Return what may be seen of every table: the draw that runs, those that ended, and their bets. Never a seed too early."""
        return [_shown(table) for table in self.tables.values()]


def _pages(folder: Path | None, game_type: int) -> Pages:
    return MemoryPages() if folder is None else FilePages(folder / f"draws-{game_type}.jsonl")


def _release(held: int | None) -> None:
    if held is not None:
        os.close(held)


def is_draw_game(launched: LaunchedSession) -> bool:
    """Return whether the session is one of a draw game, whether its draws run or not."""
    return any(game.game_id == launched.game for game in DRAW_GAMES.values())


def _shown(table: DrawTable) -> dict[str, object]:
    draw = table.draw
    return {
        "gameType": table.game.game_type,
        "gameId": table.game.game_id,
        "name": table.game.name,
        "draw": None if draw is None else _draw_shown(draw, table.records.bets_of(draw.edition)),
        "ended": [
            _draw_shown(ended, [table.records.bets.get(bet.bet, bet) for bet in bets]) for ended, bets in table.ended
        ],
        "owed": sum(
            not bet.state.ended for bet in table.records.bets.values() if draw is None or bet.edition != draw.edition
        ),
    }


def _draw_shown(draw: StudioDraw, bets: list[DrawBet]) -> dict[str, object]:
    return {"phase": draw.phase.value, **draw.announcement(), "bets": [bet_shown(bet) for bet in bets]}


def bet_shown(bet: DrawBet) -> dict[str, object]:
    """Return a bet for people and tests. Amounts are decimal text."""
    return {
        "bet": bet.bet,
        "gameType": bet.game_type,
        "gameEdition": bet.edition,
        "session": bet.session,
        "choice": bet.choice,
        "stake": format_amount(bet.stake, bet.currency),
        "win": format_amount(bet.win, bet.currency),
        "currency": bet.currency,
        "state": bet.state.value,
    }
