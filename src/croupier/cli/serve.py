"""`croupier serve`: the hub in the foreground. Spec: operate.md 2."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from croupier.apps import serve as hub
from croupier.cli.running import settings
from croupier.kit.log import configure


def serve(
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=64, help="Number of worker processes.")] = None,
) -> None:
    """Run the hub: all APIs and pages on one port. Ctrl-C or SIGTERM finishes the requests in flight and ends it."""
    loaded = settings()
    loaded = replace(
        loaded,
        port=loaded.port if port is None else port,
        workers=loaded.workers if workers is None else workers,
    )
    configure(loaded.log_level, as_json=loaded.log_json)
    raise typer.Exit(hub.serve(loaded))
