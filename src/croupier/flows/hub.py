"""What every flow has in hand: the stores, the seams, the gateways, and the parts that live as long as the process.

Owns: the record. Never: logic. Built in one place (apps.wiring) and by the simulator.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier.core.recovery import SLACK_IDS
from croupier.core.waits import Waits
from croupier.flows.gates import Gates
from croupier.flows.lanes import Lanes
from croupier.flows.outage import Outage
from croupier.flows.ports import Carrier, CasinoGateway, Finder, ProviderGateway
from croupier.flows.waiters import Waiters
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.metrics import Metrics
from croupier.kit.seldom import Seldom
from croupier.kit.signed_lines import SignedLines
from croupier.store.audits import Audits
from croupier.store.balances import Balances
from croupier.store.bets import Bets, Cashbacks
from croupier.store.calls import Calls
from croupier.store.casinos import Casinos
from croupier.store.comparisons import Comparisons
from croupier.store.db import Db
from croupier.store.demo import DemoMoney
from croupier.store.findings import Findings
from croupier.store.games import Games
from croupier.store.ids import MoneyIds
from croupier.store.incidents import Incidents
from croupier.store.installation import Installation
from croupier.store.keys import Keys
from croupier.store.partner_transactions import PartnerTransactions
from croupier.store.players import Players
from croupier.store.providers import Providers
from croupier.store.recoveries import Recoveries, Recovery
from croupier.store.seen import SeenRequests
from croupier.store.sessions import Sessions
from croupier.store.trail import Trail
from croupier.store.train import Train
from croupier.store.turns import Turns


@dataclass(frozen=True, slots=True)
class Habits:
    """Settings of the process that flows need. Durations are seconds, limits decimal text in major units."""

    process: str = ""
    """This process's name; a lease bears it. Empty: calls are left to whoever sweeps (commands)."""
    min_bet: str = "0.01"
    max_bet: str = "10000"
    large_win: str | None = "100000"
    session_s: float = 86400.0
    balance_stale_s: float = 5.0
    poll_s: float = 0.05
    sweep_s: float = 0.2
    sweep_most: int = 50
    ack_grace_s: float = 0.3
    """How long an acknowledgement stays unwritten: an accept usually comes first."""
    max_waiting: int = 2000
    """How many stakes this process may have in flight over all casinos."""
    sample_bp: int = 100
    """Which share of settled bets is compared with the casinos, in hundredths of a percent."""
    compare_per_s: int = 10
    """How many comparisons a casino is asked for a second, at most."""
    recovery_per_s: int = 50
    """The same while recovery is on."""
    slack_ids: int = SLACK_IDS
    """So many ids past the last one that anybody knows are asked after in recovery."""
    open_s: int = 3600
    """How long a bet may be open before it is looked into, where its game says nothing."""


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
    seen: SeenRequests
    demo: DemoMoney
    incidents: Incidents
    findings: Findings
    comparisons: Comparisons
    turns: Turns
    trail: Trail
    audits: Audits
    installation: Installation
    recoveries: Recoveries


@dataclass(slots=True)
class Hub:
    """The hub as one process has it."""

    store: Stores
    train: Train
    clock: Clock
    chance: Chance
    metrics: Metrics
    waits: Waits
    habits: Habits
    waiters: Waiters
    gates: Gates
    outage: Outage
    notary: SignedLines
    """Where checkpoints of the audit trail are signed, outside of the database."""
    seldom: Seldom
    """What is told of once in a while only."""
    lanes: Lanes = field(default_factory=Lanes)
    casino_gateways: Mapping[str, CasinoGateway] = field(default_factory=dict)
    provider_gateways: Mapping[str, ProviderGateway] = field(default_factory=dict)
    courier: Carrier | None = None
    """None in a process that only decides (a command): calls are left to the hub that runs."""
    sweep: Finder | None = None
    asking: dict[int, asyncio.Task[int | None]] = field(default_factory=dict)
    """Balance questions under way, by player."""
    recovery: Recovery | None = None
    """The database came back from a backup and is not reconciled yet: no new bets where `recovering`."""
    closing: bool = False
    """Shutting down: nothing new is taken on."""

    def recovering(self, casino_id: int) -> bool:
        """Whether this casino's part of a recovery is open."""
        return self.recovery is not None and self.recovery.holds(casino_id)
