"""A simulated casino: a moody one is everything that an odd one can be, and only while faults last; and what its witness keeps."""

from __future__ import annotations

from typing import Any

import pytest

from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.kit.http import HttpWire
from croupier.simulator.book import PAYOUT, PAYOUT_RETURN, RETURN, STAKE
from croupier.simulator.dials import CasinoCharacter, draw
from croupier.simulator.faults import Around, Weather
from croupier.simulator.hub_client import Access
from croupier.simulator.sim_casino import SimCasino
from croupier.simulator.witness import Stated
from tests.simulator.test_dials import Line, on_a_line

ODD = set(CasinoCharacter) - {CasinoCharacter.HONEST, CasinoCharacter.INLINE, CasinoCharacter.MOODY}


def casino_of(character: CasinoCharacter) -> SimCasino:
    chance = SeededChance("a casino")
    around = Around(SystemClock(), chance, draw(chance, 50), Weather())
    access = Access("http://hub.test", 1, "")
    return SimCasino(
        access=access, wire=HttpWire(allow_private=True), around=around, character=character, log=lambda *_: None
    )


def seen_of(casino: SimCasino) -> set[CasinoCharacter]:
    return {character for _ in range(50) for character in ODD if casino._is(character)}


async def test_a_moody_casino_is_any_of_the_others_until_the_weather_clears() -> None:
    casino = casino_of(CasinoCharacter.MOODY)
    assert seen_of(casino) == ODD
    casino._weather.rough = False
    assert seen_of(casino) == set()


async def test_every_other_casino_is_what_it_is() -> None:
    assert {c: seen_of(casino_of(c)) for c in ODD} == {c: {c} for c in ODD}


async def test_a_queued_casino_books_a_stake_only_when_it_takes_it_up() -> None:
    casino = casino_of(CasinoCharacter.QUEUED)
    stake = {"BetId": 7, "TransactionType": -1, "PartnerUserId": "player0", "Amount": "1.00"}
    while not casino._queues(stake, 0, cashback=False):
        pass
    assert not casino.book.bookings
    casino._receive(stake, 0, cashback=False, tell=False)
    assert set(casino.book.bookings) == {(7, -1, False)}
    for task in casino.tasks:
        task.cancel()


async def test_a_queued_casino_holds_up_nothing_else_and_nothing_once_the_weather_is_clear() -> None:
    casino = casino_of(CasinoCharacter.QUEUED)
    give = {"BetId": 7, "TransactionType": 2, "PartnerUserId": "player0", "Amount": "1.00"}
    assert not any(casino._queues(give, 0, cashback=False) for _ in range(20))
    casino._weather.rough = False
    assert not any(casino._queues({**give, "TransactionType": -1}, 0, cashback=False) for _ in range(20))


# --- what its witness keeps for the judges


@pytest.mark.parametrize("character", [CasinoCharacter.RUBBISH, CasinoCharacter.MOODY])
def test_a_list_that_was_replaced_by_nonsense_has_shown_nothing(character: CasinoCharacter) -> None:
    async def play(line: Line) -> None:
        shown = {bet for bet in range(1, 60) if _is_list(await line.info(bet))}
        assert 0 < len(shown) < 59
        assert {bet for bet, *_ in line.casino.witness.absent_ms} == shown
        line.casino._weather.rough = False
        await line.info(99)
        assert (99, *STAKE) in line.casino.witness.absent_ms

    on_a_line(character, play)


def _is_list(answer: Any) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get("Value"), list)


def test_a_list_that_arrives_late_shows_what_was_true_when_it_was_written() -> None:
    async def play(line: Line) -> None:
        for bet in range(1, 20):
            began_ms = line.clock.now_ms()
            await line.info(bet)
            assert line.casino.witness.absent_ms[bet, *STAKE] == [began_ms]
        assert line.seen["drip"] > 0

    on_a_line(CasinoCharacter.DRIP, play)


def test_a_list_leaves_absent_what_it_does_not_show_and_its_payments_count_as_spoken() -> None:
    async def play(line: Line) -> None:
        await line.booked()
        await line.booked(bet=8)
        line.casino.book.bookings[8, *STAKE].forgotten = True
        for bet in (7, 8):
            await line.info(bet)
        now_ms = line.clock.now_ms()
        absent = [(7, *RETURN), (7, *PAYOUT_RETURN), (8, *STAKE), (8, *RETURN), (8, *PAYOUT_RETURN)]
        assert line.casino.witness.absent_ms == {key: [now_ms] for key in absent}
        assert line.casino.witness.spoken == {(7, *STAKE)}

    on_a_line(CasinoCharacter.HONEST, play)


@pytest.mark.parametrize("character", [CasinoCharacter.INLINE, CasinoCharacter.HONEST])
def test_a_payment_about_a_bet_that_it_does_not_know_is_kept_as_one(character: CasinoCharacter) -> None:
    async def play(line: Line) -> None:
        await line.booked(bet=8)
        for bet in (7, 8):
            await line.make(RETURN[0], bet)
        await line.rest()
        assert line.casino.witness.unknown == {(7, *RETURN)}

    on_a_line(character, play)


def test_other_refusals_say_nothing_about_the_bet() -> None:
    async def play(line: Line) -> None:
        assert (await line.make())["ErrorCode"] == 103802
        await line.booked(bet=8)
        line.casino.book.closed.add(8)
        assert (await line.make(RETURN[0], 8))["ErrorCode"] == 102823
        assert line.casino.witness.unknown == set()

    on_a_line(CasinoCharacter.INLINE, play, no_funds=1.0)


def test_the_first_make_of_a_payment_that_arrived_is_kept() -> None:
    casino = casino_of(CasinoCharacter.HONEST)
    for signed_s in (20, 10, 30):
        casino.witness.heard((7, *PAYOUT), {}, Stated("ann", 200, "EUR", None), signed_s=signed_s)
    assert casino.witness.first_signed_s == {(7, *PAYOUT): 20}
