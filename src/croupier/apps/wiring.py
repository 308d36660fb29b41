"""Construction of a hub from settings: database, stores, seams, gateways. The simulator brings its own seams.

Owns: which part gets which. Never: logic of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from croupier import __version__, casinos, providers
from croupier.apps.notifiers import MailNotifier, WebhookNotifier
from croupier.apps.schema import Aim, make_ready
from croupier.core.waits import Waits
from croupier.flows.admission import Admission
from croupier.flows.balances import balance_committed
from croupier.flows.database_health import DatabaseHealth
from croupier.flows.dispatcher import Dispatcher
from croupier.flows.hub import Hub, ProcessSettings, Stores
from croupier.flows.inbound_limits import InboundLimits, InboundRates
from croupier.flows.poller import Poller
from croupier.flows.recovery import detect_restore, refresh
from croupier.flows.traced import trace_commits
from croupier.flows.waiters import Waiters
from croupier.kit.chance import Chance, SystemChance
from croupier.kit.clock import Clock, SystemClock
from croupier.kit.config import Settings
from croupier.kit.http import HttpWire
from croupier.kit.key_file import KEY_BYTES
from croupier.kit.metrics import Metrics
from croupier.kit.seal import Lineage, Sealer
from croupier.kit.signed_lines import SignedLines
from croupier.kit.throttle import Throttle
from croupier.kit.tracing import Tracer
from croupier.kit.wire import Wire
from croupier.store.db import Db, Limits
from croupier.store.demo import DemoMoney
from croupier.store.embedded.server import attach
from croupier.store.feed.draws import Draws
from croupier.store.feed.game_types import GameTypes
from croupier.store.feed.streams import Streams
from croupier.store.installation import Installation, Lifeline
from croupier.store.money.balances import Balances
from croupier.store.money.bets import Bets, Cashbacks
from croupier.store.money.calls import Calls
from croupier.store.money.group_commit import GroupCommit
from croupier.store.money.ids import MoneyIds, start_ids
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
from croupier.store.oversight.recoveries import Recoveries
from croupier.store.oversight.trail import Trail
from croupier.store.parties.casinos import Casinos
from croupier.store.parties.catalogue import CasinoCatalogue
from croupier.store.parties.exclusions import Exclusions
from croupier.store.parties.games import Games
from croupier.store.parties.keys import Keys, holds_sealed
from croupier.store.parties.launch_codes import LaunchCodes
from croupier.store.parties.listings import CatalogueDiffs
from croupier.store.parties.players import Players
from croupier.store.parties.providers import Providers
from croupier.store.parties.session_memory import SessionMemory
from croupier.store.parties.session_stakes import SessionStakes
from croupier.store.parties.sessions import Sessions
from croupier.store.replay_guard import ReplayGuard
from croupier.store.singleton_leases import SingletonLeases

if TYPE_CHECKING:
    from croupier.kit.otlp import SpanSender

LAST_SPANS_S = 1.0
"""The wait for the collector at the end of a process."""


@dataclass(frozen=True, slots=True)
class Seams:
    """The seams of one process: everything outside it."""

    clock: Clock
    chance: Chance
    wire: Wire
    sealer: Sealer
    db: Db
    tracer: Tracer | None = None


def waits_of(settings: Settings) -> Waits:
    """Return the waits of the money path from the settings."""
    return Waits(
        info_at_s=settings.info_at_s,
        late_info_at_s=settings.late_info_at_s,
        accept_wait_s=settings.accept_wait_s,
        ladder_s=settings.ladder_s,
        then_every_s=settings.then_every_s,
        then_for_s=settings.then_for_s,
        later_every_s=settings.later_every_s,
        park_after_s=settings.park_after_s,
        skew_s=settings.skew_s,
        incident_after=settings.incident_after,
        lease_s=settings.lease_s,
    )


def process_settings_of(settings: Settings, process: str) -> ProcessSettings:
    """Return the flows' process settings from the settings."""
    return ProcessSettings(
        process=process,
        min_bet=settings.default_min_bet,
        max_bet=settings.default_max_bet,
        large_win=settings.default_large_win,
        session_s=settings.session_hours * 3600,
        balance_stale_s=settings.balance_stale_s,
        poll_s=settings.poll_ms / 1000,
        max_waiting=settings.max_in_flight,
        sample_bp=settings.reconcile_sample_bp,
        compare_per_s=settings.reconcile_per_s,
        open_s=settings.reconcile_open_s,
        recovery_per_s=settings.recovery_per_s,
    )


