"""The continuous reconciliation: what is due, how often, how fast, and who does it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from croupier.core.bet import BetState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.flows.rate_limit import compare_all
from croupier.flows.reconcile import ComparisonResult
from croupier.flows.reconciler import LOOK_S, REST_S, SAMPLE_LAG_MS, Reconciler
from croupier.sandbox.bookings import TransactionType
from tests.flows.hall import Hall, in_a_hall

pytestmark = pytest.mark.one_in(2)

K = PaymentKind


def infos(hall: Hall) -> int:
    return sum(1 for e in hall.casino.journal.since() if (e.direction, e.path) == ("in", "payments/info"))


def test_a_payout_without_an_outcome_is_asked_after_at_30_s_and_healed(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        hall.casino.behave("silent", kind=TransactionType.PAYOUT)
        assert await hall.pay_in("b-1") == "1"
        await hall.pay_out("b-1")
        reconciler = hall.reconciler()
        await hall.wait(29)
        assert await reconciler.look() == []
        await hall.wait(1.5)
        (done,) = await reconciler.look()
        assert (done.result, done.rules) == (ComparisonResult.HEALED, ("booked_unheard",))
        assert (await hall.bet("b-1")).payments[K.PAYOUT].state is PaymentState.ACCEPTED

    in_a_hall(database_url, play)


def test_a_stake_is_asked_after_by_its_own_schedule_and_by_nobody_else(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        hall.casino.behave("lost:cut+mute", kind=TransactionType.STAKE)
        await hall.pay_in("b-1")
        reconciler = hall.reconciler()
        await hall.wait(33)
        asked = infos(hall)
        assert asked, "the schedule asks from 30 s on"
        assert await reconciler.look() == []
        assert infos(hall) == asked

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_what_stays_without_an_outcome_is_asked_after_less_and_less(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        hall.casino.behave("lost:cut", kind=TransactionType.PAYOUT)
        assert await hall.pay_in("b-1") == "1"
        await hall.pay_out("b-1")
        reconciler, at = hall.reconciler(), []
        for second in range(0, 600, LOOK_S):
            await hall.wait(LOOK_S)
            at += [second for _ in await reconciler.look()]
        assert 3 <= len(at) <= 6, at
        gaps = [b - a for a, b in pairwise(at)]
        assert gaps == sorted(gaps)

    in_a_hall(database_url, play)


def test_a_bet_that_is_open_for_longer_than_its_game_allows_is_compared(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        assert await hall.pay_in("b-1") == "1"
        reconciler = hall.reconciler(open_s=3600)
        await hall.wait(120)
        assert await reconciler.look() == []
        (game,) = await hall.hub.store.games.all()
        await hall.hub.store.games.set(game.game_id, open_s=100)
        (done,) = await reconciler.look()
        assert done.result is ComparisonResult.AGREES
        assert await reconciler.look() == [], "and not again at once"

    in_a_hall(database_url, play)


def test_the_sample_is_drawn_by_its_share_and_each_bet_is_compared_once(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        reconciler = hall.reconciler(sample_bp=10_000)
        await reconciler.look()
        for n in range(5):
            await hall.settled(f"b-{n}")
        forgetful = await hall.bet("b-3")
        hall.casino.wallet.forget(hall.booking(forgetful.bet_id, TransactionType.PAYOUT))
        assert await reconciler.look() == [], "not before their commits are surely there"
        await hall.wait(SAMPLE_LAG_MS / 1000)
        done = await reconciler.look()
        assert sorted(one.result.value for one in done) == ["agrees"] * 4 + ["differs"]
        assert await hall.named() == {"payout: forgotten"}
        assert await reconciler.look() == []

    in_a_hall(database_url, play)


def test_no_share_draws_nobody(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        reconciler = hall.reconciler(sample_bp=0)
        await reconciler.look()
        await hall.settled("b-1")
        await hall.wait(2 * SAMPLE_LAG_MS / 1000)
        assert await reconciler.look() == []

    in_a_hall(database_url, play)


def test_one_process_at_a_time_looks_and_another_takes_over(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        assert await hall.hub.store.singleton_leases.take("reconcile", "w-other", 60)
        assert await hall.pay_in("b-1") == "1"
        reconciler = hall.reconciler(open_s=10)
        await hall.wait(50)
        assert await reconciler.look() == []
        await hall.wait(15)
        assert len(await reconciler.look()) == 1, "the other's turn ran out"
        assert not await hall.hub.store.singleton_leases.take("reconcile", "w-other", 60)

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_a_casino_is_asked_at_its_pace_and_not_at_all_when_it_is_silent(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        bets = [await hall.settled(f"b-{n}") for n in range(8)]
        wanted = [(bet.bet_id, bet.casino_id) for bet in bets]
        hall.reconciler(compare_per_s=2)
        began = hall.stage.clock.monotonic_s()
        told: list[tuple[str, int, int]] = []
        done, left = await compare_all(hall.hub, wanted, tell=lambda *now: told.append(now))
        assert (len(done), left) == (8, 0)
        assert told == [("Comparing bets", number, 8) for number in range(1, 9)]
        assert hall.stage.clock.monotonic_s() - began >= 3.5
        hall.casino.behave("status:500", path="payments/info")
        done, left = await compare_all(hall.hub, wanted)
        assert ([one.result for one in done], left) == ([ComparisonResult.UNUSABLE] * 3, 5)

    in_a_hall(database_url, play)


def test_a_silent_casino_is_left_alone_for_a_while(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        for n in range(5):
            assert await hall.pay_in(f"b-{n}") == "1"
        reconciler = hall.reconciler(open_s=1)
        await hall.wait(40)
        hall.casino.behave("status:500", path="payments/info")
        assert len(await reconciler.look()) == 3
        assert await reconciler.look() == []
        await hall.wait(REST_S)
        hall.casino.dial.clear()
        assert len(await reconciler.look()) == 5

    in_a_hall(database_url, play)


def test_a_lost_race_costs_the_others_nothing(database_url: str) -> None:
    """The loop runs for ever, and finds a lying casino by itself."""

    async def play(hall: Hall) -> None:
        reconciler = Reconciler(hall.hub)
        task = hall.stage.loop.create_task(reconciler.run())
        hall.casino.behave("silent", kind=TransactionType.PAYOUT)
        assert await hall.pay_in("b-1") == "1"
        await hall.pay_out("b-1")
        await hall.wait(45)
        task.cancel()
        bet = await hall.bet("b-1")
        assert bet.state is BetState.SETTLED
        assert not bet.payments[K.PAYOUT].undecided

    in_a_hall(database_url, play)


def test_the_sample_covers_every_end_of_a_bet(database_url: str) -> None:
    """A stake that was refused may have been booked: that is where money hides."""

    async def play(hall: Hall) -> None:
        reconciler = hall.reconciler(sample_bp=10_000)
        await reconciler.look()
        await hall.settled("settled")
        hall.casino.behave("refuse:103802", kind=TransactionType.STAKE)
        assert await hall.pay_in("refused") == "3"
        assert await hall.pay_in("cancelled") == "3"
        assert await hall.refund("cancelled") == "1"
        assert await hall.refund("tombstone") == "1"
        hall.casino.behave("honest", kind=TransactionType.STAKE)
        assert await hall.pay_in("returned") == "1"
        assert await hall.refund("returned") == "1"
        assert await hall.pay_in("on") == "1"
        await hall.wait(SAMPLE_LAG_MS / 1000 + 30)
        looks = [await reconciler.look() for _ in range(3)]
        done = [one.bet_id for look in looks for one in look]
        over = [(await hall.bet(ref)).bet_id for ref in ("settled", "refused", "cancelled", "returned")]
        assert sorted(done) == sorted(over), "each once"

    in_a_hall(database_url, play)


def test_a_bet_with_an_unanswered_try_is_compared_once_it_is_over_without_being_drawn(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        reconciler = hall.reconciler(sample_bp=0, open_s=10**6)
        hall.casino.behave("error500:before", kind=TransactionType.STAKE, times=1)
        assert await hall.pay_in("b-1") == "1"
        bet = await hall.bet("b-1")
        assert bet.payments[K.STAKE].unanswered
        await hall.wait(120)
        assert await reconciler.look() == [], "it is on"
        assert await hall.pay_out("b-1") == "1"
        await hall.wait(50)
        assert await reconciler.look() == [], "the casino's list may not have everything yet"
        await hall.wait(15)
        (done,) = await reconciler.look()
        assert (done.bet_id, done.result) == (bet.bet_id, ComparisonResult.AGREES)
        await hall.wait(4000)
        assert await reconciler.look() == [], "once"

    in_a_hall(database_url, play)


def test_an_answer_that_says_nothing_leaves_the_wish_standing(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        reconciler = hall.reconciler(sample_bp=0, open_s=10**6)
        hall.casino.behave("error500:before", kind=TransactionType.STAKE, times=1)
        assert await hall.pay_in("b-1") == "1"
        assert await hall.pay_out("b-1") == "1"
        await hall.wait(65)
        hall.casino.behave("status:500", path="payments/info")
        assert [one.result for one in await reconciler.look()] == [ComparisonResult.UNUSABLE]
        assert await reconciler.look() == [], "and not again at once"
        hall.casino.behave("honest", path="payments/info")
        await hall.wait(300)
        assert [one.result for one in await reconciler.look()] == [ComparisonResult.AGREES]

    in_a_hall(database_url, play)


def test_a_casino_that_is_slow_holds_up_only_itself(database_url: str) -> None:
    """Its look lasts minutes; a win of another casino that was booked unheard is found meanwhile."""

    async def play(hall: Hall) -> None:
        guest = await hall.guest()
        for n in range(20):
            assert await hall.pay_in(f"a-{n}") == "1"
        reconciler = hall.reconciler(open_s=1)
        await hall.wait(40)
        hall.casino.behave("slow:8", path="payments/info")
        task = hall.stage.loop.create_task(reconciler.run())
        await hall.wait(LOOK_S + 1)
        assert await guest.pay_in("b-1") == "1"
        guest.casino.behave("silent", kind=TransactionType.PAYOUT)
        assert await guest.pay_out("b-1") == "1"
        await hall.wait(30 + 2 * LOOK_S)
        assert not (await hall.bet("b-1")).payments[K.PAYOUT].undecided
        task.cancel()

    in_a_hall(database_url, play)
