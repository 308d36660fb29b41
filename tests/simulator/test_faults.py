"""The weather between peers: no call outlives its own limit, and what was late arrives all the same."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from croupier.kit import point
from croupier.kit.chance import SeededChance
from croupier.kit.wire import PeerError, WireAnswer, WireRequest
from croupier.simulator.dials import draw
from croupier.simulator.faults import LOST_S, POISON, Around, FaultyWire, Weather, makes_in, records_in
from croupier.simulator.virtual_time import VirtualClock, VirtualLoop
from tests.simulator.test_dials import around, in_virtual_time

LIMIT_S = 10.0
T = TypeVar("T")
STAKE, PAYOUT = (7, -1), (7, 1)


class Peer:
    """Answers at once, and knows when it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.asked_s: list[float] = []

    async def send(self, request: WireRequest) -> WireAnswer:
        assert request.total_s > 0
        self.asked_s.append(self._clock.monotonic_s())
        return WireAnswer(200, {}, b"")


async def _sent(clock: VirtualClock, wire: FaultyWire, limit_s: float = LIMIT_S) -> tuple[bool, float]:
    """Whether an answer came, and after how many seconds the caller went on."""
    began_s = clock.monotonic_s()
    try:
        await wire.send(WireRequest("POST", "http://peer.test/", total_s=limit_s))
    except PeerError:
        return False, clock.monotonic_s() - began_s
    return True, clock.monotonic_s() - began_s


def in_weather(
    play: Callable[[VirtualClock, FaultyWire, Weather], Awaitable[T]], inner: Any = Peer, **turned: Any
) -> T:
    """Play with a wire in bad weather to a peer, with a dial turned."""
    told: list[T] = []

    async def scene(clock: VirtualClock) -> None:
        made = around(clock, **turned)
        told.append(await play(clock, FaultyWire(inner(clock), made), made.weather))

    in_virtual_time(scene)
    return told[0]


def test_no_call_outlives_its_limit_and_what_is_late_arrives_all_the_same() -> None:
    loop = VirtualLoop()
    loop.busy = lambda: False
    clock = VirtualClock(loop, 0)
    chance = SeededChance(7)
    dials = replace(draw(chance.branch("dials"), 50, ("loss", "duplicates", "cuts")), delay_s=40.0, delayed=1.0)
    wire = FaultyWire(peer := Peer(clock), Around(clock, chance, dials, Weather()))

    async def play() -> list[tuple[bool, float]]:
        sent = [await _sent(clock, wire) for _ in range(200)]
        await asyncio.sleep(dials.delay_s)
        return sent

    try:
        sent = loop.run_until_complete(play())
    finally:
        loop.close()
    given_up = [took_s for answered, took_s in sent if not answered]
    assert given_up == [pytest.approx(LIMIT_S)] * len(given_up)
    assert 50 < len(given_up) < 150
    assert all(took_s < LIMIT_S for answered, took_s in sent if answered)
    assert len(peer.asked_s) == len(sent)


@pytest.mark.parametrize("limit_s", [3.0, LIMIT_S])
@pytest.mark.parametrize(
    "turned", [{"loss": 1.0}, {"answer_delay_s": 40.0}, {"loss": 0.5, "answer_delay_s": 8.0}], ids=str
)
def test_neither_a_lost_message_nor_a_late_answer_outlasts_the_limit_of_the_call(
    turned: dict[str, float], limit_s: float
) -> None:
    async def play(clock: VirtualClock, wire: FaultyWire, _weather: Weather) -> list[tuple[bool, float]]:
        return [await _sent(clock, wire, limit_s) for _ in range(200)]

    sent = in_weather(play, **{"delay_s": 8.0, "delayed": 1.0, **turned})
    longest_s = max(took_s for _, took_s in sent)
    assert longest_s == pytest.approx(limit_s)
    assert {answered for answered, _ in sent} == {True, False}


def test_a_message_that_is_lost_is_given_up_after_seven_seconds_if_its_limit_is_longer() -> None:
    async def play(clock: VirtualClock, wire: FaultyWire, weather: Weather) -> list[float]:
        weather.cut_until_s = 1e9
        return [(await _sent(clock, wire, limit_s))[1] for limit_s in (3.0, LIMIT_S, 60.0)]

    assert in_weather(play) == [pytest.approx(3.0), pytest.approx(LOST_S), pytest.approx(LOST_S)]


# --- calls under way


class SlowPeer(Peer):
    """Answers after five seconds."""

    async def send(self, request: WireRequest) -> WireAnswer:
        await self._clock.sleep(5)
        return await super().send(request)


def make(*payments: tuple[int, int], path: str = "/payments/make") -> WireRequest:
    """A call of the hub about these payments: bet and TransactionType."""
    said = [{"BetId": bet, "TransactionType": number, "Amount": "1.00"} for bet, number in payments]
    return WireRequest("POST", f"http://casino.test{path}", body=json.dumps(said).encode(), total_s=LIMIT_S)


