"""`croupier demo`: play every kind of round between real processes on this machine, then show the books.

Owns: the kinds of rounds and the output. The waits are shortened by settings, and the output says so. Demo money only: the
casino is a sandbox. Spec: operate.md 2 (`croupier demo`).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from croupier.apps import demo_jackpot
from croupier.apps.demo_draws import DrawsPlayed, play_draws, slow_down
from croupier.apps.demo_jackpot import OpenedJackpot
from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world
from croupier.core.bet import BetState
from croupier.core.cashback import Cashback
from croupier.core.money import format_amount
from croupier.flows.cashback import cancel_cashback, pay_cashback
from croupier.flows.hub import Hub
from croupier.kit.config import Settings
from croupier.views.audit.auditor import InvariantResult, audit
from croupier.views.sums import AccountSum, sums

HOLD_S = 1.5
CLAIM_S = 2.0
LATE_S = 2.2
AT_REST_S = 25.0
GAME = "lantern-tumble"


@dataclass(frozen=True, slots=True)
class RoundKind:
    """A kind of round: its name, its expected result and the function that plays it."""

    name: str
    expected: str
    play: Callable[[PlayerSession, int], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class PlayerSession:
    """A player's open session in the demo's world."""

    world: LocalWorld
    session: str
    player: str


async def _win(table: PlayerSession, n: int) -> str:
    return await _rounds(table, f"w{n}", stake="10.00", win="25.00")


async def _loss(table: PlayerSession, n: int) -> str:
    return await _rounds(table, f"l{n}", stake="10.00", win="0")


async def _rounds(table: PlayerSession, bet: str, *, stake: str, win: str) -> str:
    told = [await _call(table, "pay-in", bet, amount=stake), await _call(table, "pay-out", bet, win=win)]
    return " ".join(told)


async def _at_once(table: PlayerSession, n: int) -> str:
    return await _call(table, "pay-in-out", f"io{n}", amount="5.00", win="7.50")


async def _refund(table: PlayerSession, n: int) -> str:
    bet = f"r{n}"
    return " ".join([await _call(table, "pay-in", bet, amount="8.00"), await _call(table, "refund", bet)])


async def _late(table: PlayerSession, n: int) -> str:
    """A late accept: the provider was answered "not known", nobody claims the stake, and it is returned."""
    return await _call(table, "pay-in", f"t{n}", amount="20.00")


async def _call(table: PlayerSession, verb: str, bet: str, **what: str) -> str:
    said = {"session": table.session, "bet": f"{table.player}-{bet}", **what}
    if verb != "refund":
        said["round"] = f"round-{bet}"
    _, code = await table.world.call(verb, **said)
    return f"{verb} {code}"


KINDS = (
    RoundKind("bet and win", "pay-in 1 pay-out 1", _win),
    RoundKind("bet and loss", "pay-in 1 pay-out 1", _loss),
    RoundKind("pay-in-out", "pay-in-out 1", _at_once),
    RoundKind("refund", "pay-in 1 refund 1", _refund),
    RoundKind("time-out, late accept", "pay-in 99", _late),
)
CASHBACK = "cashback, then cancelled"


@dataclass(slots=True)
class RoundResult:
    """The result of one kind of round."""

    name: str
    rounds: int
    as_expected: int
    odd: list[str]


@dataclass(frozen=True, slots=True)
class DemoReport:
    """Everything that was played, and the books afterwards. Demo money."""

    as_expected: bool
    rounds: list[RoundResult]
    jackpot: str
    ledger: list[AccountSum]
    undecided: int
    """Payments and bets without an outcome at the time-out."""
    invariants: list[InvariantResult]
    late_bet: int | None
    """A bet that was accepted too late and went back."""
    home: str
    hub: str
    casino: str
    studio: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Where the results go, and whether everything keeps running. `tell` gets the report, for programs."""

    console: Console
    stay: bool
    tell: Callable[[DemoReport], None] | None


def demo(settings: Settings, rounds: int, *, stay: bool, tell: Callable[[DemoReport], None] | None = None) -> int:
    """Play and show, or tell; return 0 if every result was as expected. SIGTERM and Ctrl-C stop all started processes."""
    try:
        return asyncio.run(_demo(settings, rounds, Shown(Console(quiet=tell is not None), stay, tell)))
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM


async def _demo(settings: Settings, rounds: int, shown: Shown) -> int:
    console = shown.console
    me = asyncio.current_task()
    assert me is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    home = settings.home.absolute() / "demo"
    home.mkdir(parents=True, exist_ok=True)
    console.print(
        f"[bold]Croupier demo[/] (demo money). Waits are shortened by settings: hold {HOLD_S} s instead of 6 s,"
        f" claim {CLAIM_S} s instead of 15 s."
    )
    shortened = {"CROUPIER_HOLD_S": str(HOLD_S), "CROUPIER_CLAIM_S": str(CLAIM_S), **demo_jackpot.SHORTENED}
    with console.status("Starting PostgreSQL, the hub, a sandbox casino and a sandbox studio"):
        manager = local_world(home, shortened, log=home / "demo.log")
        world = await manager.__aenter__()
    try:
        return await _play_and_show(world, rounds, shown)
    finally:
        await manager.__aexit__(None, None, None)


