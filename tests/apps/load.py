"""Players that bet without a pause, and the comparison of all three books afterwards. For tests that kill something meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld
from croupier.views.audit.auditor import audit

PLAYERS = 8
STAKE, RETURN = -1, 2
"""The casino's TransactionTypes."""
OK, RETURNED = 1, 7
"""The provider's codes of a bet that is on, and of one whose stake went back, or never came, before anybody claimed it."""
WAITS = {
    "CROUPIER_CLAIM_S": "3",
    "CROUPIER_INFO_AT_S": "7,8,9",
    "CROUPIER_LATE_INFO_AT_S": "40,50,60",
    "CROUPIER_ACCEPT_WAIT_S": "1.5",
    "CROUPIER_DB_POOL": "4",
}


async def play_through(world: LocalWorld, accident: Callable[[], Awaitable[None]]) -> None:
    """Bet, have the accident happen, bet on, and compare the books of hub, casino and provider at rest."""
    sessions = [(await world.launch(f"player-{n}", "lantern-tumble")).session_id for n in range(PLAYERS)]
    answers: dict[str, int | None] = {}
    stopping = asyncio.Event()

    async def play(number: int) -> None:
        """Bet after bet; one whose outcome is unknown is repeated until it has one, as a provider does."""
        count = 0
        while not stopping.is_set():
            count += 1
            bet = f"p{number}-{count}"
            while answers.get(bet) not in (OK, RETURNED):
                said = {"session": sessions[number], "bet": bet, "round": bet, "amount": "1.00"}
                _, answers[bet] = await world.call("pay-in", **said)

    players = [asyncio.create_task(play(n)) for n in range(PLAYERS)]
    await asyncio.sleep(4)
    before = sum(code == OK for code in answers.values())
    await accident()
    await asyncio.sleep(8)
    stopping.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*players)
    assert before > 20, "there was load before"
    assert len(answers) > before + PLAYERS, "and it went on afterwards"
    await at_rest(world)
    await compare(world, answers)


async def at_rest(world: LocalWorld) -> None:
    """Every payment has its outcome: what the failover left unanswered was queried."""
    async with open_hub(world.settings) as hub, asyncio.timeout(90):
        while await hub.store.db.fetchval(
            "select count(*) from payments where state in ('created', 'sent', 'unknown')"
        ):
            await asyncio.sleep(0.5)


async def compare(world: LocalWorld, answers: dict[str, int | None]) -> None:
    """Hub, casino and provider agree on every bet."""
    async with open_hub(world.settings) as hub:
        rows = await hub.store.db.fetch("select bet_id, bet_ref, state from bets")
        # A stake that never reached the casino, because the accident took its call, expires: nothing was booked.
        ends = {row["bet_ref"]: "returned" if row["state"] == "expired" else row["state"] for row in rows}
        assert {ref: state for ref, state in ends.items() if ref in answers} == {
            ref: "on" if code == OK else "returned" for ref, code in answers.items()
        }
        assert {row["bet_ref"] for row in rows} == set(answers), "and there is no other bet"
        booked: list[tuple[int, int]] = []
        for number in range(PLAYERS):
            wallet = await world.ask(f"{world.casino_url}/_sandbox/wallet/player-{number}")
            booked += [(int(b["BetId"]), int(b["TransactionType"])) for b in wallet["bookings"]]
        returned = [(row["bet_id"], RETURN) for row in rows if row["state"] == "returned"]
        staked = [(row["bet_id"], STAKE) for row in rows if row["state"] != "expired"]
        assert sorted(booked) == sorted([*staked, *returned]), "each once"
        assert [found for found in await audit(hub.store.db) if found.violations] == []
