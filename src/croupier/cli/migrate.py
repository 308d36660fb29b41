"""`croupier migrate`: bring the database to this program's schema. No other command does it, except `serve` (apps.schema)."""

from __future__ import annotations

from functools import partial

from croupier.cli.progress import progress_line
from croupier.cli.running import AsJson, with_db
from croupier.cli.show import say, show_json
from croupier.store.migrate import migrate as apply


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to this program's schema. Does nothing if it is there already."""
    with progress_line("Opening the database", as_json=as_json) as tell:
        applied = with_db(partial(apply, tell=tell), may_make=True)
    if as_json:
        show_json({"applied": applied})
        return
    for name in applied:
        say(f"Applied {name}.")
    say("The schema is up to date.")
