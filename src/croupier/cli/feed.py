"""`croupier feed watch`: follow a game type of the live feed as a casino's client does. Spec: operate.md 2, feed.md 3.

Owns: the options, and who gets which of the three forms: a terminal, a pipe, `--json`. Never: the protocol (sandbox.feed_follower).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from croupier.admin_api.errors import CommandError
from croupier.cli.feed_view import FeedView, view_of
from croupier.cli.secret_options import credentials_in
from croupier.kit.chance import SystemChance
from croupier.kit.clock import SystemClock
from croupier.kit.http import HttpWire
from croupier.kit.strictjson import Json
from croupier.kit.wire import PeerError
from croupier.sandbox.feed_access import FeedRefused
from croupier.sandbox.feed_follower import FeedEvent, FeedPush, Follower

app = typer.Typer(help="Follow the live feed as a casino's client does.")

DEFAULT_HUB = "http://127.0.0.1:8080"
MOST_TYPE = 2**31 - 1

GameType = Annotated[
    int, typer.Argument(metavar="GAME_TYPE", min=0, max=MOST_TYPE, help="The number of the game type.")
]
Credentials = Annotated[
    Path,
    typer.Option(
        "--credentials", help="The file that `casino add --secret-file` wrote, or - for the same on standard input."
    ),
]
HubUrl = Annotated[str, typer.Option("--hub", help="The hub's address.")]
Count = Annotated[int | None, typer.Option("--count", min=1, help="End after so many snapshots.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object per line on standard output.")]


@app.command()
def watch(
    game_type: GameType,
    *,
    credentials: Credentials,
    hub: HubUrl = DEFAULT_HUB,
    count: Count = None,
    as_json: AsJsonLines = False,
) -> None:
    """Follow the draws of one game type: state, countdown, results, and how old the snapshot is. Ctrl-C ends it.

    It connects as a casino's client does, over a WebSocket, and again when the connection is lost. A terminal shows the current
    state; a pipe gets one line per snapshot.
    """
    if not hub.startswith(("http://", "https://")):
        raise typer.BadParameter("--hub must begin with http:// or https://")
    known = credentials_in(str(credentials))
    clock = SystemClock()
    with view_of(game_type, clock, as_json=as_json) as view:
        try:
            asyncio.run(_watch(view, clock, game_type, hub=hub, credentials=known, count=count))
        except FeedRefused as refused:
            raise CommandError(f"the hub does not show the feed: {refused}") from None
        except PeerError as away:
            raise CommandError(
                f"no hub answers at {hub} ({away.why}): check --hub, and that `croupier serve` runs"
            ) from None


async def _watch(
    view: FeedView, clock: SystemClock, game_type: int, *, hub: str, credentials: Json, count: int | None
) -> None:
    wire = HttpWire(allow_private=True)
    follower = Follower(wire, clock, SystemChance(), hub_url=hub, credentials=credentials)
    try:
        async with aclosing(follower.events(game_type)) as events:
            await _show(view, events, count)
    finally:
        await wire.close()


async def _show(view: FeedView, events: AsyncIterator[FeedEvent], count: int | None) -> None:
    """Show what happens until so many snapshots have come."""
    snapshots = 0
    async for event in events:
        view.show(event)
        snapshots += isinstance(event, FeedPush)
        if snapshots == count:
            return
