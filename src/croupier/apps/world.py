"""A complete local installation: the hub, a sandbox casino and a sandbox studio, as processes on loopback.

Owns: starting them, registering them with each other, stopping them by their process ids. It serves the demo, and tests
that use real processes: they speak the public protocols over HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from croupier.apps.wiring import open_hub
from croupier.core.counterparty import Casino, Provider
from croupier.flows.hub import Hub
from croupier.flows.launch import Launched, LaunchRequest, launch
from croupier.flows.sync_games import sync_games
from croupier.kit.config import Settings, load
from croupier.kit.http import HttpWire
from croupier.kit.strictjson import loads
from croupier.kit.wire import PeerError, WireRequest
from croupier.sandbox.draws.catalogue import DRAW_GAMES

START_S = 60.0
STUDIO = "Sandbox studio "
END_S = 15.0
_LISTENS = re.compile(rb'(?:listens on |"address": ?")(http://[^\s"]+)')


class WorldFailed(Exception):
    """A process did not start. The text holds its output."""


@dataclass(slots=True)
class LocalWorld:
    """The running installation. Ids are the hub's; URLs have no trailing slash."""

    settings: Settings
    environ: Mapping[str, str]
    wire: HttpWire
    hub: subprocess.Popen[bytes]
    hub_url: str
    casino_url: str = ""
    studio_url: str = ""
    casino: Casino | None = None
    provider: Provider | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def casino_file(self) -> Path:
        """Return the file with the casino's credentials, as `casino add --secret-file` writes it."""
        return self.settings.home / "casino.json"

    async def ask(self, url: str, body: Mapping[str, Any] | None = None, *, total_s: float = 30.0) -> Any:  # noqa: ANN401
        """POST JSON (or GET without a body) to a sandbox control, and return the answer."""
        request = WireRequest(
            "GET" if body is None else "POST",
            url,
            {"content-type": "application/json"},
            b"" if body is None else json.dumps(body).encode(),
            total_s=total_s,
            max_bytes=8_000_000,
        )
        answer = await self.wire.send(request)
        return loads(answer.body, max_bytes=8_000_000)

    async def call(self, verb: str, **what: str) -> tuple[int | None, int | None]:
        """Make a call of the studio on the hub. Return HTTP status and response code; both None if there was no answer."""
        answered = await self.ask(f"{self.studio_url}/_sandbox/call", {"verb": verb, **what})
        if answered["status"] is None:
            return None, None
        return int(answered["status"]), int(answered["told"]["_responseCode"])

    async def behave(self, behaviour: str, **rule: Any) -> None:  # noqa: ANN401 - JSON
        """Set a behaviour of the casino."""
        await self.ask(f"{self.casino_url}/_sandbox/behaviour", {"behaviour": behaviour, **rule})

    async def launch(self, player: str, game: str, *, currency: str = "EUR", demo: bool = False) -> Launched:
        """Open a session of a player in a game of the studio."""
        assert self.casino is not None
        assert self.provider is not None
        async with open_hub(self.settings) as hub:
            # Earlier runs in the same home left studios with the same game ids.
            found = await hub.store.games.find(f"{self.provider.counterparty_id}/{game}")
            assert found is not None, game
            return await launch(hub, self.casino, LaunchRequest(player, currency, found.game_id, demo=demo))


@asynccontextmanager
async def local_world(
    home: Path, more: Mapping[str, str] | None = None, *, workers: int = 1, log: Path | None = None
) -> AsyncIterator[LocalWorld]:
    """Start everything. `more`: settings (`CROUPIER_*`) beyond those that a local installation needs.

    Settings of the environment are ignored, above all a database that belongs to another installation.
    """
    around = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_") or k.startswith("CROUPIER_LOG_")}
    local = {"CROUPIER_HOME": str(home), "CROUPIER_ALLOW_PRIVATE_PEERS": "1", "CROUPIER_DOCS_TRY": "1"}
    environ = {**around, **(more or {}), **local}
    settings = load({k: v for k, v in environ.items() if k.startswith("CROUPIER_")})
    wire = HttpWire(allow_private=True)
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(log.open("ab")) if log else subprocess.DEVNULL
        hub, hub_url = await start_hub(environ, workers, log=log)
        world = LocalWorld(settings, environ, wire, hub, hub_url)
        try:
            await _introduce(world, sink)
            yield world
        finally:
            try:
                await stop(world.processes)
            finally:  # whoever is interrupted while it waits still stops the hub
                await stop([world.hub])
            await wire.close()


