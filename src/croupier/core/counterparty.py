"""Casinos and providers as the hub knows them: who they are and in what they differ.

Owns: the two records and the documented defaults of every quirk. A quirk is data on the row, never an
`if` on a name. Never: secrets (they stay sealed in the store). Spec: operate.md 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from croupier.core.refusals import CasinoNo


class LateAccept(Enum):
    """What a success for a stake already refused or expired gets (money.md 3.6)."""

    RETURN = "return"
    REFUSE = "refuse"


HOLD_S = 6.0
"""How long a provider waits for its answer, where its row says nothing else."""


class UserId(Enum):
    """Under which name a provider is told of a player; the value is what is stored."""

    CASINO_PLAYER = "casino-player"
    """The casino's number, a hyphen, the player's id there: no two casinos can mean the same one."""
    PLAYER = "player"
    """The player's id at the casino as it is: for a provider of one casino, or one that demands the bare name."""


@dataclass(frozen=True, slots=True)
class Casino:
    """A partner that keeps player wallets. Times are seconds, `tax_bp` is basis points of a payout."""

    casino_id: int
    """PartnerClientId."""
    name: str
    protocol: str
    url: str
    currencies: tuple[str, ...]
    enabled: bool = True
    closed: bool = False
    """Nothing that it sends is believed any more; what is owed to it is still paid."""
    tokens_from_s: int = 0
    """Access tokens that are valid from before this second (Unix) are refused."""
    alg: str = "RS256"
    kid: str | None = None
    """The key that signs for this casino; None is the newest of its algorithm."""
    late_accept: LateAccept = LateAccept.RETURN
    tax_bp: int | None = None
    batch: int = 100
    """At most so many makes in one list; 1 turns lists off."""
    info: bool = True
    """False where the casino has no info call."""
    close: bool = True
    skip_zero: bool = False
    """Keep stakes and returns of amount 0 from being sent."""
    reuses_transaction_ids: bool = False
    """One PartnerTransactionId may stand for several payments; else that is a contradiction."""
    codes: dict[CasinoNo, int] = field(default_factory=dict)
    """This casino's own error codes, where they differ from the table."""
    connect_s: float = 2.0
    total_s: float = 10.0
    in_flight: int = 200
    """How many stakes may be in flight at once."""
    exact_balance: bool = False
    min_bet: str | None = None
    max_bet: str | None = None
    large_win: str | None = None
    max_win: str | None = None
    max_odd: str | None = None
    origins: tuple[str, ...] = ()

    @property
    def takes_new(self) -> bool:
        """Whether it may launch, bet and pay cashbacks anew: neither disabled nor closed."""
        return self.enabled and not self.closed


@dataclass(frozen=True, slots=True)
class Provider:
    """A partner that owns games. Times are seconds, bet limits decimal text in major units."""

    provider_id: int
    counterparty_id: str
    name: str
    protocol: str
    url: str
    enabled: bool = True
    closed: bool = False
    """Nothing that it sends is believed any more."""
    hold_s: float = HOLD_S
    """How long a pay-in waits for the casino before 99."""
    claim_s: float = 15.0
    """How long an accepted stake nobody waits for may stay unclaimed."""
    pay_out_waits: bool = False
    """True: a pay-out is answered only when the casino has it."""
    user_id: UserId = UserId.CASINO_PLAYER
    fresh_s: float = 30.0
    min_bet: str | None = None
    max_bet: str | None = None
    large_win: str | None = None
    """From which win on a person is called; decimal text, major units, like the two limits below and above."""
    max_win: str | None = None
    max_odd: str | None = None
    """The largest win by its stake."""
    games_enabled: bool = True
    """Whether games that newly arrive are switched on."""
    game_types: tuple[int, ...] = ()
    total_s: float = 10.0

    @property
    def takes_new(self) -> bool:
        """Whether its games may be launched and bet on anew: neither disabled nor closed."""
        return self.enabled and not self.closed

    def user_of(self, casino_id: int, player_ref: str) -> str:
        """The name that this provider is told for a player of a casino.

        A casino's number has no hyphen, so what is before the first one is always the casino: "1-2-x" is player "2-x" of
        casino 1 and nobody else's.
        """
        return player_ref if self.user_id is UserId.PLAYER else f"{casino_id}-{player_ref}"