def inbound_rates_of(settings: Settings) -> InboundRates:
    """Return the rates of incoming requests from the settings."""
    return InboundRates(
        provider_per_s=settings.provider_per_s,
        tokens_per_s=settings.tokens_per_s,
        feed_per_s=settings.feed_per_s,
        failed_auth_per_s=settings.failed_auth_per_s,
    )


def build(settings: Settings, seams: Seams, process: str, *, process_settings: ProcessSettings | None = None) -> Hub:
    """Build a hub over these seams. With a process name it makes its own calls, without one it only decides."""
    db, clock, chance = seams.db, seams.clock, seams.chance
    metrics = Metrics()
    process_settings = process_settings or process_settings_of(settings, process)
    store = _stores(settings, seams, process)
    group_commit = GroupCommit(db, clock, process or f"command-{chance.hex(4)}", metrics=metrics)
    hub = Hub(
        store=store,
        group_commit=group_commit,
        clock=clock,
        chance=chance,
        metrics=metrics,
        waits=waits_of(settings),
        process_settings=process_settings,
        waiters=Waiters(clock, store.bets.versions, process_settings.poll_s),
        admission=Admission(clock, metrics, process_settings.max_waiting),
        inbound_limits=InboundLimits(clock, metrics, inbound_rates_of(settings)),
        database_health=DatabaseHealth(clock, metrics),
        notary=notary_of(settings, seams.sealer),
        throttle=Throttle(clock),
        balance_throttle=Throttle(clock, settings.balance_stale_s),
        tracer=seams.tracer,
    )
    if seams.tracer is not None:
        trace_commits(group_commit, seams.tracer)
    hub.casino_gateways = {
        name: protocol.gateway(seams.wire, clock, store.keys, issuer=settings.issuer)
        for name, protocol in casinos.PROTOCOLS.items()
    }
    hub.provider_gateways = {
        name: protocol.gateway(seams.wire, clock, chance, allow_http=settings.allow_private_peers)
        for name, protocol in providers.PROTOCOLS.items()
    }
    hub.notifiers = {"webhook": WebhookNotifier(seams.wire, clock), "mail": MailNotifier()}
    group_commit.on_commit(store.bets.committed)
    group_commit.on_commit(hub.waiters.committed)
    if process:
        group_commit.on_commit(partial(balance_committed, hub))
        hub.state.dispatcher = Dispatcher(hub)
        hub.state.poller = Poller(hub)
        group_commit.on_commit(hub.state.dispatcher.committed)
        group_commit.on_commit(hub.state.poller.committed)
    return hub


def _stores(settings: Settings, seams: Seams, process: str) -> Stores:
    db, sealer, clock, chance = seams.db, seams.sealer, seams.clock, seams.chance
    memory = SessionMemory(db, clock.monotonic_s)
    return Stores(
        db=db,
        bets=Bets(db),
        cashbacks=Cashbacks(db),
        calls=Calls(db, process),
        partner_transactions=PartnerTransactions(db),
        balances=Balances(db),
        play_sums=PlaySums(db),
        ids=MoneyIds(db),
        casinos=Casinos(db, sealer, clock, chance=chance),
        providers=Providers(db, sealer, clock, chance=chance, waits=_waits_for_all(settings)),
        keys=Keys(db, sealer, clock, chance=chance),
        players=Players(db, sealer, clock, memory=memory),
        games=Games(db, clock, memory=memory),
        sessions=Sessions(db, memory),
        catalogue=CasinoCatalogue(db),
        catalogue_diffs=CatalogueDiffs(db, clock),
        launch_codes=LaunchCodes(db, clock, chance),
        exclusions=Exclusions(db, clock, memory=memory),
        session_stakes=SessionStakes(db, clock),
        replay_guard=ReplayGuard(db, clock),
        demo=DemoMoney(db, clock),
        incidents=Incidents(db, clock),
        notifications=Notifications(db, sealer, clock),
        accounts=Accounts(db, clock, chance),
        admin_uses=AdminUses(db, clock),
        proposals=Proposals(db, clock),
        findings=Findings(db, clock),
        comparisons=Comparisons(db),
        singleton_leases=SingletonLeases(db, clock),
        trail=Trail(db, clock, chance),
        audits=Audits(db, Incidents(db, clock)),
        installation=Installation(db, clock, chance),
        recoveries=Recoveries(db, clock),
        game_types=GameTypes(db),
        draws=Draws(db, clock),
        streams=Streams(db, clock, process),
        jackpots=Jackpots(db, sealer, clock, process=process or "command"),
    )


