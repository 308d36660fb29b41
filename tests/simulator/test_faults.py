"""The weather between peers: no call outlives its own limit, and what was late arrives all the same."""

from __future__ import annotations

import asyncio
import base64
import contextlib
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
from croupier.simulator.stage import HUB_ORIGIN
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
    assert not weather.kills([STAKE, (8, 2)], 1)
    assert weather.kills([(8, -1), PAYOUT, (9, 1)], 1)
    assert [weather.kills([one], 1) for one in (PAYOUT, PAYOUT, (9, 1), STAKE)] == [True, True, False, False]


def test_where_a_jackpot_win_kills_no_payout_does() -> None:
    weather = Weather()
    assert [weather.kills([one], 4) for one in (PAYOUT, (8, 4), PAYOUT, (9, 4), (8, 4))] == [
        False,
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("poison", [0, 1])
def test_the_poisoned_payout_passes_its_point_at_each_try(poison: int) -> None:
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


# --- queries about bets


def info(bet: int = 7, origin: str = "http://casino.test") -> WireRequest:
    """A query of the hub about a bet."""
    return WireRequest("POST", f"{origin}/payments/info", body=signed({"BetId": bet}), total_s=LIMIT_S)


def lists_after(*requests: WireRequest, rough: bool = True, inner: Any = SlowPeer, **turned: Any) -> dict[Any, Any]:
    """The queries with their answers that are known after these requests, in milliseconds since the first of them left."""

    async def play(clock: VirtualClock, wire: FaultyWire, weather: Weather) -> dict[Any, Any]:
        began_ms, weather.rough = clock.now_ms(), rough
        for request in requests:
            with contextlib.suppress(PeerError):
                await wire.send(request)
        return {
            subject: [(asked_ms - began_ms, told_ms - began_ms) for asked_ms, told_ms in spans]
            for subject, spans in weather.lists.items()
        }

    return in_weather(play, inner, **turned)


@pytest.mark.parametrize("rough", [True, False])
def test_a_query_is_kept_with_the_instants_at_which_it_was_asked_and_answered(*, rough: bool) -> None:
    asked = lists_after(info(), info(8), info(), rough=rough)
    assert asked == {7: [(0, 5_000), (10_000, 15_000)], 8: [(5_000, 10_000)]}


def test_the_time_on_the_network_is_part_of_a_query_and_of_its_answer() -> None:
    (spans,) = lists_after(*[info()] * 50, inner=Peer, delay_s=3.0, delayed=0.5, answer_delay_s=3.0).values()
    took_ms = [told_ms - asked_ms for asked_ms, told_ms in spans]
    assert 3_000 < max(took_ms) <= 6_000
    assert [asked_ms for asked_ms, _ in spans[1:]] == [told_ms for _, told_ms in spans[:-1]], "each left at once"


def test_a_query_that_was_given_up_or_whose_answer_was_lost_is_not_kept() -> None:
    assert lists_after(*[info()] * 5, loss=2.0) == {}, "every message is lost"
    asked = lists_after(*[info()] * 50, delay_s=1_000.0, delayed=0.5)
    assert 0 < len(asked[7]) < 50
    assert all(told_ms - asked_ms < LIMIT_S * 1000 for asked_ms, told_ms in asked[7])


def test_a_query_to_a_casino_that_is_gone_is_not_kept() -> None:
    class DeadPeer(Peer):
        async def send(self, request: WireRequest) -> WireAnswer:
            await super().send(request)
            raise PeerError("lost")

    for rough in (True, False):
        assert lists_after(info(), inner=DeadPeer, rough=rough) == {}


@pytest.mark.parametrize(
    "other",
    [
        make(STAKE),
        make(STAKE, path="/payments/close"),
        info(origin=HUB_ORIGIN),  # what a casino asks the hub
        WireRequest("POST", "http://casino.test/payments/info", body=b"{", total_s=LIMIT_S),
    ],
    ids=["a make", "a close", "to the hub", "of nothing"],
)
def test_other_calls_are_no_queries_about_a_bet(other: WireRequest) -> None:
    assert lists_after(other) == {}
