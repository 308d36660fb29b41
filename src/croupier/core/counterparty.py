"""Casinos and providers: their identity and their quirks.

Owns: the two records and the documented default of every quirk. A quirk is data on the row, never an `if` on a
name. Never: secrets, which stay encrypted in the store. Spec: operate.md 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from croupier.core.refusals import CasinoNo
from croupier.core.words import Word


class LateAccept(Word):
    """The treatment of an accept for a stake that was already refused or has expired (money.md 3.6)."""

    RETURN = "return"
    REFUSE = "refuse"


HOLD_S = 6.0
"""Default seconds that a provider waits for its answer."""


class UserId(Word):
    """The form of a player's name at a provider; the value is stored."""

    CASINO_PLAYER = "casino-player"
    """The casino's number, a hyphen, the player's id there: unique across casinos."""
    PLAYER = "player"
    """The player's id at the casino, unchanged: for a provider of one casino, or one that requires the bare id."""


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
    """Its requests are no longer authenticated; what is owed to it is still paid."""
    tokens_from_s: int = 0
    """Access tokens whose validity begins before this second (Unix) are refused."""
    alg: str = "RS256"
    kid: str | None = None
    """The key that signs calls to this casino; None is the newest key of its algorithm."""
    late_accept: LateAccept = LateAccept.RETURN
    tax_bp: int | None = None
    batch: int = 100
    """The largest number of makes in one list; 1 turns lists off."""
    info: bool = True
    """False for a casino without an info call."""
    close: bool = True
    skip_zero: bool = False
    """True to send no stakes and returns of amount 0."""
    reuses_transaction_ids: bool = False
    """True if one PartnerTransactionId may name several payments; otherwise that is a contradiction."""
    codes: dict[CasinoNo, int] = field(default_factory=dict)
    """Error codes of this casino that differ from the table."""
    connect_s: float = 2.0
    total_s: float = 10.0
    in_flight: int = 200
    """The largest number of stakes in flight at once."""
    exact_balance: bool = False
    min_bet: str | None = None
    max_bet: str | None = None
    large_win: str | None = None
    max_win: str | None = None
    max_odd: str | None = None
    origins: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """Networks from which its servers may call; empty: from anywhere."""
    requests_per_s: int | None = None
    """Requests a second that a worker takes over the casino API, and as many over the feed's; None: what the settings say."""
    client_cert: str | None = None
    """Path of the certificate that the hub shows it; None: it asks for none. The three paths are those of every machine that serves."""
    client_key: str | None = None
    """Path of the certificate's key; None: the certificate's file holds it."""
    ca: str | None = None
    """Path of the authorities that may vouch for it; None: the system's."""
    reality_check_s: int | None = None
    """How often a frame shows the player time and result; None: only where the player's own limits ask for it."""
    trace_header: bool = False
    """True to tell the casino with each call which trace it belongs to, where the hub has traces."""

    @property
    def takes_new(self) -> bool:
        """True if new launches, bets and cashbacks are admitted: neither disabled nor closed."""
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
    """Its requests are no longer authenticated."""
    hold_s: float = HOLD_S
    """Seconds that a pay-in waits for the casino before it is answered 99."""
    claim_s: float = 15.0
    """Seconds that an accepted stake may stay unclaimed when no request waits for it."""
    pay_out_waits: bool = False
    """True if a pay-out is answered only after the casino has accepted it."""
    user_id: UserId = UserId.CASINO_PLAYER
    fresh_s: float = 30.0
    min_bet: str | None = None
    max_bet: str | None = None
    large_win: str | None = None
    """The smallest win that raises an incident; decimal text, major units, like the limits above and below."""
    max_win: str | None = None
    max_odd: str | None = None
    """The largest ratio of win to stake."""
    games_enabled: bool = True
    """True if newly listed games are enabled."""
    review_games: bool = False
    """True if a change of its list waits for a person (`croupier game diff`)."""
    game_types: tuple[int, ...] = ()
    addresses: tuple[str, ...] = ()
    """As a casino's."""
    requests_per_s: int | None = None
    """New bets and balance queries a second that a worker takes from it; None: what the settings say."""
    client_cert: str | None = None
    """This and the two below: as a casino's."""
    client_key: str | None = None
    ca: str | None = None
    total_s: float = 10.0

    @property
    def takes_new(self) -> bool:
        """True if new launches and bets are admitted: neither disabled nor closed."""
        return self.enabled and not self.closed

    def user_of(self, casino_id: int, player_ref: str) -> str:
        """Return the name of a casino's player at this provider.

        A casino's number has no hyphen, so the text before the first hyphen is always the casino: "1-2-x" is player "2-x"
        of casino 1.
        """
        return player_ref if self.user_id is UserId.PLAYER else f"{casino_id}-{player_ref}"
