"""A simulated casino: a moody one is everything that an odd one can be, and only while faults last."""

from __future__ import annotations

from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.kit.http import HttpWire
from croupier.simulator.dials import CasinoCharacter, draw
from croupier.simulator.faults import Around, Weather
from croupier.simulator.hub_client import Access
from croupier.simulator.sim_casino import SimCasino

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
