"""The kinds of operations, each of which a new player can perform while the hub is being killed.

Owns: what comes before an operation (`prepare`, undisturbed) and the operation itself (`deed`, in which the kill comes),
with a provider that repeats the same ids until it has a definite answer. Never: the kill (matrix).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from croupier.core.cashback import Cashback
from croupier.flows.cashback import cancel_cashback, pay_cashback
from croupier.store.db import DbDown
from tests.chaos.books import UNDECIDED, BetRecord, CashbackRecord, minor
from tests.chaos.ground import Ground, until

PATIENCE_S = 60.0
REST_S = 60.0
STAKE, WIN, JACKPOT_WIN, CASHBACK = "10.00", "25.00", "50.00", "3.00"
LATE = "late:1.5"
"""A casino whose accept comes after everything before it is over, and within the hold time."""


@dataclass(slots=True)
class Seat:
    """One player at one casino with an open game of one studio, and all answers that were received."""

    ground: Ground
    player: str
    session: str
    casino: int
    studio: int
    bets: dict[str, BetRecord] = field(default_factory=dict)
    cashbacks: list[CashbackRecord] = field(default_factory=list)
    cashback_id: int = 0
    running: asyncio.Task[int] | None = None

    def told(self, name: str = "b") -> BetRecord:
        """Return the record of a bet."""
        bet = f"{self.player}-{name}"
        return self.bets.setdefault(name, BetRecord(bet, self.studio, self.casino, self.player))

    async def once(self, verb: str, name: str = "b", **what: str) -> int | None:
        """Make one call and return the response code, None without an answer."""
        told = self.told(name)
        if "amount" in what:
            told.stake = minor(what["amount"])
        if "win" in what:
            told.win = minor(what["win"])
        if verb != "refund":
            what.setdefault("round", "r-1")
        code = await self.ground.call(
            self.ground.studios[self.studio], verb, session=self.session, bet=told.bet, **what
        )
        {"pay-in": told.pay_in, "pay-in-out": told.pay_in, "pay-out": told.pay_out, "refund": told.refund}[verb].append(
            code
        )
        return code

    async def insist(self, verb: str, name: str = "b", **what: str) -> int:
        """Repeat with the same ids until there is a definite answer, as a provider does."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                code = await self.once(verb, name, **what)
                if code not in (None, 99):
                    return code
                await asyncio.sleep(0.1)

    async def behave(self, words: str, **rule: object) -> None:
        """Set the casino's behaviour for this player."""
        await self.ground.behave(self.ground.casinos[self.casino], words, player=self.player, **rule)

    async def rest(self) -> None:
        """Return whether everything has come to rest."""
        await at_rest(self.ground)

    async def booked(self, kind: int) -> bool:
        """Return whether the casino has booked a payment of this type for this player."""
        casino = self.ground.casinos[self.casino]
        wallet = await self.ground.ask(f"{casino.url}/_sandbox/wallet/{self.player}")
        return any(int(b["TransactionType"]) == kind for b in wallet.get("bookings", ()))

    def ask_meanwhile(self, verb: str, **what: str) -> None:
        """Start to repeat, without waiting."""
        self.running = asyncio.ensure_future(self.insist(verb, **what))

    async def answered(self) -> int:
        """Return the result of the repeats."""
        assert self.running is not None
        return await self.running


async def at_rest(ground: Ground, within_s: float = REST_S) -> float:
    """Wait until nothing is undecided and no accept is on its way; return how long that took, in seconds."""

    async def rests() -> bool:
        for casino in ground.casinos:
            if int((await ground.ask(f"{casino.url}/_sandbox/state"))["running"]):
                return False
        return bool(await ground.desk.store.db.fetchval(UNDECIDED) == 0)

    return await until(rests, within_s, "something is still undecided")


