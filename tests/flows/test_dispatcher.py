"""Calls that leave, and what comes back, by a whole hub: leases that were lost, times that were over."""

from __future__ import annotations

import asyncio

import pytest

from croupier import casinos
from croupier.apps.worker import wind_up
from croupier.core.bet import BetState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.kit.tls_files import TlsFilesWrong, load_tls
from croupier.kit.wire import PeerError, Wire, WireAnswer, WireRequest
from croupier.sandbox.behaviour import BehaviourRule, parse
from croupier.sandbox.bookings import TransactionType
from croupier.simulator.stage import settings_for
from tests.flows.hall import Hall, in_a_hall

STAKE, PAYOUT = PaymentKind.STAKE, PaymentKind.PAYOUT


def turn(hall: Hall, words: str, path: str | None = None, remaining: int | None = None) -> None:
    """From now on the casino behaves so."""
    hall.casino.dial.turn(BehaviourRule(parse(words), path=path, remaining=remaining))


async def another_takes_over(hall: Hall, ref: str) -> None:
    """Another worker takes up every call of this bet, and never comes back."""
    bet, db = await hall.bet(ref), hall.stage.db
    until_ms = hall.stage.clock.now_ms() + 3_600_000
    await db.execute("update bets set version = version + 1 where bet_id = $1", bet.bet_id)
    sql = "update calls set fence = fence + 1, lease_owner = 'another', lease_until_ms = $2 where subject_id = $1"
    await db.execute(sql, bet.bet_id, until_ms)


def test_an_inline_yes_under_an_outdated_lease_is_taken_in(database_url: str) -> None:
    """An accept with the same words would be: money facts count, whoever has the call by now (money.md 4.4)."""

    async def play(hall: Hall) -> None:
        turn(hall, "inline+slow:4")
        asked = asyncio.ensure_future(hall.pay_in("b-1"))
        await hall.wait(1)
        await another_takes_over(hall, "b-1")
        assert await asked == "1"
        assert (await hall.bet("b-1")).state is BetState.ON

    in_a_hall(database_url, play)


