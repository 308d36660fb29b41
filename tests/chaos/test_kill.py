"""SIGKILL between any two steps: the provider repeats with the same ids, gets the right answer, and the books agree.

The hub's own process passes a named point of the money path and is killed there (site/sitecustomize.py): one worker of
two, the only worker, the whole hub with its supervisor, or all of that with the database. The sandbox sides live on.
"""

import asyncio
import os
import secrets
import signal
from dataclasses import dataclass

import pytest

from croupier.core.cashback import Cashback
from croupier.flows.cashback import cancel_cashback, pay_cashback
from tests.chaos.conftest import HOLD_S, Chaos, minor, until

STAKE_POINTS = [
    "group_commit.before_commit", "group_commit.after_commit", "stake.after_commit", "stake.before_send", "stake.after_send",
    "accept.before_commit", "accept.after_commit", "stake.before_answer",
]  # fmt: skip
PAYOUT_POINTS = ["payout.before_send", "payout.before_answer"]
pytestmark = slow = pytest.mark.slow


@dataclass
class Seat:
    """A new player with an open game."""

    chaos: Chaos
    player: str
    session: str

    async def call(self, verb: str, bet: str = "b", **what: str) -> int | None:
        return await self.chaos.call(verb, self.session, f"{self.player}-{bet}", **what)

    async def insist(self, verb: str, bet: str = "b", **what: str) -> int:
        return await self.chaos.insist(verb, self.session, f"{self.player}-{bet}", **what)

    async def booked(self) -> list[int]:
        """What the casino has in its books, in order."""
        return [b["TransactionType"] for b in await self._bookings()]

    async def _bookings(self) -> list[dict[str, int]]:
        told = (await self.chaos.wallet(self.player))["bookings"]
        return [{**b, "TransactionType": int(b["TransactionType"])} for b in told]

    async def change(self) -> int:
        return minor((await self.chaos.wallet(self.player))["change"])

    async def ends_with(self, *types: int, change: int) -> None:
        """Check that everything comes to rest and the wallet has moved by exactly these payments."""
        await self.chaos.at_rest()
        assert await self.booked() == list(types)
        assert await self.change() == change


async def sit(chaos: Chaos, game: str = "lantern-tumble") -> Seat:
    player = f"p-{secrets.token_hex(4)}"
    return Seat(chaos, player, await chaos.seat(player, game))


# --- one of two workers -------------------------------------------------------------------------------------------


async def pay_in_through(chaos: Chaos, at: str, n: int = 1) -> None:
    """A worker dies at this point of a pay-in; the repeat gets 1, the stake was taken once, the win is paid."""
    seat = await sit(chaos)
    chaos.order(at, n)
    first = await seat.call("pay-in", amount="10.00")
    await chaos.fire()
    assert first in {None, 1, 99}
    assert await seat.insist("pay-in", amount="10.00") == 1
    assert await seat.booked() == [-1]
    assert await seat.insist("pay-out", win="25.00") == 1
    assert await seat.insist("pay-in", amount="10.00") == 1
    await seat.ends_with(-1, 1, change=1500)


@pytest.mark.parametrize("at", STAKE_POINTS)
async def test_a_worker_dies_in_a_pay_in(two: Chaos, at: str) -> None:
    await pay_in_through(two, at)


@slow
@pytest.mark.parametrize(
    ("at", "n"),
    [
        *((at, n) for at in ("group_commit.before_commit", "group_commit.after_commit") for n in (2, 3, 4)),
        ("accept.before_commit", 2),
    ],
)
async def test_a_worker_dies_at_a_later_passing(two: Chaos, at: str, n: int) -> None:
    """The n-th commit of a round, whichever it is: the stake's outcome, the settlement, the payout's outcome."""
    seat = await sit(two)
    two.order(at, n)
    assert await seat.insist("pay-in", amount="10.00") == 1
    assert await seat.insist("pay-out", win="25.00") == 1
    await two.fire()
    assert await seat.insist("pay-out", win="25.00") == 1
    await seat.ends_with(-1, 1, change=1500)


@slow
@pytest.mark.parametrize("at", STAKE_POINTS)
async def test_the_only_worker_dies_in_a_pay_in(one: Chaos, at: str) -> None:
    await pay_in_through(one, at)


async def pay_out_through(chaos: Chaos, at: str) -> None:
    """A worker dies while a win is decided, sent or answered: it is paid once."""
    seat = await sit(chaos)
    assert await seat.insist("pay-in", amount="10.00") == 1
    chaos.order(at)
    await seat.call("pay-out", win="25.00")
    await chaos.fire()
    assert await seat.insist("pay-out", win="25.00") == 1
    await seat.ends_with(-1, 1, change=1500)


@pytest.mark.parametrize("at", PAYOUT_POINTS)
async def test_a_worker_dies_in_a_pay_out(two: Chaos, at: str) -> None:
    await pay_out_through(two, at)


