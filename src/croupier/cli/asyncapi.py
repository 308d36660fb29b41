"""`croupier asyncapi`: the AsyncAPI 3.0 document of the live feed's socket. Spec: operate.md 2."""

from __future__ import annotations

from croupier.apps.operations import asyncapi
from croupier.cli.running import AsJson
from croupier.cli.show import show_json, show_table
from croupier.feed.socket_operations import LIVE_FEED


def show_asyncapi(as_json: AsJson = False) -> None:
    """Show the messages of the live feed's socket: a table, or with --json the AsyncAPI 3.0 document. Needs no database."""
    if as_json:
        show_json(asyncapi())
        return
    rows = [(message.direction, message.name, message.summary) for message in LIVE_FEED.messages]
    show_table(f"Messages at {LIVE_FEED.paths[0]}", ("the hub's", "message", "what it says"), rows)