def notary_of(settings: Settings, sealer: Sealer) -> SignedLines:
    """Return the store of signed checkpoints of a home, with its keys."""

    def lineage() -> Lineage:
        sealer.refresh()
        return sealer.lineage("trail")

    return SignedLines(settings.trail_path, sealer.derive("trail"), lineage)


def _waits_for_all(settings: Settings) -> dict[str, float]:
    told = {"hold_s": settings.hold_s, "claim_s": settings.claim_s}
    return {name: seconds for name, seconds in told.items() if seconds is not None}


@asynccontextmanager
async def open_db(settings: Settings, *, may_make: bool = True, serving: bool = False) -> AsyncIterator[Db]:
    """Open the database of these settings: the named one, or the embedded one of the home.

    Without `may_make` a missing home is not created: raises NoHome. `serving`: the short statement timeout of the payment path
    applies unless a statement asks for more.
    """
    limits = Limits(
        statement_s=settings.db_statement_s if serving else settings.db_report_s,
        pinned_s=settings.db_statement_s,
        longest_s=settings.db_migration_s,
    )
    more: dict[str, Any] = {"size": settings.db_pool, "pinned": settings.db_lines, "limits": limits}
    if settings.database_url is not None:
        db = await Db.connect(settings.database_url.value, **more)
        try:
            yield db
        finally:
            await db.close()
        return
    with attach(settings.home, may_make=may_make) as attached:
        db = await Db.connect(attached.connect_kwargs, **more)
        try:
            yield db
        finally:
            await db.close()


@asynccontextmanager
async def open_hub(settings: Settings, *, process: str = "", aim: Aim = Aim.MAKE) -> AsyncIterator[Hub]:
    """Open a hub on the real network and clock, over a database that is up to date. It is closed when the block ends.

    `aim` says what may be created or changed: see apps.schema. Raises what `make_ready` raises.
    """
    look = aim is Aim.LOOK
    async with open_db(settings, may_make=aim in (Aim.MAKE, Aim.SERVE), serving=bool(process)) as db:
        await make_ready(db, settings, aim)
        clock = SystemClock()
        clock.offset_ms = await db.clock_offset_ms(clock) or 0
        sealer = await _sealer(settings, db, look=look)
        wire = HttpWire(allow_private=settings.allow_private_peers)
        chance, spans = SystemChance(), _span_sender(settings, process)
        tracer = None
        if spans is not None:
            tracer = Tracer(clock, chance, spans, hub=settings.issuer, share_bp=settings.otel_share_bp)
        try:
            hub = build(settings, Seams(clock, chance, wire, sealer, db, tracer), process)
            if look:
                await refresh(hub)
            else:
                await start_ids(db, clock)
                await detect_restore(hub, Lifeline(settings.home))
            yield hub
        finally:
            await wire.close()
            if spans is not None:
                await asyncio.to_thread(spans.close, LAST_SPANS_S)


def _span_sender(settings: Settings, process: str) -> SpanSender | None:
    """Return where the spans of a serving process go, or None without traces."""
    if settings.otel_endpoint is None or not process:
        return None
    from croupier.kit.otlp import SpanSender  # noqa: PLC0415 - a hub without traces loads none of it

    return SpanSender(settings.otel_endpoint, instance=process, version=__version__)


async def _sealer(settings: Settings, db: Db, *, look: bool) -> Sealer:
    """Return the sealer. A read-only program without a key file gets a temporary one: there is nothing to open."""
    sealed = await holds_sealed(db)
    if look and not sealed and not settings.key_path.exists():
        return Sealer(bytes.fromhex(SystemChance().hex(KEY_BYTES)))
    return Sealer.of_file(settings.key_path, may_make=not sealed)