async def _play_and_show(world: LocalWorld, rounds: int, shown: Shown) -> int:
    console = shown.console
    async with open_hub(world.settings) as hub:
        opened = await demo_jackpot.open_jackpot(hub, world)
    with Progress(console=console, transient=True) as progress:
        told = await _play(world, rounds, progress)
        undecided = await _wait_until_idle(world, opened, progress)
    async with open_hub(world.settings) as hub:
        ledger, findings = await sums(hub.store.db), await audit(hub.store.db)
        line, ok = await demo_jackpot.jackpot_line(hub, opened)
        bet_id = await hub.store.db.fetchval(_A_LATE_BET)
    ok = _show_rounds(told, console) and ok
    console.print(line, soft_wrap=True, markup=False, highlight=False, style=None if ok else "red")
    ok = _show_sums(ledger, console) and ok
    ok = _show_audit(findings, undecided, console) and ok
    _show_links(world, bet_id, console, stay=shown.stay)
    if shown.tell is not None:
        home, urls = str(world.settings.home), (world.hub_url, world.casino_url, world.studio_url)
        shown.tell(DemoReport(ok, told, line, ledger, undecided, findings, bet_id, home, *urls))
    if shown.stay:
        await slow_down(world)
        await _wait_for_signal(console)
    return 0 if ok else 1


async def _play(world: LocalWorld, rounds: int, progress: Progress) -> list[RoundResult]:
    """Play all kinds of rounds concurrently."""
    run = world.hub.pid
    tables = []
    for number, kind in enumerate(KINDS):
        player = f"player-{run}-{number}"
        if kind.play is _late:
            await world.behave(f"late:{LATE_S}", player=player, type=-1)
        launched = await world.launch(player, GAME)
        tables.append(PlayerSession(world, launched.session_id, player))
    work = [_play_kind(kind, table, rounds, progress=progress) for kind, table in zip(KINDS, tables, strict=True)]
    draws = play_draws(world, lambda line: progress.console.print(line, soft_wrap=True, markup=False, highlight=False))
    played, *told = await asyncio.gather(draws, *work, _cashbacks(world, run, rounds, progress=progress))
    assert isinstance(played, list)
    return [*(row for row in told if isinstance(row, RoundResult)), *map(_of_draws, played)]


def _of_draws(played: DrawsPlayed) -> RoundResult:
    return RoundResult(f"draw: {played.name}", played.bets, played.as_expected, played.odd)


async def _play_kind(kind: RoundKind, table: PlayerSession, rounds: int, *, progress: Progress) -> RoundResult:
    bar = progress.add_task(kind.name, total=rounds)
    told = RoundResult(kind.name, rounds, 0, [])

    async def one(n: int) -> None:
        came = await kind.play(table, n)
        progress.advance(bar)
        if came == kind.expected:
            told.as_expected += 1
        else:
            told.odd.append(came)

    await asyncio.gather(*(one(n) for n in range(rounds)))
    return told


async def _cashbacks(world: LocalWorld, run: int, rounds: int, *, progress: Progress) -> RoundResult:
    """Pay cashbacks, and cancel every second one."""
    bar = progress.add_task(CASHBACK, total=rounds)
    told = RoundResult(CASHBACK, rounds, 0, [])
    async with open_hub(world.settings) as hub:
        for n in range(rounds):
            row = await pay_cashback(hub, await _cashback(hub, world, f"demo-{run}-{n}"))
            if n % 2:
                await cancel_cashback(hub, row.cashback_id, "demo")
            told.as_expected += 1
            progress.advance(bar)
    return told


async def _cashback(hub: Hub, world: LocalWorld, ref: str) -> Cashback:
    assert world.casino is not None
    player = await hub.store.players.register(world.casino.casino_id, f"cashback-{world.hub.pid}", "EUR")
    return Cashback(
        cashback_id=await hub.store.ids.take(),
        casino_id=world.casino.casino_id,
        player_id=player.player_id,
        player_ref=player.player_ref,
        currency="EUR",
        amount=300,
        ref=ref,
        created_ms=hub.clock.now_ms(),
    )


_A_LATE_BET = "select max(bet_id) from bets where bet_ref ~ '-t[0-9]+$'"
_UNDONE = "select count(*) from payments where state in ('created', 'sent')"
_STANDING = "select count(*) from bets where state = any($1::text[])"


