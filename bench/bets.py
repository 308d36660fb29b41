"""What one bet costs the hub: pay-in, commit, make, accept, commit, answer, over real sockets and a real PostgreSQL.

    PYTHONPATH=src:. python bench/bets.py --in-flight 64 --seconds 10

The hub is `croupier serve` with one worker, the feed's process and its embedded PostgreSQL. A provider that fires signed pay-ins and a casino that
takes makes and accepts them by a callback are processes of their own. The figures are CPU per bet and counts, which a busy
machine hardly changes; bets per second and waits are printed beside them. A run that leaves a violated invariant, a bet that is
not on, or an answer other than 1 has no result.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import httptools
import uvloop

from croupier.apps.wiring import open_hub
from croupier.apps.world import start_hub, stop
from croupier.core.commands import GameListing
from croupier.core.session import Session
from croupier.flows.hub import Hub
from croupier.kit.config import Settings, load
from croupier.store.embedded.directory import find_place
from croupier.store.embedded.watcher import postmaster
from tests.conftest import make_home, remove_home

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
WARM_S = 3.0
OK = b'{"ErrorCode":200,"Message":"Success"}'
BALANCE = b'{"ErrorCode":200,"Message":"Success","Value":{"Balance":"1000000.00"}}'
SUM = "select sum(xact_commit + xact_rollback)::bigint as n from pg_stat_database where datname = current_database()"


@dataclass(frozen=True)
class Site:
    """What both load sides must know of the hub."""

    port: int
    counterparty: str
    key: str
    token: str
    sessions: tuple[str, ...]


class Peer(asyncio.Protocol):
    """One HTTP connection of a load side; `heard` is called with path and body of each whole message."""

    def __init__(self, heard: Callable[[Peer, bytes, bytes], None], *, client: bool) -> None:
        self._heard = heard
        self._parser = (httptools.HttpResponseParser if client else httptools.HttpRequestParser)(self)
        self._url = self._body = b""
        self.status = 0
        self.transport: Any = None
        self.began_s = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        if isinstance(self._parser, httptools.HttpResponseParser):
            self.status = self._parser.get_status_code()
        self._heard(self, self._url, body)


# --- the casino -----------------------------------------------------------------------------------------------------


class CasinoSide:
    """Acknowledges each make and list, and accepts every payment of it by a callback."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._free: deque[Peer] = deque()
        self._owed: deque[bytes] = deque()
        self.calls: Counter[str] = Counter()

    async def run(self, pipe: Any) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Peer(self._asked, client=False), "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        self._site = await loop.run_in_executor(None, pipe.recv)
        for _ in range(64):
            _, peer = await loop.create_connection(lambda: Peer(self._taken, client=True), "127.0.0.1", self._site.port)
            self._free.append(peer)
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send((dict(self.calls), cpu_s()))

    def _asked(self, peer: Peer, path: bytes, body: bytes) -> None:
        name = path.rpartition(b"/")[2].decode()
        data = json.loads(_claims(body)["data"])
        self.calls[name] += 1
        answer = BALANCE if path.endswith(b"users/data") else OK
        peer.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer))
        if name in ("make", "make-list"):
            makes = data if isinstance(data, list) else [data]
            self.calls["payments"] += len(makes)
            for make in makes:
                self._owed.append(_accept(make))
            self._send()

    def _taken(self, peer: Peer, _: bytes, __: bytes) -> None:
        self.calls[f"accept {peer.status}"] += 1
        self._free.append(peer)
        self._send()

    def _send(self) -> None:
        while self._free and self._owed:
            self._free.popleft().transport.write(
                _post(
                    "/mis-api/api/v2/payments/accept",
                    f"Authorization: Bearer {self._site.token}\r\n",
                    self._owed.popleft(),
                )
            )


