"""`croupier sandbox`: a sandbox casino or studio alone in the foreground, added to the hub if asked. Spec: operate.md 2.

Owns: joining: a side keeps its credentials in a file of the home, so that it can join again under the same name. Who
runs holds a lock beside that file: a second one of the same home takes the next file, and has a row of its own.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from croupier.admin_api.errors import CommandError
from croupier.apps.wiring import open_hub
from croupier.apps.world import show_draws
from croupier.cli.running import AsJson, settings
from croupier.cli.sentences import sentence
from croupier.cli.show import note
from croupier.flows.hub import Hub
from croupier.flows.sync_games import sync_games
from croupier.kit import strictjson
from croupier.kit.log import configure
from croupier.kit.settings import Settings
from croupier.sandbox.draws.catalogue import DRAW_GAMES
from croupier.sandbox.draws.draw_studio import DrawPlan
from croupier.sandbox.serve import Announce, Join, run_casino, run_studio, say_json

app = typer.Typer(help="Run a sandbox casino or studio alone, in the foreground, on 127.0.0.1.")

CASINO, STUDIO = "Sandbox casino", "Sandbox studio"
Credentials = dict[str, Any]
Enter = Callable[[Hub, str, Credentials | None], Awaitable[Credentials]]
"""Adds a casino or studio at this URL, with its earlier credentials if any. Returns its current ones."""

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
HubUrl = Annotated[str | None, typer.Option("--hub", help="The hub's address, if it is not in the settings.")]
WithJoin = Annotated[bool, typer.Option("--join", help="Add it first to the hub of this CROUPIER_HOME.")]


@app.command()
def casino(
    *,
    port: Port = 0,
    hub: HubUrl = None,
    currency: Annotated[str, typer.Option("--currency", help="The currency of its players.")] = "EUR",
    join: WithJoin = False,
    as_json: AsJson = False,
) -> None:
    """Run a casino that keeps its wallets in memory, and print its URL. Its site is the page at that URL."""
    _run_casino(port, hub, currency, join=join, as_json=as_json)


@app.command()
def site(
    *,
    port: Port = 0,
    hub: HubUrl = None,
    currency: Annotated[str, typer.Option("--currency", help="The currency of its players.")] = "EUR",
    join: WithJoin = False,
    as_json: AsJson = False,
) -> None:
    """Run the same casino for its web site: log in and play in a browser. Demo money only."""
    if not join:
        note("Without --join the hub does not know this casino, and lets its page embed nothing.")
    _run_casino(port, hub, currency, join=join, as_json=as_json, kind="site")


def _run_casino(port: int, hub: str | None, currency: str, *, join: bool, as_json: bool, kind: str = "casino") -> None:
    loaded = _told()

    async def enter(own: Hub, url: str, before: Credentials | None) -> Credentials:
        known = None if before is None else await own.store.casinos.find(before["PartnerClientId"])
        # In a new database, the id may belong to another casino.
        if known is not None and before is not None and known.name.startswith(CASINO):
            changes: dict[str, Any] = {"url": url, "enabled": True, "currencies": [currency], "origins": [url]}
            await own.store.casinos.change(known.casino_id, changes)
            note(f"{known.name} joined the hub again.")
            return before
        made, secret = await own.store.casinos.add(f"{CASINO} {own.chance.hex(2)}", url, [currency], origins=[url])
        note(f"{made.name} joined the hub.")
        return {"PartnerClientId": made.casino_id, "Secret": secret}

    run_casino(
        hub_url=_hub_url(loaded, hub),
        port=port,
        currency=currency,
        join=_joining(loaded, "casino", enter) if join else None,
        announce=_announcing(kind, as_json=as_json),
        with_parent=False,
    )


@app.command()
def studio(
    *,
    port: Port = 0,
    hub: HubUrl = None,
    join: WithJoin = False,
    draws: Annotated[
        bool, typer.Option("--draws", help="Run draws by schedule, with their journal in the home.")
    ] = False,
    pace: Annotated[int, typer.Option("--pace", min=1, max=100, help="How many times as fast draws run.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Run a provider with a few games, and print its URL."""
    loaded = _told()
    game_types: dict[str, Any] = {"game_types": tuple(DRAW_GAMES)} if draws else {}
    joined: list[str] = []

    async def enter(own: Hub, url: str, before: Credentials | None) -> Credentials:
        known = None if before is None else await own.store.providers.find(before["CounterpartyId"])
        if known is not None and before is not None:
            await own.store.providers.change(known.provider_id, {"url": url, "enabled": True, **game_types})
            joined.append(known.counterparty_id)
            if before["Secret"] in await own.store.providers.secrets(known.provider_id):
                return before
            return {**before, "Secret": await own.store.providers.rotate_secret(known.provider_id)}
        made, secret = await own.store.providers.add(f"{STUDIO} {own.chance.hex(2)}", url, **game_types)
        joined.append(made.counterparty_id)
        return {"CounterpartyId": made.counterparty_id, "Secret": secret}

    say = _announcing("studio", as_json=as_json)
    run_studio(
        hub_url=_hub_url(loaded, hub),
        port=port,
        join=_joining(loaded, "studio", enter) if join else None,
        announce=_then_fetching_games(loaded, joined, say),
        with_parent=False,
        draws=DrawPlan(loaded.home / "draws", pace) if draws else None,
    )


