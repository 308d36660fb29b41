"""What every drill of a restore needs: a load that remembers its answers, and the proof that nothing was lost or doubled.

The sandbox casino and studio live on and remember what the restored database does not know.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, start_hub
from croupier.flows.hub import Hub
from croupier.flows.recovery import progress
from croupier.sandbox.bookings import TransactionType
from croupier.views.audit.auditor import audit
from tests.apps.load import at_rest

WAITS = {
    "CROUPIER_SKEW_S": "0.5",
    "CROUPIER_CLAIM_S": "3",
    "CROUPIER_INFO_AT_S": "7,8,9",
    "CROUPIER_LATE_INFO_AT_S": "40,50,60",
    "CROUPIER_ACCEPT_WAIT_S": "1.5",
    "CROUPIER_RECOVERY_PER_S": "1000",
    "CROUPIER_DB_POOL": "4",
}
PLAYER = "ann"
AT_ONCE = 4
OK = (200, 1)
HELD_OFF = (503, 99)
"""The answer to a bet while recovery mode takes no new ones."""


async def until(true: Callable[[], Awaitable[bool]], within_s: float, what: str) -> None:
    async with asyncio.timeout(within_s):
        while not await true():
            await asyncio.sleep(0.1)
    assert await true(), what


async def up(world: LocalWorld) -> None:
    """The hub again, at its address."""
    port = urlsplit(world.hub_url).port
    assert port is not None
    world.hub, _ = await start_hub(world.environ, 2, port=port, log=world.settings.home / "hub.log")


async def run_croupier(world: LocalWorld, *words: str) -> tuple[int | None, str, str]:
    """Run the real command beside the hub and return its exit code, output and errors."""
    environ = {**os.environ, **world.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "croupier.cli", *words, env=environ, stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def croupier(world: LocalWorld, *words: str) -> Any:
    """Run the real command beside the hub and return its JSON."""
    code, out, err = await run_croupier(world, *words, "--json")
    assert code == 0, out + err
    return json.loads(out)


# --- the load -----------------------------------------------------------------------------------------------


@dataclass
class Load:
    """Bets without a pause, four at a time, in one session: a stake of 1.00, and a win of 0.50 for every second bet."""

    world: LocalWorld
    session: str
    answers: dict[str, tuple[int | None, int | None] | None] = field(default_factory=dict)
    """What the studio was told of each bet, in the order of asking; None where the answer is not there."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    async def begin(cls, world: LocalWorld) -> Load:
        made = cls(world, (await world.launch(PLAYER, "lantern-tumble")).session_id)
        made._tasks = [asyncio.create_task(made._play(first)) for first in range(AT_ONCE)]
        return made

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert [one for one in ended if not isinstance(one, asyncio.CancelledError)] == []

    @property
    def taken(self) -> set[str]:
        """The bets that the studio was told are on."""
        return {bet for bet, answer in self.answers.items() if answer == OK}

    async def bet(self, bet: str, amount: str = "1.00") -> tuple[int | None, int | None]:
        return await self.world.call("pay-in", session=self.session, bet=bet, amount=amount, round="r")

    async def win(self, bet: str) -> tuple[int | None, int | None]:
        return await self.world.call("pay-out", session=self.session, bet=bet, win="0.50", round="r")

    async def _play(self, first: int) -> None:
        for n in range(first, 100_000, AT_ONCE):
            self.answers[f"b{n}"] = None
            self.answers[f"b{n}"] = await self.bet(f"b{n}")
            if wins(f"b{n}"):
                await self.win(f"b{n}")


def wins(bet: str) -> bool:
    return int(bet[1:]) % 2 == 1


async def wallet(world: LocalWorld) -> dict[str, Any]:
    """The player at the casino."""
    return dict(await world.ask(f"{world.casino_url}/_sandbox/wallet/{PLAYER}"))


def bookings(of: dict[str, Any]) -> list[tuple[int, int]]:
    """BetId and TransactionType of everything that the casino booked."""
    return [(int(b["BetId"]), int(b["TransactionType"])) for b in of["bookings"]]


# --- the proof ----------------------------------------------------------------------------------------------


async def prove_nothing_lost_or_doubled(load: Load, before: dict[str, Any]) -> None:
    """The hub serves again on an older database. It recovers by itself and with a person's word, and all books agree.

    `before` is the player at the casino when the hub was down.
    """
    world = load.world
    assert await load.bet("new", "2.00") == HELD_OFF
    async with open_hub(world.settings) as desk:
        assert desk.state.recovery is not None, "recovery mode begins by itself"
        for bet in load.answers:  # the studio repeats what it may not have had an answer to
            await load.bet(bet)
        await every_lost_bet_is_found(load, desk, before)
    assert (await wallet(world))["change"] == before["change"], "not a cent moved"

    async def taken() -> bool:
        return await load.bet("new", "2.00") == OK

    await until(taken, 20, "new bets are not taken again")
    async with open_hub(world.settings) as desk:
        known = {str(row["bet_ref"]) for row in await desk.store.db.fetch("select bet_ref from bets where was_on")}
    for bet in sorted(load.taken & known):
        if wins(bet):
            assert await load.win(bet) == OK, "the studio repeats its wins"
    await at_rest(world)
    await compare_books(load)


async def every_lost_bet_is_found(load: Load, desk: Hub, before: dict[str, Any]) -> None:
    """The casino knows bets that the database does not: each is a finding, and recovery ends when a person has seen them."""
    rows = await desk.store.db.fetch("select bet_id, bet_ref from bets")
    lost = {bet for bet, _ in bookings(before)} - {int(row["bet_id"]) for row in rows}
    missed = load.taken - {str(row["bet_ref"]) for row in rows}
    assert lost, "the load went on behind the backup"
    assert len(missed) <= len(lost), "the casino knows every bet that the studio was told is on"

    async def compared() -> bool:
        active = await desk.store.recoveries.active()
        assert active is not None
        now = await progress(desk, active)
        for row in await desk.store.db.fetch("select bet_ref from bets where state in ('asked', 'unclaimed')"):
            await load.bet(str(row["bet_ref"]))
        return now.settled and not (now.to_compare or now.to_probe)

    await until(compared, 200, "the window is not reconciled")
    findings = await desk.store.findings.open_ones(10_000)
    assert {f.subject_id for f in findings if f.subject_id} >= lost
    for finding in findings:
        assert await desk.store.findings.close([finding], "mia", "a drill")

    async def over() -> bool:
        return await desk.store.recoveries.active() is None

    await until(over, 60, "recovery does not end")


async def compare_books(load: Load) -> None:
    """Each booking of the casino is one payment of the hub, or belongs to a lost bet that a person has seen."""
    booked = bookings(await wallet(load.world))
    assert len(booked) == len(set(booked)), "nothing is booked twice"
    async with open_hub(load.world.settings) as desk:
        known = {int(row["bet_id"]) for row in await desk.store.db.fetch("select bet_id from bets")}
        paid = await desk.store.db.fetch("select subject_id, kind from payments where state = 'accepted'")
        hub = {(int(row["subject_id"]), int(TransactionType[row["kind"].upper()])) for row in paid}
        assert {(bet, kind) for bet, kind in booked if bet in known} == hub
        seen = await desk.store.db.fetch("select subject_id from findings where closed_by = 'mia'")
        assert {bet for bet, _ in booked} - known <= {int(row["subject_id"]) for row in seen}
        assert [found for found in await audit(desk.store.db) if found.violations] == []
