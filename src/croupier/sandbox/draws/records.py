"""The studio's records of draws and of bets on them, and what is told of a draw to the world.

Owns: the records, the order of their states, and the announcement. Never: a write (draw_journal), or a seed before the results are out.

A draw goes awaiting, betting, action, results, finished; it may be cancelled until its results are out. A bet goes asked, taken, win,
settled; from asked and taken it may go to refund and refunded, and from asked to refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from croupier.sandbox.draws.fairness import ALGORITHM, commitment
from croupier.sandbox.draws.game import Results


class Phase(Enum):
    """The phase of a draw."""

    AWAITING = "awaiting"
    """Its commitment is being published; betting has not opened."""
    BETTING = "betting"
    ACTION = "action"
    """Betting is closed, the game is shown; the results are not out."""
    RESULTS = "results"
    """The results and the seed are out; wins are paid."""
    FINISHED = "finished"
    CANCELLED = "cancelled"
    """It does not count; every stake is refunded."""

    @property
    def ended(self) -> bool:
        """Return whether nothing follows but payments."""
        return self in (Phase.FINISHED, Phase.CANCELLED)


NEXT: Mapping[Phase, frozenset[Phase]] = {
    Phase.AWAITING: frozenset({Phase.BETTING, Phase.CANCELLED}),
    Phase.BETTING: frozenset({Phase.ACTION, Phase.CANCELLED}),
    Phase.ACTION: frozenset({Phase.RESULTS, Phase.CANCELLED}),
    Phase.RESULTS: frozenset({Phase.FINISHED}),
    Phase.FINISHED: frozenset(),
    Phase.CANCELLED: frozenset(),
}
_STATE = {Phase.AWAITING: 1, Phase.FINISHED: 3, Phase.CANCELLED: 5}
"""The state on the wire; the other phases are 2, active."""
_BETTING, _GAME_ACTION = 1, 2


@dataclass(frozen=True, slots=True)
class StudioDraw:
    """One draw. Times are milliseconds of the epoch. `seed` is hex and secret until the phase is results."""

    game_type: int
    edition: int
    seed: str
    phase: Phase
    version: int
    starts_ms: int
    betting_ends_ms: int
    action_ms: int | None = None
    """When the game action began."""
    ends_ms: int | None = None
    results: Results | None = None

    @property
    def seed_is_out(self) -> bool:
        """Return whether the seed may be published."""
        return self.phase is Phase.RESULTS or self.phase.ended

    def announcement(self) -> dict[str, object]:
        """Return what is published (feed.md 4.1). The seed is in it only after betting has closed for good."""
        proof = {"algorithm": ALGORITHM, "commitment": commitment(bytes.fromhex(self.seed))}
        told: dict[str, object] = {
            "gameType": self.game_type,
            "gameEdition": self.edition,
            "version": self.version,
            "state": _STATE.get(self.phase, 2),
            "playState": _BETTING if self.phase in (Phase.AWAITING, Phase.BETTING) else _GAME_ACTION,
            "round": 0 if self.phase in (Phase.AWAITING, Phase.BETTING) else 1,
            "startsAt": self.starts_ms,
            "bettingEndsAt": self.betting_ends_ms,
            "proof": {**proof, "seed": self.seed} if self.seed_is_out else proof,
        }
        if self.ends_ms is not None:
            told["endsAt"] = self.ends_ms
        if self.results is not None and self.seed_is_out:
            told["results"] = list(self.results)
        return told


class DrawBetState(Enum):
    """The state of a bet on a draw, as the studio knows it."""

    ASKED = "asked"
    """Its pay-in may have been sent."""
    TAKEN = "taken"
    """The hub took the stake; the bet is on."""
    REFUSED = "refused"
    """The hub did not take the stake."""
    WIN = "win"
    """Its pay-out is owed to the hub, also where the win is 0."""
    SETTLED = "settled"
    REFUND = "refund"
    """Its refund is owed."""
    REFUNDED = "refunded"

    @property
    def ended(self) -> bool:
        """Return whether the studio has nothing left to do for it."""
        return self in (DrawBetState.REFUSED, DrawBetState.SETTLED, DrawBetState.REFUNDED)


MOVES: Mapping[DrawBetState, frozenset[DrawBetState]] = {
    DrawBetState.ASKED: frozenset({DrawBetState.TAKEN, DrawBetState.REFUSED, DrawBetState.REFUND}),
    DrawBetState.TAKEN: frozenset({DrawBetState.TAKEN, DrawBetState.WIN, DrawBetState.REFUND}),
    DrawBetState.WIN: frozenset({DrawBetState.SETTLED}),
    DrawBetState.REFUND: frozenset({DrawBetState.REFUNDED}),
    DrawBetState.REFUSED: frozenset(),
    DrawBetState.SETTLED: frozenset(),
    DrawBetState.REFUNDED: frozenset(),
}
"""A taken bet stays taken when its player leaves a crash game: only its choice changes."""


@dataclass(frozen=True, slots=True)
class DrawBet:
    """One bet. `stake` and `win` are minor units of the currency."""

    bet: str
    game_type: int
    edition: int
    session: str
    currency: str
    stake: int
    choice: str
    state: DrawBetState = DrawBetState.ASKED
    win: int = 0

    @property
    def round_id(self) -> str:
        """The round of the provider's words: one for each draw."""
        return f"draw-{self.game_type}-{self.edition}"
