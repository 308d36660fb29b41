"""A sandbox casino or studio as its own process: `python -m croupier.sandbox.serve casino --hub URL [--port 0]`.

Owns: the loopback server, the JSON line with its address, and credentials from a file. It ends on SIGTERM, Ctrl-C,
or the end of standard input where that is a pipe, so that it never outlives the test or demo that started it.
Never: an address other than 127.0.0.1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import uvicorn
from starlette.applications import Starlette

from croupier.kit import strictjson
from croupier.kit.chance import SystemChance
from croupier.kit.clock import SystemClock
from croupier.kit.http import HttpWire
from croupier.kit.strictjson import Record
from croupier.sandbox.casino import SandboxCasino
from croupier.sandbox.draws.draw_studio import DrawPlan
from croupier.sandbox.studio import SandboxStudio

LOOPBACK = "127.0.0.1"
GRACE_S = 2

Join = Callable[[str], Awaitable[Record | None]]
"""A callback that gets the address once it is open, and returns the credentials that `casino add --json` prints."""
Announce = Callable[[str], None]


class SandboxServer(Protocol):
    """A sandbox casino or studio as the server runs it."""

    app: Starlette

    def take_credentials(self, credentials: Record) -> None:
        """Use the credentials that the hub printed. Raises BadField."""
        ...

    async def close(self) -> None:
        """Stop the background tasks."""
        ...


class _CasinoServer:
    def __init__(self, casino: SandboxCasino) -> None:
        self.casino = casino
        self.app = casino.app

    def take_credentials(self, credentials: Record) -> None:
        client_id = strictjson.integer(credentials, "PartnerClientId", low=1, high=2**53)
        self.casino.set_credentials(client_id, strictjson.text(credentials, "Secret", 512))

    async def close(self) -> None:
        await self.casino.close()


class _StudioServer:
    def __init__(self, studio: SandboxStudio) -> None:
        self.studio = studio
        self.app = studio.app

    def take_credentials(self, credentials: Record) -> None:
        counterparty_id = strictjson.text(credentials, "CounterpartyId")
        self.studio.set_credentials(counterparty_id, strictjson.text(credentials, "Secret", 512))

    async def close(self) -> None:
        """Stop the draws where they are."""
        await self.studio.draws.close()


def run_casino(
    *,
    hub_url: str,
    port: int = 0,
    currency: str = "EUR",
    join: Join | None = None,
    announce: Announce | None = None,
    with_parent: bool = True,
) -> None:
    """Serve a sandbox casino until a signal. `with_parent`: stop also when standard input is a pipe and ends."""

    def make(wire: HttpWire, clock: SystemClock) -> SandboxServer:
        chance = SystemChance()
        return _CasinoServer(SandboxCasino(wire=wire, clock=clock, chance=chance, hub_url=hub_url, currency=currency))

    _run("casino", make, port=port, join=join, announce=announce, with_parent=with_parent)


def run_studio(
    *,
    hub_url: str,
    port: int = 0,
    join: Join | None = None,
    announce: Announce | None = None,
    with_parent: bool = True,
    draws: DrawPlan | None = None,
) -> None:
    """Serve a sandbox studio until told to stop; as run_casino. `draws`: run draw games once it has its credentials."""

    def make(wire: HttpWire, clock: SystemClock) -> SandboxServer:
        studio = SandboxStudio(wire=wire, clock=clock, chance=SystemChance(), hub_url=hub_url)
        if draws is not None:
            studio.draws.plan(draws)
        return _StudioServer(studio)

    _run("studio", make, port=port, join=join, announce=announce, with_parent=with_parent)


def credentials_from(path: Path) -> Join:
    """Return a join that reads a JSON file. Without a file, the credentials come later by `/_sandbox/credentials`."""

    async def join(_url: str) -> Record | None:
        return _read_credentials(path)

    return join


def _read_credentials(path: Path) -> Record | None:
    return strictjson.record(strictjson.loads(path.read_bytes())) if path.exists() else None


def say_json(kind: str) -> Announce:
    """Return a callback that prints the address as one JSON line on standard output."""

    def announce(url: str) -> None:
        sys.stdout.write(json.dumps({"kind": kind, "url": url}) + "\n")
        sys.stdout.flush()

    return announce


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m croupier.sandbox.serve", description="Serve a sandbox casino or studio."
    )
    parser.add_argument("kind", choices=("casino", "studio"))
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--hub", required=True, help="the hub's address, without a path")
    parser.add_argument("--credentials", type=Path, help="JSON file with the credentials that the hub printed")
    parser.add_argument("--currency", default="EUR", help="currency of a casino's players")
    parser.add_argument("--draws", type=Path, help="a studio runs draw games, with their journals in this directory")
    parser.add_argument("--pace", type=int, default=1, help="how many times as fast as usual its draws run")
    asked = parser.parse_args(argv)
    join = None if asked.credentials is None else credentials_from(asked.credentials)
    if asked.kind == "casino":
        run_casino(hub_url=asked.hub, port=asked.port, currency=asked.currency, join=join)
    else:
        draws = None if asked.draws is None else DrawPlan(asked.draws, asked.pace)
        run_studio(hub_url=asked.hub, port=asked.port, join=join, draws=draws)


# --- the process ------------------------------------------------------------------------------------------------


def _run(
    kind: str,
    make: Callable[[HttpWire, SystemClock], SandboxServer],
    *,
    port: int,
    join: Join | None,
    announce: Announce | None,
    with_parent: bool,
) -> None:
    # uvicorn raises the signal again after it stopped; ignoring it here lets the process end with 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    asyncio.run(_serve(make, port, join, announce=announce or say_json(kind), with_parent=with_parent))


async def _serve(
    make: Callable[[HttpWire, SystemClock], SandboxServer],
    port: int,
    join: Join | None,
    *,
    announce: Announce,
    with_parent: bool,
) -> None:
    wire = HttpWire(allow_private=True)
    side = make(wire, SystemClock())
    server = _SandboxUvicorn(_config(side.app))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listening, port)
        url = f"http://{LOOPBACK}:{listening.getsockname()[1]}"
        server.when_open = lambda: _open(side, url, join, announce=announce)
        if with_parent:
            _stop_with_parent(server)
        await server.serve(sockets=[listening])
    await side.close()
    await wire.close()


def _bind(listening: socket.socket, port: int) -> None:
    """Bind the socket. Raises OSError with advice."""
    try:
        listening.bind((LOOPBACK, port))
    except OSError as error:
        msg = f"cannot listen on {LOOPBACK}:{port}: {error.strerror}; choose another with --port"
        raise OSError(msg) from error


class _SandboxUvicorn(uvicorn.Server):
    """A server that calls `when_open` once it listens, so that the address is announced only then."""

    when_open: Callable[[], Awaitable[None]]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self.when_open()


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app, lifespan="off", log_level="critical", access_log=False, timeout_graceful_shutdown=GRACE_S
    )


async def _open(side: SandboxServer, url: str, join: Join | None, *, announce: Announce) -> None:
    credentials = None if join is None else await join(url)
    if credentials is not None:
        side.take_credentials(credentials)
    announce(url)


def _stop_with_parent(server: uvicorn.Server) -> None:
    """Stop when standard input ends, if it is a pipe or socket. A terminal, a file or no input never stops it."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            server.should_exit = True

    loop.add_reader(0, readable)


if __name__ == "__main__":
    main()