def test_an_inline_no_under_an_outdated_lease_is_taken_in(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        turn(hall, "refuse:103802+slow:4")
        asked = asyncio.ensure_future(hall.pay_in("b-1"))
        await hall.wait(1)
        await another_takes_over(hall, "b-1")
        assert await asked == "3"

    in_a_hall(database_url, play)


def test_no_answer_under_an_outdated_lease_plans_nothing(database_url: str) -> None:
    """What is tried next is for whoever has the call now."""

    async def play(hall: Hall) -> None:
        await hall.pay_in("b-1")
        turn(hall, "lost:cut+slow:4")
        await hall.pay_out("b-1")
        await another_takes_over(hall, "b-1")
        before = await hall.bet("b-1")
        await hall.wait(20)
        after = await hall.bet("b-1")
        assert (after.version, after.calls) == (before.version, before.calls)
        assert after.payments[PAYOUT].state is PaymentState.CREATED

    in_a_hall(database_url, play)


# --- what is over leaves no more -----------------------------------------------------------------------------------


def slow_keys(hall: Hall, seconds: float) -> None:
    """From now on a look at the keys takes so long, as on a database that hardly answers."""

    async def ready(_alg: str) -> None:
        await hall.wait(seconds)

    hall.hub.store.keys.ready = ready  # type: ignore[method-assign]


def test_a_stake_never_leaves_after_its_hold_time(database_url: str) -> None:
    """Nothing the casino is asked then would be covered by the proof of "not there" (money.md 2.4)."""

    async def play(hall: Hall) -> None:
        slow_keys(hall, 8)
        assert await hall.pay_in("b-1") == "99"
        await hall.wait(120)
        bet = await hall.bet("b-1")
        assert hall.booked(bet.bet_id) == []
        assert (bet.state, bet.payments[STAKE].state) == (BetState.EXPIRED, PaymentState.EXPIRED)
        assert PaymentKind.BET_RETURN not in bet.payments

    in_a_hall(database_url, play)


def test_a_call_never_leaves_under_a_lease_that_ran_out(database_url: str) -> None:
    """And it is no failure of the casino's: nothing was sent, so it is taken up again at once."""

    async def play(hall: Hall) -> None:
        await hall.pay_in("b-1")
        slow_keys(hall, 16)
        await hall.pay_out("b-1")
        await hall.wait(40)
        bet = await hall.bet("b-1")
        assert [booking.kind for booking in hall.booked(bet.bet_id)] == [TransactionType.STAKE]
        assert (bet.payments[PAYOUT].state, bet.calls[PAYOUT.value].failures) == (PaymentState.CREATED, 0)
        assert bet.calls[PAYOUT.value].crashes == 0
        slow_keys(hall, 0)
        await hall.wait(40)
        assert (await hall.bet("b-1")).payments[PAYOUT].state is PaymentState.ACCEPTED

    in_a_hall(database_url, play)


# --- orderly ends ----------------------------------------------------------------------------------------------------


async def restart_in_order(hall: Hall) -> None:
    """SIGTERM, and the next start."""
    running = hall.running
    await wind_up(running.hub, running.loops)
    await hall.stage.kill(running)
    hall.stage._dead.clear()  # it was forgotten: it gave back what it held
    hall.running = await hall.stage.start_hub(settings_for(), ack_grace_s=0.0)


@pytest.mark.slow
def test_orderly_restarts_park_nothing(database_url: str) -> None:
    """A casino that hangs has its payout in flight at every SIGTERM: only deaths count as crashes (money.md 4.4)."""

    async def play(hall: Hall) -> None:
        await hall.pay_in("b-1")
        turn(hall, "lost:hang")
        await hall.pay_out("b-1")
        for _ in range(7):
            await hall.wait(3)
            await restart_in_order(hall)
        bet = await hall.bet("b-1")
        assert (bet.payments[PAYOUT].undecided, bet.calls[PAYOUT.value].crashes) == (True, 0)
        turn(hall, "honest")
        await restart_in_order(hall)
        await hall.wait(1)
        assert [booking.kind for booking in hall.booked(bet.bet_id)] == [TransactionType.STAKE, TransactionType.PAYOUT]
        await hall.wait(10)
        assert (await hall.bet("b-1")).payments[PAYOUT].state is PaymentState.ACCEPTED
        assert await hall.incidents() == set()

    in_a_hall(database_url, play)


@pytest.mark.parametrize("in_flight", ["stake", "payout"])
def test_what_a_stopping_worker_holds_is_taken_up_at_once(database_url: str, in_flight: str) -> None:
    """Not when its lease runs out, a quarter of a minute later: by then a stake would have expired unsent."""

    async def play(hall: Hall) -> None:
        if in_flight == "payout":
            await hall.pay_in("b-1")
        turn(hall, "lost:hang")
        asked = asyncio.ensure_future(hall.pay_out("b-1") if in_flight == "payout" else hall.pay_in("b-1"))
        await hall.wait(0.5)
        turn(hall, "honest")
        await restart_in_order(hall)
        await hall.wait(1)
        bet = await hall.bet("b-1")
        assert TransactionType[in_flight.upper()] in {booking.kind for booking in hall.booked(bet.bet_id)}
        await hall.wait(3)
        bet = await hall.bet("b-1")
        kind = PAYOUT if in_flight == "payout" else STAKE
        assert bet.payments[kind].state is PaymentState.ACCEPTED
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    in_a_hall(database_url, play)


def test_a_stopping_worker_hears_a_slow_casino_out(database_url: str) -> None:
    """A stake that is booked while its answer is cut off goes back to the player half a minute later, for nothing."""

    async def play(hall: Hall) -> None:
        turn(hall, "inline+slow:4")
        asked = asyncio.ensure_future(hall.pay_in("b-1"))
        await hall.wait(0.5)
        await wind_up(hall.running.hub, hall.running.loops)
        assert (await hall.bet("b-1")).payments[STAKE].state is PaymentState.ACCEPTED
        await restart_in_order(hall)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    in_a_hall(database_url, play)


def test_five_deaths_quarantine_and_the_sixth_try_is_not_made(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        await hall.pay_in("b-1")
        turn(hall, "lost:hang")
        await hall.pay_out("b-1")
        for _ in range(5):
            await hall.wait(3)
            await hall.stage.kill(hall.running)
            hall.running = await hall.stage.start_hub(settings_for(), ack_grace_s=0.0)
        await hall.wait(1)
        assert (await hall.bet("b-1")).payments[PAYOUT].state is PaymentState.PARKED

    in_a_hall(database_url, play)


class _CheckedWire:
    """The stage's network behind the check of TLS files that the real client makes before it connects."""

    def __init__(self, inner: Wire) -> None:
        self._inner = inner

    async def send(self, request: WireRequest) -> WireAnswer:
        try:
            load_tls(request.tls)
        except TlsFilesWrong as wrong:
            raise PeerError(str(wrong), sent=False, ours=True) from wrong
        return await self._inner.send(request)


@pytest.mark.slow
def test_a_missing_client_certificate_costs_bets_and_never_what_is_owed(database_url: str) -> None:
    """Nothing is sent and nothing counts against the casino; what is owed goes out when the file is there."""

    async def play(hall: Hall) -> None:
        hub = hall.hub
        wire = _CheckedWire(hall.stage.network)
        hub.casino_gateways = {
            name: protocol.gateway(wire, hub.clock, hub.store.keys, issuer=settings_for().issuer)
            for name, protocol in casinos.PROTOCOLS.items()
        }
        assert await hall.pay_in("b-on") == "1"
        on = await hall.bet("b-on")
        await hub.store.casinos.change(on.casino_id, {"client_cert": "/nowhere/hub.pem"})
        assert await hall.pay_out("b-on") == "1", "it is owed"
        assert set(await asyncio.gather(*(hall.pay_in(f"b-{number}") for number in range(25)))) == {"99"}
        assert hub.admission.open_breakers() == []
        await hall.wait(90)
        assert await hall.refund("b-0") == "1"
        late = [await hall.bet(f"b-{number}") for number in range(25)]
        assert [hall.booked(bet.bet_id) for bet in late] == [[]] * 25
        assert len(hall.booked(on.bet_id)) == 1
        await hub.store.casinos.change(on.casino_id, {"client_cert": None})
        await hall.wait(90)
        first, *others = [(await hall.bet(bet.bet_ref)).state for bet in late]
        assert (first, set(others)) == (BetState.CANCELLED, {BetState.EXPIRED})
        assert [hall.booked(bet.bet_id) for bet in late] == [[]] * 25
        assert hall.booking(on.bet_id, TransactionType.PAYOUT) is not None
        assert (await hall.bet("b-on")).payments[PAYOUT].state is PaymentState.ACCEPTED

    in_a_hall(database_url, play)