@slow
@pytest.mark.parametrize(
    "at",
    [
        "payout.after_send",
        "close.before_send",
        "close.after_send",
        "group_commit.before_commit",
        "group_commit.after_commit",
    ],
)
async def test_a_worker_dies_behind_a_pay_out(two: Chaos, at: str) -> None:
    await pay_out_through(two, at)


@pytest.mark.parametrize(
    "at",
    [
        "bet_return.after_send",
        pytest.param("bet_return.before_send", marks=slow),
        pytest.param("group_commit.before_commit", marks=slow),
        pytest.param("group_commit.after_commit", marks=slow),
        pytest.param("accept.before_commit", marks=slow),
        pytest.param("accept.after_commit", marks=slow),
    ],
)
async def test_a_worker_dies_in_a_refund(two: Chaos, at: str) -> None:
    seat = await sit(two)
    assert await seat.insist("pay-in", amount="10.00") == 1
    two.order(at)
    await seat.call("refund")
    await two.fire()
    assert await seat.insist("refund") == 1
    assert await seat.insist("pay-in", amount="10.00") == 7
    await seat.ends_with(-1, 2, change=0)


@pytest.mark.parametrize(
    "at",
    [
        "payout_return.after_send",
        pytest.param("payout_return.before_send", marks=slow),
        pytest.param("bet_return.before_send", marks=slow),
    ],
)
async def test_a_worker_dies_while_a_paid_bet_is_undone(two: Chaos, at: str) -> None:
    seat = await sit(two)
    assert await seat.insist("pay-in-out", amount="10.00", win="25.00") == 1
    await two.at_rest()
    two.order(at)
    assert await seat.insist("refund") == 1
    await two.fire()
    assert await seat.insist("refund") == 1
    await seat.ends_with(-1, 1, -2, 2, change=0)


async def test_a_worker_dies_with_a_list_in_its_hand(two: Chaos) -> None:
    """Each of the stakes sent in one list ends on its own and is taken once."""
    seat = await sit(two)
    two.order("list.before_send")
    bets = [f"l{n}" for n in range(24)]
    for round_ in range(5):
        await asyncio.gather(*(seat.call("pay-in", f"{round_}{bet}", amount="1.00") for bet in bets))
        if two.fired():
            break
    played = [f"{r}{bet}" for r in range(round_ + 1) for bet in bets]
    assert two.fired()
    assert set(await asyncio.gather(*(seat.insist("pay-in", bet, amount="1.00") for bet in played))) == {1}
    await two.at_rest()
    assert await seat.change() == -100 * len(played)


@slow
@pytest.mark.parametrize("at", ["jackpot.before_send", "jackpot.after_send"])
async def test_a_worker_dies_with_a_jackpot_in_its_hand(two: Chaos, at: str) -> None:
    async with two.desk() as desk:
        assert two.world.provider is not None
        game = await desk.store.games.find(f"{two.world.provider.provider_id}/orchard-jackpot")
        assert game is not None
        await desk.store.games.set(game.game_id, jackpot_wins=True)
    seat = await sit(two, "orchard-jackpot")
    two.order(at)
    assert await seat.insist("pay-out", win="500.00") == 1
    await two.fire()
    await seat.ends_with(4, change=50000)


@slow
@pytest.mark.parametrize(
    "at", ["cashback.before_send", "cashback.after_send", "cashback_cancel.before_send", "cashback_cancel.after_send"]
)
async def test_a_worker_dies_with_a_cashback_in_its_hand(two: Chaos, at: str) -> None:
    seat = await sit(two)
    two.order(at)
    async with two.desk() as desk:
        assert two.world.casino is not None
        casino_id = two.world.casino.casino_id
        known = await desk.store.players.register(casino_id, seat.player, "EUR")
        row = Cashback(
            cashback_id=await desk.store.ids.take(), casino_id=casino_id, player_id=known.player_id,
            player_ref=seat.player, currency="EUR", amount=300, ref=seat.player, created_ms=desk.clock.now_ms(),
        )  # fmt: skip
        await pay_cashback(desk, row)
        await two.at_rest()
        assert await seat.change() == 300
        await cancel_cashback(desk, row.cashback_id, "tester")
    await two.fire()
    await seat.ends_with(1, -1, change=0)


async def test_a_refund_meets_a_stake_whose_worker_died(two: Chaos) -> None:
    """The provider gives up instead of repeating: whatever the casino took is returned."""
    seat = await sit(two)
    two.order("stake.after_send")
    await seat.call("pay-in", amount="10.00")
    await two.fire()
    assert await seat.insist("refund") == 1
    await two.at_rest()
    assert await seat.insist("pay-in", amount="10.00") == 7
    assert await seat.booked() in ([-1, 2], [])
    assert await seat.change() == 0


# --- the whole hub ------------------------------------------------------------------------------------------------


