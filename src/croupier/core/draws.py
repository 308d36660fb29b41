"""Draws of live games and jackpot meters: what a provider may publish of them, and what an update changes.

Owns: the records, the states and the one rule that takes an update. Never: money, a wire spelling, a clock: whether
betting has closed is judged by the instant that the caller passes. Spec: feed.md 3.5 and 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from croupier.core.words import Word

MAX_ID: Final = 2**53 - 1
"""Editions, versions and rounds are numbers that every JSON reader keeps exact."""
MAX_TYPE: Final = 2**31 - 1
EARLIEST_MS: Final = 946_684_800_000
"""The year 2000: a time in seconds instead of milliseconds is refused."""
LATEST_MS: Final = 4_102_444_800_000
"""The year 2100."""
MAX_RESULTS: Final = 200
"""Elements of the list of results."""
MAX_RESULTS_CHARS: Final = 8_192
"""Characters of the list of results as compact JSON."""
MAX_PROOF: Final = 16
"""Fields of a proof."""
MAX_PROOF_CHARS: Final = 512
"""Characters of one field of a proof."""
MAX_LIST: Final = 100
"""Draws, and jackpot meters, in one request."""
CLOCK_SLACK_MS: Final = 1_000
"""So far the clock of a provider may be ahead when it publishes results."""


class DrawState(IntEnum):
    """The state of a draw."""

    AWAITING = 1
    """Announced; it has not begun."""
    ACTIVE = 2
    """It runs: bets are taken, or it is played."""
    FINISHED = 3
    """It is over, and its results stand."""
    REVIEW = 4
    """The provider looks into it; it may still be finished, cancelled or go on."""
    CANCELLED = 5
    """It does not count. Stakes go back by the provider's refunds."""

    @property
    def ended(self) -> bool:
        """Return whether nothing follows but additions."""
        return self in (DrawState.FINISHED, DrawState.CANCELLED)


class PlayState(IntEnum):
    """The phase of play in a draw."""

    BETTING = 1
    """Bets are taken."""
    GAME_ACTION = 2
    """No bets are taken; the game is played."""


MOVES: Final[Mapping[DrawState, frozenset[DrawState]]] = {
    DrawState.AWAITING: frozenset(DrawState),
    DrawState.ACTIVE: frozenset(DrawState) - {DrawState.AWAITING},
    DrawState.REVIEW: frozenset(DrawState) - {DrawState.AWAITING},
    DrawState.FINISHED: frozenset({DrawState.FINISHED}),
    DrawState.CANCELLED: frozenset({DrawState.CANCELLED}),
}
"""The states that may follow each state. A version may be lost on the way, so that a draw may also skip states."""


@dataclass(frozen=True, slots=True)
class DrawKey:
    """The key of a draw. Editions are numbers within the game type."""

    game_type: int
    edition: int


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw as a provider stated it last, whole. Times are milliseconds of the epoch."""

    key: DrawKey
    version: int
    state: DrawState
    play_state: PlayState
    round: int
    starts_ms: int
    betting_ends_ms: int
    ends_ms: int | None = None
    results: str | None = None
    """A JSON array as compact text with sorted keys; None as long as there are none."""
    proof: tuple[tuple[str, str], ...] = ()
    """What shows that the draw was fair, by name: the commitment before it, the seed after it."""


@dataclass(frozen=True, slots=True)
class JackpotMeter:
    """The amount of a jackpot, in minor units of its currency."""

    jackpot_ref: str
    name: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication of a provider. All of it is taken, or nothing."""

    provider_id: int
    draws: tuple[Draw, ...]
    meters: tuple[JackpotMeter, ...] = ()


class Change(Word):
    """The effect of an update on the draw that is known."""

    NEW = "new"
    """It is stored."""
    REPEAT = "repeat"
    """It was taken before: it gets the same answer and changes nothing."""


@dataclass(frozen=True, slots=True)
class DrawRefused:
    """Why an update is not taken. `field` is an attribute of `Draw`; `why` follows its name."""

    field: str
    why: str
    conflict: bool
    """True if the update contradicts what is known; False if it is wrong in itself."""


def problem_of(draw: Draw, now_ms: int) -> DrawRefused | None:
    """Return what is wrong with an update in itself, whatever is known of the draw; None if nothing is."""
    if draw.state is not DrawState.CANCELLED and draw.ends_ms is not None and draw.ends_ms < draw.starts_ms:
        return DrawRefused("ends_ms", "must not be before the start", conflict=False)
    if draw.state is DrawState.FINISHED and not _betting_closed(draw, now_ms):
        return DrawRefused("state", "must not be finished before betting has closed", conflict=False)
    return None


def take_update(known: Draw | None, update: Draw, now_ms: int) -> Change | DrawRefused:
    """Return what this update does to the draw that is known.

    The caller answers a version below the known one itself: only it knows what that version held.
    """
    if known is not None and update.version == known.version:
        same = update == known
        return Change.REPEAT if same else DrawRefused("version", "is known with other contents", conflict=True)
    refused = problem_of(update, now_ms) or _contradiction(known, update)
    return refused or _early_results(known, update, now_ms) or Change.NEW


def maybe_deleted(known: Draw | None, update: Draw, forgotten_ms: int) -> DrawRefused | None:
    """Return why a draw that is not known is refused where it may be one that was deleted; None if it is new.

    Draws of this game type that start until `forgotten_ms` may have been deleted: what they were is not known any more.
    """
    if known is not None or update.starts_ms > forgotten_ms:
        return None
    return DrawRefused("starts_ms", f"must be after {forgotten_ms}: older draws were deleted", conflict=True)


def _contradiction(known: Draw | None, update: Draw) -> DrawRefused | None:
    """Return how the update contradicts the known draw; None if it does not."""
    if known is None:
        return None
    if update.version < known.version:
        return DrawRefused("version", f"must be above {known.version}, which is known", conflict=True)
    if update.state not in MOVES[known.state]:
        was, now = known.state.name.lower(), update.state.name.lower()
        return DrawRefused("state", f"must not become {now}: the draw is {was}", conflict=True)
    if update.round < known.round:
        return DrawRefused("round", f"must not be below {known.round}, which is known", conflict=True)
    if known.state.ended and known.results is not None and update.results != known.results:
        return DrawRefused("results", "must not change: the draw has ended", conflict=True)
    told = dict(update.proof)
    if any(told.get(name) != value for name, value in known.proof):
        return DrawRefused("proof", "must keep what it said before", conflict=True)
    return None


def _early_results(known: Draw | None, update: Draw, now_ms: int) -> DrawRefused | None:
    """Results appear, and change, only after betting has closed; nobody bets on results of the same round."""
    before = None if known is None else known.results
    if update.results is not None and update.results != before and not _betting_closed(update, now_ms):
        return DrawRefused("results", "must not come before betting has closed", conflict=False)
    if known is not None and before is not None and _takes_bets(update) and update.round == known.round:
        return DrawRefused("play_state", "must not be betting again: the round has results", conflict=True)
    if before is not None and update.results is None and update.state not in (DrawState.REVIEW, DrawState.CANCELLED):
        return DrawRefused("results", "must not vanish but in review or by cancellation", conflict=True)
    return None


def _takes_bets(draw: Draw) -> bool:
    """Return whether players may bet on it: an awaited draw takes bets before it begins."""
    return draw.state in (DrawState.AWAITING, DrawState.ACTIVE) and draw.play_state is PlayState.BETTING


def _betting_closed(draw: Draw, now_ms: int) -> bool:
    return not _takes_bets(draw) and draw.betting_ends_ms <= now_ms + CLOCK_SLACK_MS