async def sit(ground: Ground, player: str, n: int, game: str = "lantern-tumble") -> Seat:
    """Return a new player, at casinos and studios in turn."""
    casino, studio = n % len(ground.casinos), (n // 2) % len(ground.studios)
    session = await ground.session(ground.casinos[casino], ground.studios[studio], player, game)
    return Seat(ground, player, session, casino, studio)


# --- what is done -----------------------------------------------------------------------------------------------


async def nothing(_: Seat) -> None:
    """Prepare nothing."""


async def pay_in(seat: Seat) -> None:
    await seat.insist("pay-in", amount=STAKE)


async def pay_in_and_rest(seat: Seat) -> None:
    await pay_in(seat)
    await seat.rest()


async def pay_out(seat: Seat) -> None:
    await seat.insist("pay-out", win=WIN)


async def pay_in_out(seat: Seat) -> None:
    await seat.insist("pay-in-out", amount=STAKE, win=WIN)


async def pay_in_out_and_rest(seat: Seat) -> None:
    await pay_in_out(seat)
    await seat.rest()


async def refund(seat: Seat) -> None:
    await seat.insist("refund")


async def jackpot(seat: Seat) -> None:
    seat.told().jackpot = True
    await seat.insist("pay-out", win=JACKPOT_WIN)


async def stake_with_the_casino(seat: Seat) -> None:
    """The make is acknowledged and stored; the accept is still to come and the provider waits."""
    await seat.behave(LATE, type=-1, next=1)
    seat.ask_meanwhile("pay-in", amount=STAKE)
    await until(lambda: seat.booked(-1), 20, "the stake never left")
    await until(lambda: _no_lease(seat.ground), 10, "the acknowledgement was never written")
    await asyncio.sleep(0.05)


async def _no_lease(ground: Ground) -> bool:
    return bool(await ground.desk.store.db.fetchval("select count(*) from calls where lease_owner is not null") == 0)


async def accept(seat: Seat) -> None:
    """The accept comes by itself."""
    await seat.answered()


async def refund_in_flight(seat: Seat) -> None:
    await seat.insist("refund")
    await seat.answered()


async def unclaimed(seat: Seat) -> None:
    """The provider stopped waiting, then the accept arrived."""
    await seat.behave("late:6.8", type=-1, next=1)
    await seat.once("pay-in", amount=STAKE)

    async def is_unclaimed() -> bool:
        return bool(await seat.ground.desk.store.db.fetchval("select count(*) from bets where state = 'unclaimed'"))

    await until(is_unclaimed, 30, "the stake was never unclaimed")
    await asyncio.sleep(0.1)  # who committed that passes its last points


async def nobody_claims(seat: Seat) -> None:
    """The time to claim the stake ends, and the hub returns it by itself."""
    await seat.rest()


async def closing_fails(seat: Seat) -> None:
    await seat.behave("status:500", path="payments/close")
    await pay_in_out(seat)
    await until(lambda: _slot_failed(seat.ground, "close"), 20, "the close never failed")
    await asyncio.sleep(0.4)  # what belongs to the payout passes its last points


async def payout_fails(seat: Seat) -> None:
    await pay_in_and_rest(seat)
    await seat.behave("status:500", type=1)
    await pay_out(seat)
    await until(lambda: _slot_failed(seat.ground, "payout"), 20, "the payout never failed")


async def _slot_failed(ground: Ground, slot: str) -> bool:
    sql = "select count(*) from calls where slot = $1 and failures > 0"
    return bool(await ground.desk.store.db.fetchval(sql, slot))


async def it_is_tried_again(seat: Seat) -> None:
    """The poller sends the payment when it is due, after the casino has recovered."""
    await seat.behave("honest")
    await seat.behave("honest", path="payments/close")
    await seat.rest()


async def cashback(seat: Seat) -> None:
    """A person pays a cashback by command, which decides and leaves the rest to the hub."""
    await pay_one(seat, seat.player)


async def pay_one(seat: Seat, ref: str) -> None:
    """The same with a ref of its own."""
    seat.cashbacks.append(CashbackRecord(ref, seat.casino, minor(CASHBACK)))
    await _at_the_desk(lambda: _pay_cashback(seat, ref))


async def _at_the_desk(command: Callable[[], Awaitable[None]]) -> None:
    """Repeat the command as a person does when it found no database."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await command()
            except DbDown:
                await asyncio.sleep(0.1)


async def _pay_cashback(seat: Seat, ref: str) -> None:
    store, casino = seat.ground.desk.store, seat.ground.casinos[seat.casino].row
    known = await store.players.register(casino.casino_id, seat.player, "EUR")  # type: ignore[union-attr]
    row = Cashback(
        cashback_id=await store.ids.take(),
        casino_id=casino.casino_id,  # type: ignore[union-attr]
        player_id=known.player_id,
        player_ref=seat.player,
        currency="EUR",
        amount=minor(CASHBACK),
        ref=ref,
        created_ms=seat.ground.desk.clock.now_ms(),
    )
    seat.cashback_id = (await pay_cashback(seat.ground.desk, row)).cashback_id


async def cashback_and_rest(seat: Seat) -> None:
    await cashback(seat)
    await seat.rest()


async def cancel(seat: Seat) -> None:
    await _at_the_desk(lambda: _cancel(seat))


async def _cancel(seat: Seat) -> None:
    await cancel_cashback(seat.ground.desk, seat.cashback_id, "chaos")
    seat.cashbacks[-1].cancelled = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of operation."""

    name: str
    prepare: Callable[[Seat], Awaitable[None]]
    deed: Callable[[Seat], Awaitable[None]]
    game: str = "lantern-tumble"


OPERATIONS = (
    Operation("pay-in", nothing, pay_in),
    Operation("pay-out", pay_in_and_rest, pay_out),
    Operation("pay-in-out", nothing, pay_in_out),
    Operation("refund", pay_in_and_rest, refund),
    Operation("refund in flight", stake_with_the_casino, refund_in_flight),
    Operation("take-back", pay_in_out_and_rest, refund),
    Operation("accept", stake_with_the_casino, accept),
    Operation("claim", unclaimed, pay_in),
    Operation("return", unclaimed, nobody_claims),
    Operation("give again", payout_fails, it_is_tried_again),
    Operation("close", closing_fails, it_is_tried_again),
    Operation("jackpot", nothing, jackpot, "orchard-jackpot"),
    Operation("cashback", nothing, cashback),
    Operation("cashback cancel", cashback_and_rest, cancel),
)