def _claims(body: bytes) -> dict[str, Any]:
    part = body.split(b".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    return claims


def _accept(make: dict[str, Any]) -> bytes:
    value = {**make, "PartnerTransactionId": f"t{make['BetId']}:{make['TransactionType']}"}
    return json.dumps({"ErrorCode": 200, "Message": "Success", "Value": value}, separators=(",", ":")).encode()


def _post(path: str, headers: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def casino_side(site: Site, pipe: Any) -> None:
    """Run the casino in a process of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(CasinoSide(site).run(pipe))


# --- the provider ---------------------------------------------------------------------------------------------------


class ProviderSide:
    """Keeps so many pay-ins in flight: each answer fires the next."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._count = 0
        self._start_ms = time.time_ns() // 1_000_000
        self.answers: Counter[str] = Counter()
        self.waits_s: list[float] = []
        self._going = True
        self._in_flight = 0

    async def run(self, pipe: Any, in_flight: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(in_flight):
            _, peer = await loop.create_connection(
                lambda: Peer(self._answered, client=True), "127.0.0.1", self._site.port
            )
            self._fire(peer)
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send((dict(self.answers), self.waits_s, cpu_s()))
            self.waits_s = []
        self._going = False
        while self._in_flight:
            await asyncio.sleep(0.01)
        pipe.send((dict(self.answers), self.waits_s, cpu_s()))

    def _fire(self, peer: Peer) -> None:
        self._count += 1
        number, site = self._count, self._site
        session = site.sessions[number % len(site.sessions)]
        body = b'{"betAmount":1.00,"betId":"%x-%d","gameRoundId":"r%d","sessionId":"%b"}' % (
            self._start_ms, number, number, session.encode(),
        )  # fmt: skip
        stamp, request_id = str(time.time_ns() // 1_000_000), f"{number:032x}"
        signed = b".".join((body, site.counterparty.encode(), stamp.encode(), request_id.encode()))
        sign = hmac.digest(site.key.encode(), signed, "sha256").hex()
        headers = f"X-Counterparty-Id: {site.counterparty}\r\nX-Timestamp: {stamp}\r\nX-Request-Id: {request_id}\r\nX-Sign: {sign}\r\n"
        peer.began_s = time.perf_counter()
        self._in_flight += 1
        peer.transport.write(_post(f"/v1/sessions/{session}/bets/pay-in", headers, body))

    def _answered(self, peer: Peer, _: bytes, body: bytes) -> None:
        self._in_flight -= 1
        self.waits_s.append(time.perf_counter() - peer.began_s)
        answer = json.loads(body)
        told = "with balance" if "balance" in answer else "without balance"
        self.answers[f"{peer.status} {answer['_responseCode']} {told}"] += 1
        if self._going:
            self._fire(peer)


def provider_side(site: Site, in_flight: int, pipe: Any) -> None:
    """Run the provider in a process of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ProviderSide(site).run(pipe, in_flight))


# --- what is measured -----------------------------------------------------------------------------------------------


def cpu_s(pid: int | str = "self") -> float:
    """Return the processor seconds that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def ruler_us() -> float:
    """Return the processor time of a fixed piece of work. It grows where others share the cores, as all figures then do."""
    began_s = time.thread_time()
    for number in range(200):
        json.loads(json.dumps({"number": number, "text": "x" * 64, "list": [1, 2, 3]}))
        hmac.digest(b"key", b"x" * 512, "sha256")
    return (time.thread_time() - began_s) / 200 * 1e6


def children(pid: int) -> list[int]:
    """Return the processes that this one started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def family_cpu_s(pid: int) -> float:
    """Return the processor seconds of PostgreSQL: the postmaster, its processes, and those that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(map(int, fields[11:15])) * TICK_S + sum(cpu_s(child) for child in children(pid))


class Bench:
    """One run: the site, its two sides, and the figures."""

    def __init__(self, settings: Settings, environ: dict[str, str], asked: argparse.Namespace) -> None:
        self._settings = settings
        self._environ = environ
        self._asked = asked

    async def run(self) -> dict[str, Any]:
        hub_process, url = await start_hub(self._environ, 1, log=self._asked.log)
        pipes, processes = [], []
        try:
            casino_pipe, casino = _start(casino_side, Site(0, "", "", "", ()))
            port = await asyncio.to_thread(casino_pipe.recv)
            site = await self._introduce(int(url.rpartition(":")[2]), port)
            casino_pipe.send(site)
            provider_pipe, provider = _start(provider_side, site, self._asked.in_flight)
            pipes, processes = [casino_pipe, provider_pipe], [casino, provider]
            await self._warm(provider_pipe)
            return await self._measure(hub_process.pid, *pipes)
        finally:
            for pipe in pipes:
                pipe.close()
            for process in processes:
                process.kill()
            await stop([hub_process])

    async def _warm(self, provider: Any) -> None:
        """Wait until every player has played, so that balances are known as after a launch."""
        played = 0
        while played < self._asked.players:
            await asyncio.sleep(WARM_S)
            provider.send("figures")
            answers, _, _ = await asyncio.to_thread(provider.recv)
            played = sum(answers.values())

    async def _introduce(self, port: int, casino_port: int) -> Site:
        """Register casino, provider, game, players and sessions, as operators and launches would."""
        async with open_hub(self._settings) as hub:
            casino, secret = await hub.store.casinos.add(
                "Bench", f"http://127.0.0.1:{casino_port}", ["EUR"], in_flight=1000, batch=self._asked.batch,
                alg=self._asked.alg,
            )  # fmt: skip
            provider, key = await hub.store.providers.add("Bench", "http://127.0.0.1:1", user_id="player")
            listing = [GameListing("g", "Game", "slots")]
            await hub.store.games.take_listing(provider.provider_id, listing, enabled_for_new=True)
            (game,) = await hub.store.games.all(provider.provider_id)
            shape = Session(
                "",
                provider.provider_id,
                casino.casino_id,
                0,
                "",
                game.game_id,
                "EUR",
                demo=False,
                min_bet=1,
                max_bet=10**6,
                opened_ms=0,
                expires_ms=2**52,
            )
            sessions = [await _session(hub, shape, number) for number in range(self._asked.players)]
            token = await asyncio.to_thread(_token, port, casino.casino_id, secret)
        return Site(port, provider.counterparty_id, key, token, tuple(sessions))

    async def _measure(self, hub: int, casino: Any, provider: Any) -> dict[str, Any]:
        place = find_place(self._settings.home)
        assert place is not None
        server = postmaster(place / "data")
        assert server is not None

        async def seen() -> dict[str, Any]:
            for pipe in (casino, provider):
                pipe.send("figures")
            calls, casino_s = await asyncio.to_thread(casino.recv)
            answers, waits_s, provider_s = await asyncio.to_thread(provider.recv)
            counts = Counter({**calls, **answers})
            times = {
                "hub": sum(map(cpu_s, children(hub))),
                "postgres": family_cpu_s(server),
                "casino": casino_s,
                "provider": provider_s,
            }
            return {
                "at": time.perf_counter(),
                "counts": counts,
                "cpu": times,
                "waits_s": waits_s,
                "tx": await self._transactions(),
            }

        before = await seen()
        ends_s, rulers = before["at"] + self._asked.seconds, []
        while time.perf_counter() < ends_s:
            await asyncio.sleep(0.2)
            rulers.append(ruler_us())
        after = await seen()
        provider.send("")
        answers, _, _ = await asyncio.to_thread(provider.recv)
        figures = {**self._figures(before, after), "ruler_us": round(median(rulers), 1)}
        return figures | {"answers": answers, "audit": await self._verdict()}

    async def _transactions(self) -> int:
        async with open_hub(self._settings) as hub:
            return int(await hub.store.db.fetchval(SUM))

    async def _verdict(self) -> str:
        command = [sys.executable, "-m", "croupier.cli", "audit"]
        told = await asyncio.to_thread(
            subprocess.run, command, env=self._environ, capture_output=True, text=True, check=False
        )
        return "holds" if told.returncode == 0 else told.stdout + told.stderr

    def _figures(self, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        waits_ms = sorted(wait * 1000 for wait in after["waits_s"])
        bets = len(waits_ms)
        counts = after["counts"] - before["counts"]
        made = counts["make"] + counts["make-list"]
        cpu_us = {f"{name}_us": round((after["cpu"][name] - before["cpu"][name]) / bets * 1e6) for name in after["cpu"]}
        return {
            "bets_per_s": round(bets / (after["at"] - before["at"])),
            **cpu_us,
            "transactions": round((after["tx"] - before["tx"]) / bets, 3),
            "balance_questions": round(counts["data"] / bets, 3),
            "signatures": round((made + counts["data"] + counts["close"] + counts["info"]) / bets, 3),
            "payments_per_call": round(counts["payments"] / max(made, 1), 1),
            "p50_ms": round(waits_ms[bets // 2], 1), "p99_ms": round(waits_ms[bets * 99 // 100], 1),
        }  # fmt: skip


async def _session(hub: Hub, shape: Session, number: int) -> str:
    player = await hub.store.players.register(shape.casino_id, f"p{number}", "EUR")
    session = replace(shape, session_id=hub.chance.hex(16), player_id=player.player_id)
    await hub.store.sessions.open(session)
    return session.session_id


def _token(port: int, casino_id: int, secret: str) -> str:
    from http.client import HTTPConnection  # noqa: PLC0415 - the one call that no load side makes

    line = HTTPConnection("127.0.0.1", port)
    body = json.dumps({"PartnerClientId": casino_id, "Secret": secret})
    line.request("POST", "/mis-api/api/v2/auth/token", body, {"Content-Type": "application/json"})
    return str(json.loads(line.getresponse().read())["Value"]["AccessToken"])


def _start(main: Callable[..., None], *args: Any) -> tuple[Any, Any]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=main, args=(*args, there), daemon=True)
    process.start()
    return here, process


def main() -> None:
    """Run it, print the figures as JSON, and fail if a bet went wrong."""
    told = argparse.ArgumentParser()
    told.add_argument("--in-flight", type=int, default=64)
    told.add_argument("--seconds", type=float, default=10)
    told.add_argument("--players", type=int, default=400)
    told.add_argument("--batch", type=int, default=100)
    told.add_argument("--alg", default="RS256")
    told.add_argument("--log", type=Path, default=None)
    asked = told.parse_args()
    home = make_home()
    try:
        own = {"CROUPIER_HOME": str(home), "CROUPIER_ALLOW_PRIVATE_PEERS": "1"}
        environ = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")} | own
        figures = asyncio.run(Bench(load(own), environ, asked).run())
    finally:
        remove_home(home)
    print(json.dumps(figures, indent=1))
    wrong = [answer for answer in figures["answers"] if not answer.startswith("200 1 ")]
    if wrong or figures["audit"] != "holds":
        raise SystemExit(f"no result: {wrong or figures['audit']}")


if __name__ == "__main__":
    main()
