"""The hub of one process: its stores, its seams, its gateways and its long-lived parts. Every flow receives it.

Owns: the record. Never: logic. `apps.wiring` builds it, and so does the simulator.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier.core.recovery import SLACK_IDS
from croupier.core.waits import Waits
from croupier.flows.admission import Admission
from croupier.flows.bulkheads import Bulkheads
from croupier.flows.database_health import DatabaseHealth
from croupier.flows.inbound_limits import InboundLimits
from croupier.flows.ports import CasinoGateway, DispatcherPort, Notifier, PollerPort, ProviderGateway
from croupier.flows.waiters import Waiters
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.metrics import Metrics
from croupier.kit.recent_map import RecentMap
from croupier.kit.signed_lines import SignedLines
from croupier.kit.throttle import Throttle
from croupier.kit.tracing import Tracer
from croupier.store.db import Db
from croupier.store.demo import DemoMoney
from croupier.store.feed.draws import Draws
from croupier.store.feed.game_types import GameTypes
from croupier.store.feed.streams import Streams
from croupier.store.installation import Installation
from croupier.store.money.balances import Balances
from croupier.store.money.bets import Bets, Cashbacks
from croupier.store.money.calls import Calls
from croupier.store.money.group_commit import GroupCommit
from croupier.store.money.ids import MoneyIds
from croupier.store.money.jackpots import Jackpots
from croupier.store.money.partner_transactions import PartnerTransactions
from croupier.store.money.play_sums import PlaySums
from croupier.store.oversight.accounts import Accounts
from croupier.store.oversight.admin_uses import AdminUses
from croupier.store.oversight.audits import Audits
from croupier.store.oversight.comparisons import Comparisons
from croupier.store.oversight.findings import Findings
from croupier.store.oversight.incidents import Incidents
from croupier.store.oversight.notifications import Notifications
from croupier.store.oversight.proposals import Proposals
from croupier.store.oversight.recoveries import Recoveries, Recovery
from croupier.store.oversight.trail import Trail
from croupier.store.parties.casinos import Casinos
from croupier.store.parties.catalogue import CasinoCatalogue
from croupier.store.parties.exclusions import Exclusions
from croupier.store.parties.games import Games
from croupier.store.parties.keys import Keys
from croupier.store.parties.launch_codes import LaunchCodes
from croupier.store.parties.listings import CatalogueDiffs
from croupier.store.parties.players import Players
from croupier.store.parties.providers import Providers
from croupier.store.parties.session_stakes import SessionStakes
from croupier.store.parties.sessions import Sessions
from croupier.store.replay_guard import ReplayGuard
from croupier.store.singleton_leases import SingletonLeases


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """Settings of the process that flows need. Durations are seconds; limits are decimal text in major units."""

    process: str
    """The name of this process, stored with each lease. Empty for a command: it leaves calls to the poller of a worker."""
    min_bet: str
    max_bet: str
    large_win: str | None
    session_s: float
    balance_stale_s: float
    poll_s: float
    max_waiting: int
    """The most stakes that this process may have in flight over all casinos."""
    sample_bp: int
    """The share of settled bets that is compared with the casinos, in hundredths of a percent."""
    compare_per_s: int
    """The most comparisons per second with one casino."""
    recovery_per_s: int
    """The same during recovery."""
    open_s: int
    """The age in seconds at which an open bet is compared, unless its game has its own limit."""
    poller_s: float = 0.2
    poller_most: int = 50
    ack_grace_s: float = 0.3
    """The delay before an acknowledgement is written. The accept usually arrives earlier and makes the write unnecessary."""
    slack_ids: int = SLACK_IDS
    """The number of ids past the last known one that recovery queries."""


@dataclass(slots=True)
class Stores:
    """The stores: one object per group of tables."""

    db: Db
    bets: Bets
    cashbacks: Cashbacks
    calls: Calls
    partner_transactions: PartnerTransactions
    balances: Balances
    play_sums: PlaySums
    ids: MoneyIds
    casinos: Casinos
    providers: Providers
    keys: Keys
    players: Players
    games: Games
    sessions: Sessions
    catalogue: CasinoCatalogue
    catalogue_diffs: CatalogueDiffs
    launch_codes: LaunchCodes
    exclusions: Exclusions
    session_stakes: SessionStakes
    replay_guard: ReplayGuard
    demo: DemoMoney
    incidents: Incidents
    notifications: Notifications
    accounts: Accounts
    admin_uses: AdminUses
    proposals: Proposals
    findings: Findings
    comparisons: Comparisons
    singleton_leases: SingletonLeases
    trail: Trail
    audits: Audits
    installation: Installation
    recoveries: Recoveries
    game_types: GameTypes
    draws: Draws
    streams: Streams
    jackpots: Jackpots


@dataclass(slots=True)
class ProcessState:
    """The state that changes while the process runs. All other fields of the hub stay as they were built."""

    dispatcher: DispatcherPort | None = None
    """None in a command, which only decides: the running hub makes the calls."""
    poller: PollerPort | None = None
    balance_queries: dict[int, asyncio.Task[int | None]] = field(default_factory=dict)
    """Balance queries in flight, by player."""
    balance_known: RecentMap[int, None] = field(default_factory=RecentMap)
    """Players whose balance was known a moment ago."""
    recovery: Recovery | None = None
    """The open recovery after a restore from a backup, or None. No new bets are taken where `recovering` is true."""
    closing: bool = False
    """True during shutdown: no new work is accepted."""


@dataclass(slots=True)
class Hub:
    """The hub of one process."""

    store: Stores
    group_commit: GroupCommit
    clock: Clock
    chance: Chance
    metrics: Metrics
    waits: Waits
    process_settings: ProcessSettings
    waiters: Waiters
    admission: Admission
    inbound_limits: InboundLimits
    """Rate limits of incoming requests."""
    database_health: DatabaseHealth
    notary: SignedLines
    """The signer of checkpoints of the audit trail, which are stored outside the database."""
    throttle: Throttle
    """Limits how often an event is logged or reported."""
    balance_throttle: Throttle
    """Limits how often a stale balance of a player is queried."""
    bulkheads: Bulkheads = field(default_factory=Bulkheads)
    casino_gateways: Mapping[str, CasinoGateway] = field(default_factory=dict)
    provider_gateways: Mapping[str, ProviderGateway] = field(default_factory=dict)
    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    state: ProcessState = field(default_factory=ProcessState)
    tracer: Tracer | None = None
    """None unless traces are on, which the payment path checks and nothing else."""

    def recovering(self, casino_id: int) -> bool:
        """Return whether this casino's part of a recovery is open."""
        return self.state.recovery is not None and self.state.recovery.holds(casino_id)
