"""What every flow has in hand: the stores, the seams, the gateways, and the parts that live as long as the process.

Owns: the record. Never: logic. Built in one place (apps.wiring) and by the simulator.
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
from croupier.flows.ports import CasinoGateway, DispatcherPort, PollerPort, ProviderGateway
from croupier.flows.waiters import Waiters
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.metrics import Metrics
from croupier.kit.signed_lines import SignedLines
from croupier.kit.throttle import Throttle
from croupier.store.db import Db
from croupier.store.demo import DemoMoney
from croupier.store.installation import Installation
from croupier.store.money.balances import Balances
from croupier.store.money.bets import Bets, Cashbacks
from croupier.store.money.calls import Calls
from croupier.store.money.group_commit import GroupCommit
from croupier.store.money.ids import MoneyIds
from croupier.store.money.partner_transactions import PartnerTransactions
from croupier.store.oversight.audits import Audits
from croupier.store.oversight.comparisons import Comparisons
from croupier.store.oversight.findings import Findings
from croupier.store.oversight.incidents import Incidents
from croupier.store.oversight.recoveries import Recoveries, Recovery
from croupier.store.oversight.trail import Trail
from croupier.store.parties.casinos import Casinos
from croupier.store.parties.games import Games
from croupier.store.parties.keys import Keys
from croupier.store.parties.players import Players
from croupier.store.parties.providers import Providers
from croupier.store.parties.sessions import Sessions
from croupier.store.replay_guard import ReplayGuard
from croupier.store.singleton_leases import SingletonLeases


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """Settings of the process that flows need. Durations are seconds, limits decimal text in major units."""

    process: str
    """This process's name; a lease bears it. Empty: calls are left to the poller of a worker (commands)."""
    min_bet: str
    max_bet: str
    large_win: str | None
    session_s: float
    balance_stale_s: float
    poll_s: float
    max_waiting: int
    """How many stakes this process may have in flight over all casinos."""
    sample_bp: int
    """Which share of settled bets is compared with the casinos, in hundredths of a percent."""
    compare_per_s: int
    """The most comparisons that one casino is asked for per second."""
    recovery_per_s: int
    """The same while recovery is on."""
    open_s: int
    """How long a bet may be open before it is compared, where its game says nothing."""
    poller_s: float = 0.2
    poller_most: int = 50
    ack_grace_s: float = 0.3
    """How long an acknowledgement stays unwritten: an accept usually comes first."""
    slack_ids: int = SLACK_IDS
    """How many ids past the last known one are queried in recovery."""


@dataclass(slots=True)
class Stores:
    """The tables, as the flows use them."""

    db: Db
    bets: Bets
    cashbacks: Cashbacks
    calls: Calls
    partner_transactions: PartnerTransactions
    balances: Balances
    ids: MoneyIds
    casinos: Casinos
    providers: Providers
    keys: Keys
    players: Players
    games: Games
    sessions: Sessions
    replay_guard: ReplayGuard
    demo: DemoMoney
    incidents: Incidents
    findings: Findings
    comparisons: Comparisons
    singleton_leases: SingletonLeases
    trail: Trail
    audits: Audits
    installation: Installation
    recoveries: Recoveries


@dataclass(slots=True)
class ProcessState:
    """What changes while the process runs; everything else of the hub stays as it was built."""

    dispatcher: DispatcherPort | None = None
    """None in a process that only decides (a command): calls are left to the hub that runs."""
    poller: PollerPort | None = None
    balance_queries: dict[int, asyncio.Task[int | None]] = field(default_factory=dict)
    """Balance questions under way, by player."""
    recovery: Recovery | None = None
    """The database came back from a backup and is not reconciled yet: no new bets where `recovering`."""
    closing: bool = False
    """Shutting down: nothing new is taken on."""


@dataclass(slots=True)
class Hub:
    """The hub as one process has it."""

    store: Stores
    group_commit: GroupCommit
    clock: Clock
    chance: Chance
    metrics: Metrics
    waits: Waits
    process_settings: ProcessSettings
    waiters: Waiters
    admission: Admission
    database_health: DatabaseHealth
    notary: SignedLines
    """Where checkpoints of the audit trail are signed, outside of the database."""
    throttle: Throttle
    """What is told of once in a while only."""
    bulkheads: Bulkheads = field(default_factory=Bulkheads)
    casino_gateways: Mapping[str, CasinoGateway] = field(default_factory=dict)
    provider_gateways: Mapping[str, ProviderGateway] = field(default_factory=dict)
    state: ProcessState = field(default_factory=ProcessState)

    def recovering(self, casino_id: int) -> bool:
        """Whether this casino's part of a recovery is open."""
        return self.state.recovery is not None and self.state.recovery.holds(casino_id)
