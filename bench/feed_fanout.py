"""How fast one process hands a snapshot to ten thousand clients, and what each of them costs.

    PYTHONPATH=src:. python bench/feed_fanout.py --clients 10000 --pushes 40

The hub's part runs in this process on the first core: uvicorn, the guards and the fan-out as `serve` runs them, with an access
token that is taken from everybody. The clients are raw sockets in a second process on the other core. Each push carries the
time at which it was published; the clients tell how much later they read it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import multiprocessing
import os
import resource
import socket
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import uvicorn
import uvloop
from starlette.applications import Starlette

from croupier.apps.http_guard import HttpGuard, raise_descriptors
from croupier.apps.worker import SOCKETS, _WorkerServer
from croupier.core.counterparty import Casino
from croupier.feed.connections import Connections, FeedLimits
from croupier.feed.snapshot import Snapshot
from croupier.feed.sockets import PATHS, routes
from croupier.flows.ports import Admitted
from croupier.kit.chance import SystemChance
from croupier.kit.clock import SystemClock
from croupier.kit.metrics import Metrics

CASINO = Casino(7, "Bench", "betcore_v2", "https://bench.example", ("EUR",))
EVERY_S = 0.5
KEY = base64.b64encode(b"0123456789abcdef").decode()
HELLO = '{"protocol":"json","version":1}\x1e'


def call_of(game_type: int, casino_id: int) -> str:
    """The message that subscribes."""
    asked = json.dumps({"GameType": game_type, "PartnerClientId": casino_id})
    return json.dumps({"type": 1, "target": "Subscribe", "arguments": ["SubOnWholeGamesInfo", asked]}) + "\x1e"


class Everybody:
    """Takes any token."""

    token_s = 3600

    async def admit(self, _token: str, _address: str | None = None) -> Admitted:
        return Admitted(CASINO, int(time.time()) + 3600)

    async def issue(self, _casino_id: int, _secret: str) -> str:
        return "x"


async def nothing(*_: Any) -> None:
    """There are no keys and no rows here."""


class Follower(asyncio.Protocol):
    """One client: it asks, and notes how old each push was."""

    ages_ms: ClassVar[list[float]] = []
    pushes: ClassVar[int] = 0

    def __init__(self, port: int, access: str = "x", call: str | None = None) -> None:
        self._call = call_of(3, CASINO.casino_id) if call is None else call
        self._head = (
            f"GET {PATHS[0]}?access_token={access} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        )
        self._head += f"Connection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        self._asked = False
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._head.encode())

    def data_received(self, data: bytes) -> None:
        if not self._asked:
            self._asked = True
            for text in (HELLO, self._call):
                self._transport.write(masked(text.encode()))
        Follower.pushes += data.count(b'"sId":')
        at = data.rfind(b'"at":')
        if at >= 0:
            Follower.ages_ms.append((time.time_ns() - int(data[at + 5 : data.index(b",", at)])) / 1e6)


def masked(data: bytes) -> bytes:
    """A client's frame with the mask of zeros."""
    size = bytes((0x81, 0x80 | len(data))) if len(data) < 126 else bytes((0x81, 0xFE)) + len(data).to_bytes(2, "big")
    return size + bytes(4) + data


def clients(port: int, count: int, pipe: Any) -> None:
    """The second process."""
    pin(1)
    raise_descriptors()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in range(count):
            await loop.create_connection(lambda: Follower(port), f"127.0.0.{1 + number % 4}", port)
        pipe.send("connected")
        while not pipe.poll():
            await asyncio.sleep(0.05)
        pipe.send(Follower.ages_ms)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def pin(core: int) -> None:
    """Stay on one core, where the system can."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > core:
        os.sched_setaffinity(0, {core})


def rss_kb() -> int:
    """The memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def snapshot(sequence: int) -> Snapshot:
    """About a kilobyte, as a game type with a few draws has."""
    draw = {
        "i": 1,
        "t": 3,
        "ge": "2026-11-28-1",
        "lrId": 0,
        "s": 2,
        "ps": 1,
        "cr": 1,
        "sdt": "2026-11-28T12:00:00Z",
        "res": [],
    }
    return Snapshot(3, sequence, 0, {"sId": sequence, "at": time.time_ns(), "im": False, "wgi": [draw] * 7})


async def measure(count: int, pushes: int) -> dict[str, float]:
    """Connect all, push, and collect."""
    clock: Any = SystemClock()
    keys = SimpleNamespace(secret_of_all=lambda _: b"k" * 32, refresh_if_stale=nothing, verify_keys=dict)
    hub: Any = SimpleNamespace(
        clock=clock, chance=SystemChance(), metrics=Metrics(), state=SimpleNamespace(closing=False),
        store=SimpleNamespace(keys=keys, casinos=SimpleNamespace(get=nothing)),
    )  # fmt: skip
    connections = Connections(hub, Everybody(), FeedLimits(count + 10, count + 10, 10))
    app = Starlette(routes=routes(connections, Everybody()))
    config = uvicorn.Config(
        app, http=HttpGuard, **SOCKETS, log_config=None, access_log=False, lifespan="off", backlog=2048
    )
    server = _WorkerServer(config)
    sock = socket.create_server(("", 0), backlog=2048)
    loops = [
        asyncio.create_task(server.serve(sockets=[sock])),
        asyncio.create_task(connections.watch()),
        asyncio.create_task(connections.watch_tokens()),
        asyncio.create_task(connections.fan_out.run()),
    ]
    before_kb = rss_kb()
    here, there = multiprocessing.Pipe()
    other = multiprocessing.get_context("spawn").Process(target=clients, args=(sock.getsockname()[1], count, there))
    other.start()
    while not here.poll():
        await asyncio.sleep(0.1)
    here.recv()
    while len(connections.fan_out._subscribers.get(3, ())) < count:
        await asyncio.sleep(0.1)
    each_kb = (rss_kb() - before_kb) / count
    began = os.times()
    for sequence in range(pushes):
        connections.fan_out.heard(snapshot(sequence))
        await asyncio.sleep(EVERY_S)
    ended = os.times()
    user_s, system_s = ended.user - began.user, ended.system - began.system
    here.send("end")
    while not here.poll():
        await asyncio.sleep(0.1)
    ages_ms = sorted(here.recv())
    other.join(5)
    other.kill()
    for loop in loops:
        loop.cancel()
    sent = count * pushes
    return {
        "clients": count, "pushes": pushes, "arrived_share": len(ages_ms) / sent,
        "p50_ms": ages_ms[len(ages_ms) // 2], "p99_ms": ages_ms[len(ages_ms) * 99 // 100], "worst_ms": ages_ms[-1],
        "cpu_us_per_message": (user_s + system_s) / sent * 1e6, "of_it_user_us": user_s / sent * 1e6, "kb_per_connection": each_kb,
    }  # fmt: skip


def main() -> None:
    """Run it and print the figures."""
    told = argparse.ArgumentParser()
    told.add_argument("--clients", type=int, default=10_000)
    told.add_argument("--pushes", type=int, default=40)
    asked = told.parse_args()
    raise_descriptors()
    load = os.getloadavg()[0]
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < asked.clients + 300:
        raise SystemExit(f"{asked.clients} clients need {asked.clients + 300} descriptors, this shell allows {soft}")
    pin(0)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(measure(asked.clients, asked.pushes))
    print(f"load before {load:.1f}, on {os.cpu_count()} cores")
    for name, value in figures.items():
        print(f"{name:20} {value:,.2f}")


if __name__ == "__main__":
    main()