async def hub_dies(chaos: Chaos, at: str, *, postgres: bool, words: str | None = None) -> None:
    """The supervisor and all workers die at this point, and start again on the same home.

    A casino's answer that a loaded machine delays past the hold time is answered with 99, and the point comes later.
    """
    seat = await sit(chaos)
    if words:
        await chaos.world.behave(words, player=seat.player, type=-1, next=1)
    chaos.order(at, whom="hub", postgres=postgres)
    answer = await seat.call("pay-in", amount="10.00")
    assert answer is None or (answer == 99 and not chaos.fired())
    await chaos.fire()
    await chaos.hub_is_dead()
    await chaos.start_again()
    assert await seat.insist("pay-in", amount="10.00") == 1
    assert await seat.booked() == [-1]
    assert await seat.insist("pay-out", win="25.00") == 1
    await seat.ends_with(-1, 1, change=1500)


BETWEEN = [
    pytest.param("stake.after_commit", None, id="between commit and send"),
    pytest.param("stake.after_send", "late:0.5", id="between send and accept"),
    pytest.param("stake.before_answer", None, id="between accept and answer"),
]


@pytest.mark.parametrize(("at", "words"), BETWEEN)
async def test_the_whole_hub_dies(two: Chaos, at: str, words: str | None) -> None:
    await hub_dies(two, at, postgres=False, words=words)


async def test_the_whole_hub_dies_with_its_database(two: Chaos) -> None:
    await hub_dies(two, "stake.after_send", postgres=True, words="late:0.5")


@slow
@pytest.mark.parametrize("at", STAKE_POINTS)
async def test_the_whole_hub_dies_with_its_database_at_every_point(two: Chaos, at: str) -> None:
    await hub_dies(two, at, postgres=True)


@slow
async def test_a_hub_that_stays_away_past_the_hold_time_does_not_send_the_stake_any_more(two: Chaos) -> None:
    """No process can have answered success: the stake is queried, was never booked, and the bet has ended."""
    seat = await sit(two)
    two.order("stake.after_commit", whom="hub")
    assert await seat.call("pay-in", amount="10.00") is None
    await two.hub_is_dead()
    await asyncio.sleep(HOLD_S)
    await two.start_again()
    assert await seat.insist("pay-in", amount="10.00") == 7
    assert await seat.insist("refund") == 1
    await seat.ends_with(change=0)


@slow
@pytest.mark.parametrize(("at", "words"), BETWEEN)
async def test_the_whole_hub_of_one_worker_dies(one: Chaos, at: str, words: str | None) -> None:
    await hub_dies(one, at, postgres=False, words=words)


async def test_the_supervisor_alone_dies_and_the_next_one_can_start(two: Chaos) -> None:
    """A `kill -9` of the process that a person started must not leave workers on the port."""
    seat = await sit(two)
    assert await seat.insist("pay-in", amount="10.00") == 1
    os.kill(two.world.hub.pid, signal.SIGKILL)
    await two.hub_is_dead()
    await two.start_again()
    assert await seat.insist("pay-out", win="25.00") == 1
    await seat.ends_with(-1, 1, change=1500)


async def test_sigterm_answers_who_waits_and_ends_in_time(two: Chaos) -> None:
    """The stake is in flight at a casino that does not answer before the hub is gone."""
    seat = await sit(two)
    await two.world.behave("late:3", player=seat.player, type=-1, next=1)
    asked = asyncio.create_task(seat.call("pay-in", amount="10.00"))
    await until(lambda: _booked(seat), 5, "the stake never left")
    two.world.hub.send_signal(signal.SIGTERM)
    assert await asked == 99
    assert await asyncio.to_thread(two.world.hub.wait, 10) == 0
    await two.start_again()
    assert await seat.insist("pay-in", amount="10.00") == 1
    assert await seat.insist("refund") == 1
    await seat.ends_with(-1, 2, change=0)


async def _booked(seat: Seat) -> bool:
    return await seat.booked() == [-1]


# --- stopped, not dead --------------------------------------------------------------------------------------------


@slow
@pytest.mark.parametrize("at", ["stake.before_send", "stake.after_send", "payout.before_send", "payout.after_send"])
async def test_a_worker_that_was_stopped_past_its_lease_changes_nothing_when_it_wakes(two: Chaos, at: str) -> None:
    seat = await sit(two)
    stake = at.startswith("stake")
    if not stake:
        assert await seat.insist("pay-in", amount="10.00") == 1
    two.order(at, whom="pause")
    asked = asyncio.create_task(seat.call("pay-in", amount="10.00") if stake else seat.call("pay-out", win="25.00"))
    await two.fire()
    await asyncio.sleep(8)  # the lease is 6 s
    os.killpg(two.world.hub.pid, signal.SIGCONT)
    await asked
    if stake:
        assert await seat.insist("refund") == 1
        await two.at_rest()
        assert await seat.change() == 0
    else:
        assert await seat.insist("pay-out", win="25.00") == 1
        await seat.ends_with(-1, 1, change=1500)
