"""How long a pay-in takes while thousands of clients follow the live feed of the same hub.

    PYTHONPATH=src:. python bench/feed_beside_bets.py --clients 10000 --bets 400 --pace 10 --cores --control 0.6

The hub is `croupier serve` with one worker, so that bets and feed share one event loop. A sandbox casino and a sandbox studio are
processes of their own; the studio fires pay-ins at a steady pace, whatever the last one took. The rounds alternate: without
clients, with them, without, with. The clients are raw sockets in a process of their own, subscribed to one game type that is
published every 500 ms. A bet whose answer is not 1 makes the run worthless.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench.feed_fanout import Follower, call_of, pin
from croupier.apps.http_guard import raise_descriptors
from croupier.apps.world import LocalWorld, local_world
from croupier.kit.strictjson import loads
from croupier.kit.wire import WireRequest
from tests.conftest import make_home, remove_home

GAME_TYPE = 23
GAME = "lantern-tumble"
STAKE = "1.00"
PLAYERS = 20
AUTH = "/partnersmediator-service/api/v2/auth/token"
SETTLE_S = 3.0
CONNECT_S = 300.0


@dataclass(frozen=True)
class Round:
    """What one round measured."""

    clients: int
    waits_ms: list[float]
    pushes: int

    def share(self, of_hundred: int) -> float:
        """The wait that so many of a hundred bets did not exceed."""
        return self.waits_ms[min(len(self.waits_ms) - 1, len(self.waits_ms) * of_hundred // 100)]

    def __str__(self) -> str:
        waits = " ".join(f"p{share} {self.share(share):7.1f} ms" for share in (50, 90, 99))
        return f"{self.clients:6} clients  {waits}  worst {self.waits_ms[-1]:7.1f} ms  {self.pushes} pushes read"


def follow(port: int, token: str, call: str, told: tuple[int, Any]) -> None:
    """The process of the clients: connect, say so, and count what is read until it is told to end."""
    count, pipe = told
    pin(1)
    # They stand for ten thousand machines of others, so they get only what of this machine nobody else wants.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    raise_descriptors()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(count):
            await loop.create_connection(lambda: Follower(port, token, call), host="127.0.0.1", port=port)
        pipe.send("connected")
        while not pipe.poll():
            await asyncio.sleep(0.05)
        pipe.send(Follower.pushes)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def burn(share: float) -> None:
    """A program that has nothing to do with the hub and is busy for a share of each half second, as the feed and its clients are."""
    pin(1)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    while True:
        began = time.thread_time()
        while time.thread_time() - began < 0.5 * share:
            pass
        time.sleep(0.5 * (1 - share))


async def beside_burner(world: LocalWorld, sessions: list[str], name: str, told: argparse.Namespace) -> Round:
    """The control: one round beside a busy program instead of the clients."""
    process = multiprocessing.get_context("spawn").Process(target=burn, args=(told.control,))
    process.start()
    await asyncio.sleep(SETTLE_S)
    waits_ms = await play(world, sessions, name, told)
    process.kill()
    return Round(0, waits_ms, 0)


async def token_of(world: LocalWorld) -> str:
    """An access token of the feed."""
    body, kind = world.casino_file.read_bytes(), {"Content-Type": "application/json"}
    answer: Any = loads((await world.wire.send(WireRequest("POST", world.hub_url + AUTH, kind, body))).body)
    return str(answer["Value"]["AccessToken"])


async def play(world: LocalWorld, sessions: list[str], name: str, told: argparse.Namespace) -> list[float]:
    """Fire the bets at their pace; the waits in milliseconds, shortest first."""
    began, waits_ms = time.monotonic(), []

    async def one(number: int) -> None:
        await asyncio.sleep(max(0.0, began + number / told.pace - time.monotonic()))
        sent = time.monotonic()
        said = {"session": sessions[number % PLAYERS], "bet": f"{name}-{number}", "round": f"{name}-{number}"}
        _, code = await world.call("pay-in", amount=STAKE, **said)
        if code != 1:
            raise SystemExit(f"a bet was answered {code}: this run has no result")
        waits_ms.append((time.monotonic() - sent) * 1000)

    await asyncio.gather(*(one(number) for number in range(told.bets)))
    return sorted(waits_ms)


async def watched(world: LocalWorld, sessions: list[str], name: str, told: argparse.Namespace) -> Round:
    """One round with clients."""
    assert world.casino is not None
    port, call = int(world.hub_url.rpartition(":")[2]), call_of(GAME_TYPE, world.casino.casino_id)
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=follow, args=(port, await token_of(world), call, (told.clients, there))
    )
    process.start()
    until = time.monotonic() + CONNECT_S
    while not here.poll():
        if time.monotonic() > until or not process.is_alive():
            raise SystemExit("the clients could not connect")
        await asyncio.sleep(0.1)
    here.recv()
    await asyncio.sleep(SETTLE_S)
    waits_ms = await play(world, sessions, name, told)
    here.send("end")
    while not here.poll():
        await asyncio.sleep(0.1)
    pushes = here.recv()
    process.join(10)
    process.kill()
    await asyncio.sleep(SETTLE_S)
    return Round(told.clients, waits_ms, pushes)


def part_feed(hub_pid: int) -> None:
    """Move the process of the feed to the second core, where the clients are. All other programs were started on the first."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        pid, _, rest = stat.read_text().partition(" (")
        fields = rest.rpartition(") ")[2].split()
        if int(fields[1]) == hub_pid and int(fields[16]) > 0:
            os.sched_setaffinity(int(pid), {1})
            return
    raise SystemExit("there is no process of the feed")


async def measure(told: argparse.Namespace, home: Path) -> list[Round]:
    """All rounds."""
    settings = {"CROUPIER_FEED_CONNECTIONS": "100000", "CROUPIER_FEED_PER_CASINO": "100000"}
    rounds = []
    async with local_world(home, settings, log=home / "hub.log") as world:
        if told.cores:
            part_feed(world.hub.pid)
        sessions = [(await world.launch(f"player-{n}", GAME)).session_id for n in range(PLAYERS)]
        await world.ask(f"{world.studio_url}/_sandbox/draws/start", {"pace": 1})
        await play(world, sessions, "warm", argparse.Namespace(bets=100, pace=told.pace))
        for number in range(told.rounds):
            rounds.append(Round(0, await play(world, sessions, f"alone-{number}", told), 0))
            print(rounds[-1], flush=True)
            if told.control:
                control = await beside_burner(world, sessions, f"control-{number}", told)
                print(f"beside a busy program: {control}", flush=True)
            rounds.append(await watched(world, sessions, f"watched-{number}", told))
            print(rounds[-1], flush=True)
    return rounds


def main() -> None:
    """Run it and print the figures."""
    told = argparse.ArgumentParser()
    told.add_argument("--clients", type=int, default=10_000)
    told.add_argument("--bets", type=int, default=1000, help="of each round")
    told.add_argument("--pace", type=float, default=20.0, help="bets a second")
    told.add_argument("--cores", action="store_true", help="feed and clients on one core, all else on the other")
    told.add_argument(
        "--control", type=float, default=0.0, help="this share of the second core for a busy program, as a control"
    )
    told.add_argument("--rounds", type=int, default=2)
    asked = told.parse_args()
    raise_descriptors()
    if asked.cores:
        pin(0)
    print(f"load before {os.getloadavg()[0]:.1f}, on {os.cpu_count()} cores; {json.dumps(vars(asked))}")
    home = make_home()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            rounds = runner.run(measure(asked, home))
    finally:
        remove_home(home)
    alone, beside = (min(r.share(99) for r in rounds if bool(r.clients) is watched) for watched in (False, True))
    print(f"p99 of the better rounds: {alone:.1f} ms alone, {beside:.1f} ms beside the feed, {beside / alone - 1:+.0%}")


if __name__ == "__main__":
    main()