@pytest.mark.parametrize(
    ("second_s", "second", "turned", "twice"),
    [
        (1.0, make(STAKE), {}, [STAKE]),
        (1.0, make((8, -1), STAKE, path="/payments/make-list"), {}, [STAKE]),
        (6.0, make(STAKE), {}, []),  # the first was answered
        (1.0, make(PAYOUT), {}, []),
        (1.0, make((8, -1)), {}, []),
        (1.0, make(STAKE, path="/payments/info"), {}, []),
        (1.0, make(STAKE), {"slow_db_s": 6.0}, []),  # its lease may have run out
        (1.0, make(STAKE), {"slow_db_s": 0.2}, [STAKE]),
        (1.0, make(STAKE), {"skew_ms": 1}, []),
        (1.0, make(STAKE), {"pause_every_s": 60.0}, []),
    ],
)
def test_two_makes_of_one_payment_under_way_are_recorded(
    second_s: float, second: WireRequest, turned: dict[str, Any], twice: list[tuple[int, int]]
) -> None:
    async def play(clock: VirtualClock, wire: FaultyWire, weather: Weather) -> list[Any]:
        first = asyncio.ensure_future(wire.send(make(STAKE)))
        await clock.sleep(second_s)
        await wire.send(second)
        await first
        assert weather.under_way == set()
        return weather.twice_under_way

    still = {"skew_ms": 0, "pause_every_s": 0.0}
    assert in_weather(play, SlowPeer, **{**still, **turned}) == twice


@pytest.mark.parametrize(("reported", "twice"), [(STAKE, []), (PAYOUT, [STAKE])])
def test_a_second_make_is_right_once_the_casino_has_reported_on_the_first(
    reported: tuple[int, int], twice: list[tuple[int, int]]
) -> None:
    async def play(clock: VirtualClock, wire: FaultyWire, weather: Weather) -> list[Any]:
        first = asyncio.ensure_future(wire.send(make(STAKE)))
        await clock.sleep(1)
        weather.reported.add(reported)
        await wire.send(make(STAKE))
        await first
        return weather.twice_under_way

    assert in_weather(play, SlowPeer, skew_ms=0, pause_every_s=0.0) == twice


def signed(message: Any) -> bytes:
    """A signed envelope: a JSON text of a token, whose claims hold the message."""
    claims = base64.urlsafe_b64encode(json.dumps({"data": json.dumps(message)}).encode()).rstrip(b"=").decode()
    return json.dumps(f"head.{claims}.signature").encode()


@pytest.mark.parametrize(
    ("path", "body", "makes"),
    [
        ("/payments/make", signed({"BetId": 7, "TransactionType": -1}), [STAKE]),
        ("/payments/make", b'{"BetId": 7, "TransactionType": 1}', [PAYOUT]),
        ("/payments/make-list", signed([{"BetId": n, "TransactionType": 2} for n in (7, 8)]), [(7, 2), (8, 2)]),
        ("/cashback-payments/make", signed({"CashbackId": 9, "TransactionType": -1}), [(9, -1)]),
        ("/payments/info", signed({"BetId": 7}), []),
        ("/payments/close", signed({"BetId": 7, "IsClosed": True}), []),
        ("/payments/make", b"", []),
        ("/payments/make", b"{", []),
        ("/payments/make", b'"no token"', []),
    ],
)
def test_the_makes_in_a_call_are_its_bets_or_cashbacks_with_their_types(
    path: str, body: bytes, makes: list[Any]
) -> None:
    assert makes_in(f"http://casino.test{path}", records_in(body)) == makes


def test_the_first_payout_of_a_world_kills_and_no_other_call_does() -> None:
    weather = Weather()
    assert not weather.kills([STAKE, (8, 2)])
    assert weather.kills([(8, -1), PAYOUT, (9, 1)])
    assert [weather.kills([one]) for one in (PAYOUT, PAYOUT, (9, 1), STAKE)] == [True, True, False, False]


@pytest.mark.parametrize("poison", [False, True])
def test_the_poisoned_payout_passes_its_point_at_each_try(poison: bool) -> None:
    passed: list[str] = []

    async def hook(name: str) -> None:
        passed.append(name)

    async def play(_clock: VirtualClock, wire: FaultyWire, weather: Weather) -> int:
        for one in (STAKE, PAYOUT, (8, 1), PAYOUT):
            await wire.send(make(one))
        weather.rough = False
        await wire.send(make(PAYOUT))
        return weather.seen[POISON]

    point.set_hook(hook)
    try:
        tries = in_weather(play, poison=poison)
    finally:
        point.set_hook(None)
    assert tries == 2 * poison
    assert passed == [POISON] * tries