async def start_hub(
    environ: Mapping[str, str], workers: int, *, port: int = 0, log: Path | None = None
) -> tuple[subprocess.Popen[bytes], str]:
    """Start `croupier serve`. Return the process and its URL once it is ready. Its further output goes to `log`."""
    command = [sys.executable, "-m", "croupier.cli", "serve", "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(  # noqa: ASYNC220, S603 - starting is quick, reading is done in a thread
        command, env=dict(environ), stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        url = await _address(process)
        _drain(process, log)
        await _ready(url)
    except BaseException:  # whoever is interrupted here has nothing yet to stop it by
        await stop([process])
        raise
    return process, url


async def _address(process: subprocess.Popen[bytes]) -> str:
    """Return the URL that a starting hub prints. Raises WorldFailed with its output if it ends."""
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(START_S):
        while (found := _LISTENS.search(said)) is None:
            line = await asyncio.to_thread(process.stderr.readline)
            said += line
            if not line:
                raise WorldFailed(said.decode(errors="replace").strip())
    return found.group(1).decode()


def _drain(process: subprocess.Popen[bytes], log: Path | None) -> None:
    """Read the output of the hub in a thread, so that it never blocks."""

    def read() -> None:
        assert process.stderr is not None
        with process.stderr as said, log.open("ab") if log else open(os.devnull, "wb") as sink:  # noqa: PTH123
            for line in said:
                sink.write(line)
                sink.flush()

    asyncio.get_running_loop().run_in_executor(None, read)


async def _ready(url: str) -> None:
    wire = HttpWire(allow_private=True)
    try:
        async with asyncio.timeout(START_S):
            while not await _is_ready(wire, url):  # noqa: ASYNC110 - another process sets nothing
                await asyncio.sleep(0.05)  # noqa: TID251 - a real process starts in real time
    finally:
        await wire.close()


async def _is_ready(wire: HttpWire, url: str) -> bool:
    with contextlib.suppress(PeerError):
        return (await wire.send(WireRequest("GET", f"{url}/readyz"))).status == 200
    return False


async def _introduce(world: LocalWorld, sink: Any) -> None:  # noqa: ANN401 - a file or DEVNULL
    """Start both sandbox sides and register them with the hub, as an operator would."""
    world.casino_url, world.studio_url = await asyncio.gather(
        _start_side(world, "casino", sink), _start_side(world, "studio", sink)
    )
    async with open_hub(world.settings) as hub:
        # A sandbox keeps its books in memory, so every run has a casino and a studio of its own.
        run = hub.chance.hex(3)
        casino, secret = await hub.store.casinos.add(
            f"Sandbox casino {run}", world.casino_url, ["EUR"], origins=[world.casino_url]
        )
        for earlier in await hub.store.providers.all():
            # The studios of earlier runs are gone: a lobby must not offer their games.
            if earlier.name.startswith(STUDIO):
                await hub.store.providers.change(earlier.provider_id, {"game_types": (), "enabled": False})
        game_types = tuple(DRAW_GAMES)
        provider, key = await hub.store.providers.add(f"{STUDIO}{run}", world.studio_url, game_types=game_types)
        world.casino, world.provider = casino, provider
        await world.ask(
            f"{world.casino_url}/_sandbox/credentials", {"PartnerClientId": casino.casino_id, "Secret": secret}
        )
        await world.ask(
            f"{world.studio_url}/_sandbox/credentials", {"CounterpartyId": provider.counterparty_id, "Secret": key}
        )
        _write_credentials(world.casino_file, {"PartnerClientId": casino.casino_id, "Secret": secret})
        await sync_games(hub, provider)
        await show_draws(hub, provider)


async def show_draws(hub: Hub, provider: Provider) -> None:
    """Have the lobby's draws open the games of a sandbox studio."""
    games = {game.game_ref: game.game_id for game in await hub.store.games.all(provider.provider_id)}
    for game_type, game in DRAW_GAMES.items():
        if game.game_id in games:
            await hub.store.game_types.show_in(game_type, games[game.game_id])


def _write_credentials(path: Path, credentials: Mapping[str, object]) -> None:
    """Write what a casino's client needs into a file that only its owner may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(credentials, file)


async def _start_side(world: LocalWorld, kind: str, sink: Any) -> str:  # noqa: ANN401 - a file or DEVNULL
    command = [sys.executable, "-m", "croupier.sandbox.serve", kind, "--hub", world.hub_url]
    process = subprocess.Popen(  # noqa: ASYNC220, S603 - starting is quick, reading is done in a thread
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink, env=dict(world.environ)
    )
    world.processes.append(process)
    assert process.stdout is not None
    async with asyncio.timeout(START_S):
        line = await asyncio.to_thread(process.stdout.readline)
    if not line:
        raise WorldFailed(f"the sandbox {kind} ended at once")
    return str(json.loads(line)["url"])


async def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Terminate each process, and wait."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            await asyncio.to_thread(process.wait, END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
