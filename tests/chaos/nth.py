"""Failures of the n-th database or network call: each scenario runs with n from 1 on until no call fails.

Owns: the failing calls (before they take effect, or after, so that only their answer is lost), the scenarios, and what is
asked when peace has come. Everything runs in one process on virtual time, over real bytes and a real PostgreSQL. Never: a
double of our own parts. Spec: money.md 4.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from croupier.apps.worker import restart_forever
from croupier.core.commands import Order
from croupier.core.readings import PaymentKind
from croupier.kit.wire import PeerError, WireAnswer, WireRequest
from croupier.simulator import virtual_time
from croupier.simulator.stage import Stage, settings_for
from croupier.simulator.virtual_time import VirtualLoop
from croupier.store.db import Db, DbDown, Row, Tx
from croupier.store.embedded.server import Attached, attach
from croupier.store.migrate import migrate
from croupier.views.audit.auditor import audit
from tests.chaos.books import OVER, UNDECIDED
from tests.conftest import make_home, remove_home
from tests.scenarios.full import FullWorld
from tests.scenarios.full_peers import DEAD
from tests.scenarios.language import Story
from tests.scenarios.words import HONEST, Answers, Ask, CancelCashback, PayCashback, Treat, treatment

BEFORE, AFTER = "before", "after"
DATABASE, NETWORK = "database", "network"
LONGEST_S = 7200.0
STEP_MS = 15_000
TRIES = 60


@dataclass(slots=True)
class Fault:
    """Makes the n-th call of one sort fail, counted from `arm` on."""

    what: str = ""
    when: str = ""
    left: int = 0
    hit: str = ""
    """The call that failed."""

    def arm(self, what: str, when: str, n: int) -> None:
        """Start counting."""
        self.what, self.when, self.left, self.hit = what, when, n, ""

    def due(self, what: str, name: str) -> str:
        """Return how this call fails: before, after, or not at all."""
        if what != self.what or self.left <= 0:
            return ""
        self.left -= 1
        if self.left:
            return ""
        self.hit = name
        return self.when


class FailingDb:
    """The hub's database, of which one statement fails."""

    def __init__(self, db: Db, turn: asyncio.Lock, fault: Fault) -> None:
        self._db = db
        self._turn = turn
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        return await self._ask(self._db.fetch, sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        return await self._ask(self._db.fetchrow, sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        return await self._ask(self._db.fetchval, sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        return await self._ask(self._db.execute, sql, *args)

    async def batch_fetch(self, sql: str, *args: object) -> list[Row]:
        return await self._ask(self._db.batch_fetch, sql, *args)

    @asynccontextmanager
    async def transaction(self, *, snapshot: bool = False) -> AsyncIterator[Tx]:
        how = self._fault.due(DATABASE, "transaction")
        if how == BEFORE:
            raise DbDown("the connection was lost")
        async with self._turn, self._db.transaction(snapshot=snapshot) as tx:
            yield tx
        if how == AFTER:
            raise DbDown("the connection was lost")

    async def _ask(self, ask: Callable[..., Awaitable[Any]], sql: str, *args: object) -> Any:
        how = self._fault.due(DATABASE, " ".join(sql.split())[:60])
        if how == BEFORE:
            raise DbDown("the connection was lost")
        async with self._turn:
            answer = await ask(sql, *args)
        if how == AFTER:
            raise DbDown("the connection was lost")
        return answer


class FailingWire:
    """The network of all parties, on which one call fails: of the hub to a casino, or of a peer to the hub."""

    def __init__(self, inner: Any, fault: Fault) -> None:
        self._inner = inner
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def send(self, request: WireRequest) -> WireAnswer:
        how = self._fault.due(NETWORK, request.url.partition(".test")[2])
        if how == BEFORE:
            raise PeerError("no connection", sent=False)
        answer: WireAnswer = await self._inner.send(request)
        if how == AFTER:
            raise PeerError("no answer in time")
        return answer


class FailingWorld(FullWorld):
    """The full world of the scenarios, with a hub whose n-th call fails and whose loops restart as a worker's do."""

    fault: Fault

    async def _start(self) -> None:
        self.fault = Fault()
        self.stage.network = FailingWire(self.stage.network, self.fault)  # type: ignore[assignment]
        db = FailingDb(self.stage.db, asyncio.Lock(), self.fault)
        self._hub = running = await self.stage.start_hub(settings_for(), db=db, ack_grace_s=0.3)
        for loop in running.loops:
            loop.cancel()
        poller, waiters = running.hub.state.poller, running.hub.waiters
        running.loops = [
            self.stage.loop.create_task(restart_forever(running.hub, loop)) for loop in (poller.run, waiters.poll)
        ]

    # --- what people do, repeatedly -----------------------------------------------------------------------------

    async def after(self, seconds: float) -> None:
        """Let time pass."""
        await self.go_to(self.now_ms() + round(seconds * 1000))

    async def insist(self, event: Any) -> str:
        """Repeat until there is a definite answer, as a provider or a person at a command does."""
        for _ in range(TRIES):
            try:
                answer = await self.do(event)
            except DbDown:
                answer = DEAD
            if answer not in (DEAD, "99", "99 busy"):
                return answer
            await self.after(1)
        raise AssertionError(f"{event} was never answered")

    async def treat(self, target: str, words: str) -> None:
        """Set the casino's behaviour from now on."""
        await self.do(Treat("casino", target, treatment(words)))

    async def peace(self) -> None:
        """Let time pass until nothing is undecided."""
        for _ in range(round(LONGEST_S * 1000 / STEP_MS)):
            await self._settled()
            if await self.stage.db.fetchval(UNDECIDED) == 0:
                return
            await self.after(STEP_MS / 1000)
        raise AssertionError("no peace within two hours")

    async def accepts_late(self, name: str) -> None:
        """Have the casino book the stake of an ended bet, if there is one, and report it until the hub takes it."""
        bet_id = await self.stage.db.fetchval("select bet_id from bets where bet_ref = $1", name)
        if bet_id is None:
            return
        casino = self._casinos["casino"]
        order = casino.book.seen.get((bet_id, PaymentKind.STAKE))
        order = order or Order(bet_id, PaymentKind.STAKE, "anna", 1000, None, self._currency)
        casino.book.seen[bet_id, PaymentKind.STAKE] = order
        for _ in range(TRIES):
            if await casino.accept(order, casino.book.outcome(order, HONEST)) == "200":
                return
            await self.after(1)
        raise AssertionError("the late accept was never heard")

    async def ends(self, name: str) -> str:
        """Compare the casino's book with the hub's rows of a bet or cashback; return its state, or `none`."""
        row = await self.stage.db.fetchrow(_SUBJECT, name)
        if row is None:
            return "none"
        book, number = self._casinos["casino"].book, row["subject_id"]
        moved = {kind.value: n for (subject, kind), n in book.moved.items() if subject == number and n}
        sql = "select kind, state from payments where subject_id = $1"
        accepted = {r["kind"]: 1 for r in await self.stage.db.fetch(sql, number) if r["state"] == "accepted"}
        assert moved == accepted, f"{name}: the casino moved {moved}, the hub has accepted {sorted(accepted)}"
        assert row["state"] in OVER, f"{name} stands {row['state']}"
        return str(row["state"])


_SUBJECT = """
select bet_id as subject_id, state from bets where bet_ref = $1
union all select cashback_id, state from cashbacks where ref = $1"""


# --- the scenarios ----------------------------------------------------------------------------------------------


async def _taken(world: FailingWorld, ask: Ask) -> None:
    """Check that the stake is taken, whichever single call failed."""
    assert await world.insist(ask) == "1"


async def win(world: FailingWorld, name: str) -> None:
    await _taken(world, Ask("pay-in", name, "r", "10.00"))
    assert await world.insist(Ask("pay-out", name, "r", win="25.00")) == "1"


async def loss(world: FailingWorld, name: str) -> None:
    await _taken(world, Ask("pay-in", name, "r", "10.00"))
    assert await world.insist(Ask("pay-out", name, "r", win="0")) == "1"


async def at_once(world: FailingWorld, name: str) -> None:
    await _taken(world, Ask("pay-in-out", name, "r", "10.00", "25.00"))


async def refund_in_flight(world: FailingWorld, name: str) -> None:
    await world.treat("stake", "accepts after 3s")
    await world.do(Ask("pay-in", name, "r", "10.00", label="A"))
    await world.after(1)
    assert await world.insist(Ask("refund", name)) == "1"
    assert (await world.do(Answers("A"))).split()[0] in ("99", "7", DEAD)
    await world.after(5)
    assert await world.insist(Ask("pay-in", name, "r", "10.00")) == "7"


async def refund_after_payout(world: FailingWorld, name: str) -> None:
    await win(world, name)
    await world.after(3)
    assert await world.insist(Ask("refund", name)) == "1"


async def late_accept(world: FailingWorld, name: str) -> None:
    await world.treat("stake", "down")
    await world.do(Ask("pay-in", name, "r", "10.00"))
    await world.peace()
    await world.treat("stake", "honest")
    await world.accepts_late(name)


async def cashback(world: FailingWorld, name: str) -> None:
    assert await world.insist(PayCashback(name, "3.00")) == "done"


async def cashback_cancelled(world: FailingWorld, name: str) -> None:
    await cashback(world, name)
    await world.after(3)
    assert await world.insist(CancelCashback(name)) == "done"


SCENARIOS: dict[str, tuple[Callable[[FailingWorld, str], Awaitable[None]], set[str]]] = {
    "win": (win, {"settled"}),
    "loss": (loss, {"settled"}),
    "pay-in-out": (at_once, {"settled"}),
    "refund in flight": (refund_in_flight, {"returned", "cancelled", "tombstone"}),
    "refund after payout": (refund_after_payout, {"returned", "cancelled"}),
    "late accept": (late_accept, {"returned", "none"}),
    "cashback": (cashback, {"paid"}),
    "cashback cancelled": (cashback_cancelled, {"cancelled"}),
}
"""Each scenario with its correct ends, whatever failed; `none`: the request itself was lost and nobody repeated it."""
RIGHT = {
    "win": "settled", "loss": "settled", "pay-in-out": "settled", "refund in flight": "returned",
    "refund after payout": "returned", "late accept": "returned", "cashback": "paid", "cashback cancelled": "cancelled",
}  # fmt: skip
"""Return the end without a failure."""


@dataclass(slots=True)
class Enumerated:
    """The result of one scenario: how many calls of each sort failed in turn, before and after."""

    scenario: str
    failed: dict[str, int] = field(default_factory=dict)
    """For `database before` and the others: the last n that failed."""
    runs: int = 0


Opened = Callable[[], AbstractAsyncContextManager[Db]]
"""Opens an empty, migrated database."""


def enumerate_failures(
    opened: Opened, scenario: str, ways: Sequence[tuple[str, str]], *, stride: int = 1
) -> Enumerated:
    """Fail the 1st, 2nd, 3rd … call until the scenario runs without a failure; raise on a wrong end.

    After each: peace, the casino's book like the hub's rows, the auditor without a finding. Of the database's calls every
    `stride`-th is taken.
    """
    found = Enumerated(scenario)

    async def main(loop: VirtualLoop) -> None:
        async with opened() as db:
            stage = Stage(loop, db, scenario)
            try:
                world = await FailingWorld.of(stage, Story(Path(__file__)))
                for way in ways:
                    await _until_untouched(world, found, way, stride if way[0] == DATABASE else 1)
            finally:
                await stage.close()

    virtual_time.run(main)
    return found


async def _until_untouched(world: Any, found: Enumerated, way: tuple[str, str], stride: int) -> None:
    play, ends = SCENARIOS[found.scenario]
    n = 1
    while True:
        name = f"{found.scenario}_{way[0]}_{way[1]}_{n}".replace(" ", "_").replace("-", "_")
        world.fault.arm(*way, n)
        try:
            await play(world, name)
            await world.peace()
            await world.treat("all", "honest")
            end = await world.ends(name)
            assert end in ends, end
            assert world.fault.hit or end == RIGHT[found.scenario], end
            wrong = [(f.name, f.violations) for f in await audit(world.stage.db) if f.violations]
            assert not wrong, wrong
        except AssertionError as error:
            raise AssertionError(
                f"{found.scenario}: {way[0]} call {n} failed {way[1]} ({world.fault.hit}): {error}"
            ) from error
        found.runs += 1
        if not world.fault.hit:
            return
        found.failed[" ".join(way)] = n
        n += stride


@asynccontextmanager
async def _new_database(attached: Attached, number: int) -> AsyncIterator[Db]:
    """Open a migrated database on a server that is removed afterwards."""
    admin = await Db.connect(attached.connect_kwargs, size=1, pinned=1)
    await admin.execute(f"create database nth_{number}")
    await admin.close()
    db = await Db.connect({**attached.connect_kwargs, "database": f"nth_{number}"}, size=2, pinned=2)
    await migrate(db)
    try:
        yield db
    finally:
        await db.close()


WAYS = [(what, when) for what in (DATABASE, NETWORK) for when in (BEFORE, AFTER)]


def enumerate_everything(say: Callable[[str], None]) -> tuple[list[Enumerated], list[str]]:
    """Run every scenario with every failure, each on a new database; return the results and what was wrong."""
    done, problems = [], []
    home = make_home()
    try:
        with attach(home) as attached:
            for number, scenario in enumerate(SCENARIOS):
                try:
                    done.append(enumerate_failures(partial(_new_database, attached, number), scenario, WAYS))
                except AssertionError as error:
                    problems.append(str(error))
                else:
                    say(f"n-th call: {scenario} passed, after {done[-1].runs - len(WAYS)} failures")
    finally:
        remove_home(home)
    return done, problems
