"""One draw game of the studio round the clock: announce, take bets, play, tell the results, pay, and again.

Owns: the state machine of one game type, and what a restart makes of a draw it finds in the middle. Never: another game type: each has a table
with tasks of its own, so that a slow one delays nobody. Spec: feed.md 4.2.

Betting opens only after the hub has taken the announcement with the commitment. The results are computed and published only after betting
has closed and every stake under way is decided or owed back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from croupier.core.money import BadAmount, UnknownCurrency, parse_amount
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.sandbox.draws.announcing import Announcer
from croupier.sandbox.draws.crash import LOWEST, STAYS, Crash, crash_point_of, ms_until, multiplier_after
from croupier.sandbox.draws.draw_journal import DrawJournal
from croupier.sandbox.draws.fairness import SEED_BYTES
from croupier.sandbox.draws.game import BadChoice, DrawGame, multiplier_text, win_of
from croupier.sandbox.draws.records import NEXT, DrawBet, DrawBetState, Phase, StudioDraw
from croupier.sandbox.draws.schedule import Schedule
from croupier.sandbox.draws.settling import Settling
from croupier.sandbox.draws.verify import results_of
from croupier.sandbox.journal import Journal
from croupier.sandbox.studio_calls import ReceivedAnswer, StudioCalls
from croupier.sandbox.studio_games import LaunchedSession

KEPT = 20
"""Draws that are over and still shown."""
JOURNAL_PAUSE_S = 1.0
"""The pause after the journal could not be written."""


class BetRejected(Exception):
    """The studio does not take this bet, or not now; the text says why. Nothing was sent."""


class DrawTable:
    """The draws of one game type. `run` is its task; the other methods are for players and the studio's people."""

    def __init__(
        self,
        game: DrawGame,
        schedule: Schedule,
        *,
        calls: StudioCalls,
        clock: Clock,
        chance: Chance,
        records: DrawJournal,
        journal: Journal,
    ) -> None:
        self.game = game
        self.schedule = schedule
        self.records = records
        self.settling = Settling(calls=calls, clock=clock, records=records, journal=journal)
        self.announcer = Announcer(calls=calls, clock=clock, records=records, journal=journal)
        self.ended: deque[tuple[StudioDraw, tuple[DrawBet, ...]]] = deque(maxlen=KEPT)
        """The newest draws that are over, with their bets as they stood when the draw ended."""
        self._clock = clock
        self._chance = chance
        self._journal = journal
        self._cancel = asyncio.Event()
        self._steps: dict[Phase, Callable[[StudioDraw], Awaitable[None]]] = {
            Phase.AWAITING: self._await_start,
            Phase.BETTING: self._take_bets,
            Phase.ACTION: self._play,
            Phase.RESULTS: self._tell,
        }

    @property
    def draw(self) -> StudioDraw | None:
        """The draw that runs, if one does."""
        newest = self.records.newest
        return None if newest is None or newest.phase.ended else newest

    # --- the state machine ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run draw after draw, for ever. What the journal holds of an earlier run is finished or refunded first."""
        line = asyncio.get_running_loop().create_task(self.announcer.run())
        line.add_done_callback(self._journal.complain_of_bug)
        try:
            await self._unless_broken(self._recover)
            while True:
                await self._unless_broken(self._step)
        finally:
            line.cancel()
            await self.settling.close()

    async def _unless_broken(self, act: Callable[[], Awaitable[None]]) -> None:
        """Act until the journal takes what is to be written. Nothing counts before it is written."""
        while True:
            try:
                return await act()
            except OSError as problem:
                self._journal.complain(f"{self.game.name}: the journal of the draws cannot be written: {problem}")
                await self._clock.sleep(JOURNAL_PAUSE_S)

    async def _step(self) -> None:
        draw = self.draw
        if draw is not None:
            await self._steps[draw.phase](draw)
            return
        for ended in self.records.draws.values():
            self._refund_if_cancelled(ended)  # what is missing here could not be written at its end
        self._forget()
        self._plan()

    def _forget(self) -> None:
        """Drop what is over from the journal; what is shown of it keeps its last state."""
        bets = self.records.bets
        newest = [(draw, tuple(bets.get(bet.bet, bet) for bet in of)) for draw, of in self.ended]
        self.ended = deque(newest, maxlen=KEPT)
        self.records.forget_what_is_over()

    def _plan(self) -> None:
        """Write the next draw, with its seed. An edition is the second of its planning, or one more than the last."""
        now_ms, newest = self._clock.now_ms(), self.records.newest
        edition = max(now_ms // 1000, newest.edition + 1 if newest is not None else 0)
        starts_ms = self.schedule.next_start(now_ms)
        draw = StudioDraw(
            game_type=self.game.game_type,
            edition=edition,
            seed=self._chance.hex(SEED_BYTES),
            phase=Phase.AWAITING,
            version=1,
            starts_ms=starts_ms,
            betting_ends_ms=starts_ms + self.schedule.betting_ms,
        )
        self._cancel.clear()
        self.announcer.announce(self.records.put_draw(draw))

    async def _await_start(self, draw: StudioDraw) -> None:
        if await self._cancelled_before(self.announcer.taken(draw)):
            return self._end(draw, Phase.CANCELLED)
        if await self._cancelled_until(draw.starts_ms):
            return self._end(draw, Phase.CANCELLED)
        starts_ms = max(draw.starts_ms, self._clock.now_ms())
        self._move(draw, Phase.BETTING, starts_ms=starts_ms, betting_ends_ms=starts_ms + self.schedule.betting_ms)
        return None

    async def _take_bets(self, draw: StudioDraw) -> None:
        cancelled = await self._cancelled_until(draw.betting_ends_ms)
        if cancelled or await self._cancelled_before(self.settling.stakes_decided(self.schedule.grace_ms / 1000)):
            return self._end(draw, Phase.CANCELLED)
        for bet in self.records.bets_of(draw.edition):
            if self.records.bets[bet.bet].state is DrawBetState.ASKED:
                self.settling.refund(bet.bet)
        self._move(draw, Phase.ACTION, action_ms=self._clock.now_ms())
        return None

    async def _play(self, draw: StudioDraw) -> None:
        assert draw.action_ms is not None
        if await self._cancelled_until(draw.action_ms + self._action_ms(draw)):
            return self._end(draw, Phase.CANCELLED)
        assert self._clock.now_ms() >= draw.betting_ends_ms
        results = results_of(bytes.fromhex(draw.seed), draw.game_type, draw.edition)
        self._move(draw, Phase.RESULTS, results=results)
        return None

    async def _tell(self, draw: StudioDraw) -> None:
        assert draw.results is not None
        for bet in self.records.bets_of(draw.edition):
            if bet.state is DrawBetState.TAKEN:
                win = win_of(bet.stake, self.game.multiplier(bet.choice, draw.results))
                self.settling.move(bet.bet, DrawBetState.WIN, win=win)
            self.settling.pay(bet.bet)
        await self._clock.sleep(self.schedule.results_ms / 1000)
        self._end(draw, Phase.FINISHED)

    def _move(self, draw: StudioDraw, phase: Phase, **changes: Any) -> StudioDraw:  # noqa: ANN401 - fields of the record
        """Write the draw's next phase and announce it."""
        assert phase in NEXT[draw.phase], f"a draw must not go from {draw.phase.value} to {phase.value}"
        moved = self.records.put_draw(replace(draw, phase=phase, version=draw.version + 1, **changes))
        self.announcer.announce(moved)
        return moved

    def _end(self, draw: StudioDraw, phase: Phase) -> None:
        """Finish or cancel the draw. A cancelled one refunds every stake."""
        ended = self._move(draw, phase, ends_ms=self._clock.now_ms())
        self._refund_if_cancelled(ended)
        self.ended.appendleft((ended, tuple(self.records.bets_of(ended.edition))))

    def _refund_if_cancelled(self, draw: StudioDraw) -> None:
        for bet in self.records.bets_of(draw.edition) if draw.phase is Phase.CANCELLED else ():
            if bet.state in (DrawBetState.ASKED, DrawBetState.TAKEN):
                self.settling.refund(bet.bet)

    def _action_ms(self, draw: StudioDraw) -> int:
        """Return how long the game is shown: a crash game until its crash."""
        if not isinstance(self.game, Crash):
            return self.schedule.action_ms
        return (
            ms_until(crash_point_of(results_of(bytes.fromhex(draw.seed), draw.game_type, draw.edition)))
            // self.schedule.pace
        )

    # --- after a restart --------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Take up what an earlier run left: publish what the feed may not know, refund what nobody can know, pay what is owed."""
        for draw in list(self.records.draws.values()):
            if self.records.told.get(draw.edition) != draw.version:
                self.announcer.announce(draw)
            self._refund_if_cancelled(draw)
        running = self.draw
        if running is not None and running.phase is Phase.BETTING and self._clock.now_ms() >= running.betting_ends_ms:
            self._end(running, Phase.CANCELLED)
        for bet in list(self.records.bets.values()):
            still = self.records.bets[bet.bet]
            if still.state is DrawBetState.ASKED or (still.state is DrawBetState.TAKEN and self._could_not_act(still)):
                self.settling.refund(bet.bet)
            self.settling.pay(bet.bet)

    def _could_not_act(self, bet: DrawBet) -> bool:
        """Return whether the player had still to leave a crash game that went on without its studio."""
        draw = self.records.draws[bet.edition]
        return draw.phase is Phase.ACTION and bet.choice == STAYS

    # --- what players and people do ---------------------------------------------------------------------------------

    async def place(self, launched: LaunchedSession, choice: str, stake: str) -> tuple[DrawBet, ReceivedAnswer | None]:
        """Take a bet on the draw that runs. Raises BetRejected, before anything is sent; OSError of the journal as well."""
        draw = self.draw
        if draw is None or draw.phase is not Phase.BETTING or self._clock.now_ms() >= draw.betting_ends_ms:
            raise BetRejected("betting is closed")
        if self._cancel.is_set():
            raise BetRejected("the draw is being cancelled")
        bet = DrawBet(
            bet=f"d-{self._chance.hex(10)}",
            game_type=draw.game_type,
            edition=draw.edition,
            session=launched.session,
            currency=launched.currency,
            stake=stake_of(launched, stake),
            choice=choice_of(self.game, choice),
        )
        answer = await self.settling.take(self.records.put_bet(bet))
        # One that took too long may be refunded and forgotten by now.
        return self.records.bets.get(bet.bet, replace(bet, state=DrawBetState.REFUNDED)), answer

    def leave(self, name: str) -> DrawBet:
        """Leave a crash game at the multiplier that is shown now. Raises BetRejected."""
        bet, draw, now_ms = self.records.bets.get(name), self.draw, self._clock.now_ms()
        if bet is None or draw is None or bet.edition != draw.edition:
            raise BetRejected("there is no such bet on the draw that runs")
        if (
            draw.phase is not Phase.ACTION
            or draw.action_ms is None
            or bet.state is not DrawBetState.TAKEN
            or bet.choice != STAYS
        ):
            raise BetRejected("only a bet that stays can leave, while the multiplier rises")
        shown = multiplier_after((now_ms - draw.action_ms) * self.schedule.pace)
        if now_ms - draw.action_ms >= self._action_ms(draw):
            raise BetRejected("the crash came first")
        if shown < LOWEST:
            raise BetRejected("the multiplier has not risen yet")
        return self.settling.move(name, DrawBetState.TAKEN, choice=multiplier_text(shown))

    def cancel(self) -> StudioDraw:
        """Cancel the draw that runs and refund its stakes. Raises BetRejected once the results are out."""
        draw = self.draw
        if draw is None or draw.phase is Phase.RESULTS:
            raise BetRejected("no draw runs whose results are not out")
        self._cancel.set()
        return draw

    # --- waiting ----------------------------------------------------------------------------------------------------

    async def _cancelled_until(self, at_ms: int) -> bool:
        """Wait until this instant; return at once, with True, if the draw is cancelled."""
        while (left_ms := at_ms - self._clock.now_ms()) > 0 and not self._cancel.is_set():
            await self._cancelled_before(self._clock.sleep(left_ms / 1000))
        return self._cancel.is_set()

    async def _cancelled_before(self, work: Awaitable[None]) -> bool:
        """Wait for the work, or for the draw to be cancelled; return whether it was cancelled."""
        doing = asyncio.ensure_future(work)
        cancelling = asyncio.ensure_future(self._cancel.wait())
        try:
            await asyncio.wait({doing, cancelling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (doing, cancelling):
                task.cancel()
            await asyncio.gather(doing, cancelling, return_exceptions=True)
        return self._cancel.is_set()


def stake_of(launched: LaunchedSession, text: str) -> int:
    """Return the stake in minor units, inside the limits of the session. Raises BetRejected."""
    try:
        stake = parse_amount(text, launched.currency)
        lowest, highest = (parse_amount(limit, launched.currency) for limit in (launched.min_bet, launched.max_bet))
    except (BadAmount, UnknownCurrency) as problem:
        raise BetRejected(f"the stake {problem}") from None
    if not stake or not lowest <= stake <= highest:
        raise BetRejected(f"the stake must be from {launched.min_bet} to {launched.max_bet} {launched.currency}")
    return stake


def choice_of(game: DrawGame, text: str) -> str:
    """Return the bet in its one spelling. Raises BetRejected."""
    try:
        return game.choice(text)
    except BadChoice as problem:
        raise BetRejected(str(problem)) from None
