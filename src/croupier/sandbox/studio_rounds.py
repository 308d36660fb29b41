"""Rounds as a live provider plays them, with its reactions to a refusal, to 99 and to no answer.

Owns: the behaviour that provider.md 2.1 observed. After a refusal the stake is abandoned; after 99 or no answer
it is retried once with the same ids and then refunded; wins and refunds are retried until they are accepted.
Never: a random outcome. The caller decides the win.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.wire import PeerError
from croupier.sandbox.studio_calls import NOT_KNOWN, OK, ReceivedAnswer, StudioCalls

REPEATS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0)
"""Seconds between retries of a win or refund. After the last one the studio's support would be called."""

_StudioCall = Callable[[], Awaitable[ReceivedAnswer]]


class End(Enum):
    """The end of a bet, as far as the studio knows."""

    SETTLED = "settled"
    REFUSED = "refused"
    REFUNDED = "refunded"
    STUCK = "stuck"
    """A win or a refund was never accepted: the studio's support must look."""


@dataclass(frozen=True, slots=True)
class PlayedBet:
    """One bet of a round, with the last answer of the hub."""

    bet: str
    round_id: str
    end: End
    last: ReceivedAnswer | None


class Rounds:
    """Plays whole rounds over one provider's calls."""

    def __init__(self, *, calls: StudioCalls, clock: Clock, chance: Chance) -> None:
        self.repeats_s: tuple[float, ...] = REPEATS_S
        self._calls = calls
        self._clock = clock
        self._chance = chance

    async def play(self, session: str, stake: str, win: str) -> PlayedBet:
        """Take the stake, then settle with `win` (0 is a loss)."""
        bet, round_id = self.new_ids()
        taken = await self.stake(lambda: self._calls.pay_in(session, bet, round_id, amount=stake), session, bet)
        if taken[0] is not End.SETTLED:
            return PlayedBet(bet, round_id, *taken)
        return PlayedBet(bet, round_id, *await self.until_accepted(
            lambda: self._calls.pay_out(session, bet, round_id, win=win), End.SETTLED
        ))  # fmt: skip

    async def play_at_once(self, session: str, stake: str, win: str) -> PlayedBet:
        """Take the stake and settle it in one call."""
        bet, round_id = self.new_ids()
        call = lambda: self._calls.pay_in_out(session, bet, round_id, amount=stake, win=win)  # noqa: E731 - read once
        return PlayedBet(bet, round_id, *await self.stake(call, session, bet))

    async def play_and_undo(self, session: str, stake: str) -> PlayedBet:
        """Take the stake, then refund it, as for a cancelled round."""
        bet, round_id = self.new_ids()
        taken = await self.stake(lambda: self._calls.pay_in(session, bet, round_id, amount=stake), session, bet)
        if taken[0] is not End.SETTLED:
            return PlayedBet(bet, round_id, *taken)
        return PlayedBet(bet, round_id, *await self.undo(session, bet))

    async def stake(self, call: _StudioCall, session: str, bet: str) -> tuple[End, ReceivedAnswer | None]:
        """Make the call, retry once if the outcome is unknown, then refund. SETTLED here means that the stake was taken."""
        end, answer = await ask_twice(call)
        return (end, answer) if end is not None else await self.undo(session, bet)

    async def undo(self, session: str, bet: str) -> tuple[End, ReceivedAnswer | None]:
        """Refund until the hub accepts it."""
        return await self.until_accepted(lambda: self._calls.refund(session, bet), End.REFUNDED)

    async def until_accepted(self, call: _StudioCall, end: End) -> tuple[End, ReceivedAnswer | None]:
        """Retry with the same ids until the answer is 1."""
        answer = await answer_or_silence(call)
        for pause_s in self.repeats_s:
            if answer is not None and answer.code == OK:
                break
            await self._clock.sleep(pause_s)
            answer = await answer_or_silence(call)
        accepted = answer is not None and answer.code == OK
        return (end if accepted else End.STUCK), answer

    def new_ids(self) -> tuple[str, str]:
        """Return a new betId and a new gameRoundId."""
        return f"b-{self._chance.hex(10)}", f"r-{self._chance.hex(6)}"


async def ask_twice(call: _StudioCall) -> tuple[End | None, ReceivedAnswer | None]:
    """Make the call, once more with the same ids if nobody knows. SETTLED here means taken; None that nobody knows still."""
    answer = None
    for _ in range(2):
        answer = await answer_or_silence(call)
        if answer is not None and answer.code == OK:
            return End.SETTLED, answer
        if answer is not None and _definite(answer):
            return End.REFUSED, answer
    return None, answer


async def answer_or_silence(call: _StudioCall) -> ReceivedAnswer | None:
    """Return the answer, or None where the hub was silent."""
    try:
        return await call()
    except PeerError:
        return None


def _definite(answer: ReceivedAnswer) -> bool:
    return answer.code is not None and OK < answer.code < NOT_KNOWN