def _told() -> Settings:
    loaded = settings()
    configure("warning", as_json=loaded.log_json)
    return loaded


def _hub_url(loaded: Settings, said: str | None) -> str:
    """Return the address of the hub from the settings."""
    host = "127.0.0.1" if loaded.host in ("0.0.0.0", "::") else loaded.host  # noqa: S104 - not bound, only compared
    return (said or loaded.public_url or f"http://{host}:{loaded.port}").rstrip("/")


def _joining(loaded: Settings, kind: str, enter: Enter) -> Join:
    async def join(url: str) -> strictjson.Record:
        if not loaded.allow_private_peers:
            raise CommandError(
                "the sandbox answers on 127.0.0.1, which a hub calls only if its settings allow it: set "
                "CROUPIER_ALLOW_PRIVATE_PEERS=1, here and where `croupier serve` runs"
            )
        async with open_hub(loaded) as hub:
            path = _own_file(loaded.home, kind)
            record = await enter(hub, url, _read(path))
        _write(path, record)
        return strictjson.record(strictjson.loads(path.read_bytes()))

    return join


def _own_file(home: Path, kind: str) -> Path:
    """Return the credentials file of the first sandbox of this kind that is not running, locked until this process ends."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in count(1):
        path = home / (f"sandbox-{kind}.json" if number == 1 else f"sandbox-{kind}-{number}.json")
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return path
    raise AssertionError("there is no end of numbers")


def _announcing(kind: str, *, as_json: bool) -> Announce:
    return say_json(kind) if as_json else typer.echo


def _then_fetching_games(loaded: Settings, joined: list[str], say: Announce) -> Announce:
    """Announce the address, then fetch the studio's games into the hub that it joined."""
    tasks: list[asyncio.Task[None]] = []

    async def fetch() -> None:
        try:
            async with open_hub(loaded) as hub:
                for counterparty_id in joined:
                    provider = await hub.store.providers.find(counterparty_id)
                    assert provider is not None
                    counts = await sync_games(hub, provider)
                    await show_draws(hub, provider)
                    note(f"{provider.name} joined the hub, with {counts.new} new games.")
        except Exception as error:  # noqa: BLE001 - the studio goes on without
            note(sentence(error))

    def announce(url: str) -> None:
        say(url)
        if joined:
            tasks.append(asyncio.get_running_loop().create_task(fetch()))

    return announce


def _read(path: Path) -> Credentials | None:
    """Return the credentials that `_write` stored, or None."""
    found: Credentials | None = json.loads(path.read_text("utf-8")) if path.exists() else None
    return found


def _write(path: Path, record: Credentials) -> None:
    """Store the credentials in a file that only this user may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(record, file)
