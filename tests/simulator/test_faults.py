"""The weather between peers: no call outlives its own limit, and what was late arrives all the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from croupier.kit.chance import SeededChance
from croupier.kit.wire import PeerError, WireAnswer, WireRequest
from croupier.simulator.dials import draw
from croupier.simulator.faults import Around, FaultyWire, Weather
from croupier.simulator.virtual_time import VirtualClock, VirtualLoop

LIMIT_S = 10.0


class Peer:
    """Answers at once, and knows when it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.asked_s: list[float] = []

    async def send(self, request: WireRequest) -> WireAnswer:
        assert request.total_s > 0
        self.asked_s.append(self._clock.monotonic_s())
        return WireAnswer(200, {}, b"")


async def _sent(clock: VirtualClock, wire: FaultyWire) -> tuple[bool, float]:
    """Whether an answer came, and after how many seconds the caller went on."""
    began_s = clock.monotonic_s()
    try:
        await wire.send(WireRequest("POST", "http://peer.test/", total_s=LIMIT_S))
    except PeerError:
        return False, clock.monotonic_s() - began_s
    return True, clock.monotonic_s() - began_s


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