async def _wait_until_idle(world: LocalWorld, opened: OpenedJackpot, progress: Progress) -> int:
    """Wait until the hub has nothing left to do. Return the number of undecided payments and bets at the timeout."""
    bar = progress.add_task("until every payment has its outcome", total=None)
    async with open_hub(world.settings) as hub:
        until_s = hub.clock.monotonic_s() + AT_REST_S
        while (left := await _undecided(hub, opened)) and hub.clock.monotonic_s() < until_s:
            await hub.clock.sleep(0.1)
    progress.remove_task(bar)
    return left


async def _undecided(hub: Hub, opened: OpenedJackpot) -> int:
    """Return the number of payments and bets without an outcome; a jackpot that is not paid yet counts too."""
    standing = [s.value for s in (BetState.ASKED, BetState.UNWANTED, BetState.UNCLAIMED, BetState.UNDOING)]
    undone: int = await hub.store.db.fetchval(_UNDONE)
    unpaid = not await demo_jackpot.is_paid(hub, opened)
    return undone + int(await hub.store.db.fetchval(_STANDING, standing)) + unpaid


def _show_rounds(told: list[RoundResult], console: Console) -> bool:
    table = Table(title="What was played", title_justify="left")
    for column in ("kind of round", "rounds", "as expected"):
        table.add_column(column, justify="left" if column == "kind of round" else "right")
    for row in told:
        table.add_row(row.name, str(row.rounds), str(row.as_expected))
    console.print(table)
    for row in told:
        for odd in sorted(set(row.odd)):
            console.print(f"[red]{row.name}: {odd}[/]")
    return all(row.as_expected == row.rounds for row in told)


def _show_sums(rows: list[AccountSum], console: Console) -> bool:
    table = Table(title="Ledger (demo money)", title_justify="left")
    table.add_column("account")
    table.add_column("balance", justify="right")
    for row in rows:
        table.add_row(row.account, f"{row.text} {row.currency}")
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.currency] = totals.get(row.currency, 0) + row.balance
    for currency, total in totals.items():
        table.add_row("[bold]sum of all accounts[/]", f"[bold]{format_amount(total, currency)} {currency}[/]")
    console.print(table)
    return not any(totals.values())


def _show_audit(findings: list[InvariantResult], undecided: int, console: Console) -> bool:
    broken = [f for f in findings if f.violations]
    if undecided:
        console.print(f"[red]{undecided} payments or bets have no outcome yet[/]")
    for finding in broken:
        console.print(f"[red]audit {finding.name}: {len(finding.violations)} violations[/]")
    if not broken:
        console.print(f"Audit: all {sum(f.checked for f in findings)} invariants that rows can show hold.")
    return not broken and not undecided


def _show_links(world: LocalWorld, bet_id: int | None, console: Console, *, stay: bool) -> None:
    home, program = _shown(world.settings.home), _shown(Path(sys.argv[0]).absolute())
    console.print("Follow a bet that was accepted too late and went back:")
    console.print(f"  CROUPIER_HOME={home} {program} trace {bet_id}", soft_wrap=True)
    console.print("Verify a draw from its proof: croupier verify-draw FILE (docs/guides/draws.md)", soft_wrap=True)
    console.print("Verify the jackpot:")
    console.print(f'  CROUPIER_HOME={home} {program} jackpot verify "{demo_jackpot.NAME}"', soft_wrap=True)
    _show_feed(world, console, stay=stay)
    console.print(f"The hub's log is {home}/demo.log", soft_wrap=True)
    if not stay:
        console.print("Play in a browser, at a pretend casino with demo money: croupier demo --stay", soft_wrap=True)
    if stay:
        console.print(f"[bold]Play at a pretend casino, with demo money: {world.casino_url}/[/]", soft_wrap=True)
        console.print(f"Hub {world.hub_url}/readyz and /metrics · casino {world.casino_url}/_sandbox/wallet")
        console.print(f"Studio {world.studio_url}/_sandbox/sessions and /_sandbox/draws")


def _show_feed(world: LocalWorld, console: Console, *, stay: bool) -> None:
    """Say how to watch the feed. The hub must run, so without `--stay` the advice is to keep it."""
    program, keys = _shown(Path(sys.argv[0]).absolute()), _shown(world.casino_file)
    if not stay:
        console.print("Watch the live feed (docs/guides/feed.md): make demo ARGS=--stay", soft_wrap=True)
        return
    console.print("Watch the live feed of a game type, here the wheel (docs/guides/feed.md):")
    console.print(f"  {program} feed watch 24 --hub {world.hub_url} --credentials {keys}", soft_wrap=True)


def _shown(home: Path) -> str:
    """Return a path relative to the working directory where possible."""
    with contextlib.suppress(ValueError):
        return str(home.relative_to(Path.cwd()))
    return str(home)


async def _wait_for_signal(console: Console) -> None:
    console.print("Everything keeps running until Ctrl-C.")
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
