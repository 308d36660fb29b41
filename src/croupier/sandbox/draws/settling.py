"""The money of the bets on draws: stakes are taken once, wins and refunds are sent until the hub has taken them.

Owns: one task per bet with something owed, and the records of the outcomes. Never: a decision about who won. What is owed stands in the journal
before it is sent, so a studio that starts again goes on with it (provider.md 2.1 and 4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from croupier.core.money import format_amount
from croupier.kit.clock import Clock
from croupier.sandbox.draws.draw_journal import DrawJournal
from croupier.sandbox.draws.game import UNIT, multiplier_text
from croupier.sandbox.draws.records import MOVES, DrawBet, DrawBetState
from croupier.sandbox.journal import Journal
from croupier.sandbox.studio_calls import OK, ReceivedAnswer, StudioCalls
from croupier.sandbox.studio_rounds import REPEATS_S, End, answer_or_silence, ask_twice

AT_ONCE = 16
"""StudioCalls under way for one game type; the others wait, so that a slow hub is not flooded."""
SELDOM_S = 60.0
"""The pause between tries once the usual repeats are used up. It is never given up."""


class Settling:
    """The payments of one game type. Its tasks end with `close`; what they owed is still in the journal."""

    def __init__(self, *, calls: StudioCalls, clock: Clock, records: DrawJournal, journal: Journal) -> None:
        self.repeats_s: tuple[float, ...] = REPEATS_S
        self._calls = calls
        self._clock = clock
        self._records = records
        self._journal = journal
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stakes: dict[str, asyncio.Task[ReceivedAnswer | None]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    # --- stakes -----------------------------------------------------------------------------------------------------

    async def take(self, bet: DrawBet) -> ReceivedAnswer | None:
        """Ask for the stake of a bet that is in the journal; return the last answer. A caller that leaves does not stop it."""
        task = self._stakes[bet.bet] = asyncio.get_running_loop().create_task(self._take(bet))
        task.add_done_callback(lambda _: self._stakes.pop(bet.bet, None))
        return await asyncio.shield(task)

    async def stakes_decided(self, grace_s: float) -> None:
        """Wait until no stake is under way, at most this long."""
        if not self._stakes:
            return
        patience = asyncio.get_running_loop().create_task(self._clock.sleep(grace_s))
        try:
            while self._stakes and not patience.done():
                await asyncio.wait({patience, *self._stakes.values()}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()

    async def _take(self, bet: DrawBet) -> ReceivedAnswer | None:
        amount = format_amount(bet.stake, bet.currency)
        end, answer = await ask_twice(lambda: self._calls.pay_in(bet.session, bet.bet, bet.round_id, amount=amount))
        known = self._records.bets.get(bet.bet)
        if known is None or known.state is not DrawBetState.ASKED:
            return answer  # it took too long: the refund is owed or taken already, and returns whatever was taken
        if end is End.SETTLED:
            self.move(bet.bet, DrawBetState.TAKEN)
        elif end is End.REFUSED:
            self.move(bet.bet, DrawBetState.REFUSED)
        else:
            self.refund(bet.bet)
        return answer

    # --- what is owed -----------------------------------------------------------------------------------------------

    def move(self, name: str, state: DrawBetState, **changes: Any) -> DrawBet:  # noqa: ANN401 - fields of the record
        """Write a bet's next state. Raises OSError; a move that no table allows is a bug."""
        bet = self._records.bets[name]
        assert state in MOVES[bet.state], f"{name} must not go from {bet.state.value} to {state.value}"
        return self._records.put_bet(replace(bet, state=state, **changes))

    def refund(self, name: str) -> None:
        """Owe the stake back, and begin to send it."""
        self.move(name, DrawBetState.REFUND)
        self.pay(name)

    def pay(self, name: str) -> None:
        """Send what a bet is owed, in a task of its own; nothing to do if there is one, or if nothing is owed."""
        owed = self._records.bets[name].state in (DrawBetState.WIN, DrawBetState.REFUND)
        if owed and name not in self._tasks:
            task = self._tasks[name] = asyncio.get_running_loop().create_task(self._pay(name))
            task.add_done_callback(lambda _: self._tasks.pop(name, None))
            task.add_done_callback(self._journal.complain_of_bug)

    async def quiet(self) -> None:
        """Wait until nothing is under way. For tests and an orderly end."""
        while running := [*self._tasks.values(), *self._stakes.values()]:
            await asyncio.wait(running)

    async def close(self) -> None:
        """Stop all tasks."""
        running: list[asyncio.Task[Any]] = [*self._tasks.values(), *self._stakes.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _pay(self, name: str) -> None:
        tries = 0
        while not await self._sent(name):
            pause_s = self.repeats_s[tries] if tries < len(self.repeats_s) else SELDOM_S
            tries += 1
            if tries == len(self.repeats_s):
                self._journal.complain(f"bet {name}: the hub has not taken its pay-out or refund; people must look")
            await self._clock.sleep(pause_s)

    async def _sent(self, name: str) -> bool:
        """One try. A journal that cannot be written is a try that failed: the call is repeated with the same ids."""
        bet = self._records.bets[name]
        async with self._places:
            answer = await answer_or_silence(lambda: self._call(bet))
        if answer is None or answer.code != OK:
            return False
        try:
            self.move(name, DrawBetState.SETTLED if bet.state is DrawBetState.WIN else DrawBetState.REFUNDED)
        except OSError as problem:
            self._journal.complain(f"bet {name}: the journal of the draws cannot be written: {problem}")
            return False
        return True

    def _call(self, bet: DrawBet) -> Coroutine[Any, Any, ReceivedAnswer]:
        if bet.state is DrawBetState.REFUND:
            return self._calls.refund(bet.session, bet.bet)
        odd = multiplier_text(bet.win * UNIT // bet.stake) if bet.stake else None
        win = format_amount(bet.win, bet.currency)
        return self._calls.pay_out(bet.session, bet.bet, bet.round_id, win=win, odd=odd)
