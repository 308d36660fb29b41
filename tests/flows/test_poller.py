"""The poller beside a casino that hangs: it is idle where nothing can be taken, and nothing waits that needs no casino."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from croupier.core.bet import BetState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.core.work import Work
from croupier.flows import bulkheads, poller
from croupier.flows.poller import Poller
from croupier.sandbox.bookings import TransactionType
from tests.flows.hall import Hall, in_a_hall

WINS = 12
PLACES = 3


def counted(hall: Hall) -> Counter[str]:
    """How often the queue was looked at."""
    looks: Counter[str] = Counter()
    take = hall.hub.store.calls.take

    async def look(*args: Any, **more: Any) -> Any:
        looks["all"] += 1
        return await take(*args, **more)

    hall.hub.store.calls.take = look  # type: ignore[method-assign]
    return looks


async def owed_to_a_hanging_casino(hall: Hall) -> None:
    """Many wins whose makes hang; the first tries have failed, and the poller has as many in hand as it may."""
    for n in range(WINS):
        assert await hall.pay_in(f"b-{n}") == "1"
    hall.casino.behave("lost:hang", kind=TransactionType.PAYOUT)
    for n in range(WINS):
        assert await hall.pay_out(f"b-{n}") == "1"
    await hall.wait(11.5)


@pytest.mark.slow
def test_a_full_casino_is_not_looked_after_in_circles(database_url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(poller, "MOST_PER_CASINO", PLACES)

    async def play(hall: Hall) -> None:
        await owed_to_a_hanging_casino(hall)
        looks = counted(hall)
        await hall.wait(5)
        assert looks["all"] <= 5 / hall.hub.process_settings.poller_s + 5

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_a_claims_time_ends_whatever_waits_for_its_casino(database_url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(poller, "MOST_PER_CASINO", PLACES)

    async def play(hall: Hall) -> None:
        await owed_to_a_hanging_casino(hall)
        hall.casino.behave("late:7", kind=TransactionType.STAKE, times=1)
        assert await hall.pay_in("unclaimed") == "99"
        await hall.wait(1.5)
        assert (await hall.bet("unclaimed")).state is BetState.UNCLAIMED
        await hall.wait(15.5)
        assert (await hall.bet("unclaimed")).state is BetState.RETURNED

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_a_place_that_frees_is_taken_and_every_win_arrives(database_url: str, monkeypatch: Any) -> None:
    """What is counted up for a casino is counted down for it: else its money would wait for ever."""
    monkeypatch.setattr(poller, "MOST_PER_CASINO", PLACES)

    async def play(hall: Hall) -> None:
        await owed_to_a_hanging_casino(hall)
        hall.casino.dial.clear()
        await hall.wait(90)
        for n in range(WINS):
            payout = (await hall.bet(f"b-{n}")).payments[PaymentKind.PAYOUT]
            assert payout.state is PaymentState.ACCEPTED
        await hall.wait(30)
        assert isinstance(hall.hub.state.poller, Poller)
        assert not hall.hub.state.poller._busy

    in_a_hall(database_url, play)


def test_what_could_not_be_asked_is_no_failure(database_url: str, monkeypatch: Any) -> None:
    """All our places are taken by calls that hang: the win waits its turn, and its tries are not counted."""
    monkeypatch.setitem(bulkheads._AT_ONCE, Work.OWED, 1)

    async def play(hall: Hall) -> None:
        for n in range(3):
            assert await hall.pay_in(f"b-{n}") == "1"
        hall.casino.behave("lost:hang", kind=TransactionType.PAYOUT, times=1)
        for n in range(3):
            assert await hall.pay_out(f"b-{n}") == "1"
        await hall.wait(8)
        waiting = [(await hall.bet(f"b-{n}")).calls.get("payout") for n in (1, 2)]
        assert all(call is not None and call.failures == 0 and call.crashes == 0 for call in waiting)
        assert 1 not in hall.hub.admission.open_breakers()
        await hall.wait(60)
        for n in range(3):
            assert (await hall.bet(f"b-{n}")).payments[PaymentKind.PAYOUT].state is PaymentState.ACCEPTED

    in_a_hall(database_url, play)
