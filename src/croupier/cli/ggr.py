"""`croupier ggr`: the report from the ledger. Spec: operate.md 2, money.md 6.5."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from croupier.admin_api import look
from croupier.admin_api.look import GgrParams
from croupier.cli.running import AsCsv, AsJson, ask
from croupier.cli.show import note, show_json, show_list
from croupier.kit.sheets import write_sheet
from croupier.views.ggr import AMOUNTS, DIMENSIONS, USUAL


def ggr(
    *,
    from_: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, such as 2025-11-01, in UTC.")],
    to: Annotated[str, typer.Option("--to", metavar="DAY", help="The day after the last day.")],
    by: Annotated[
        str,
        typer.Option(
            "--by",
            help=f"Dimensions of the report, with commas between them, a line for each: {', '.join(DIMENSIONS)}.",
        ),
    ] = ",".join(USUAL),
    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE", help="Write the report into a new spreadsheet file.")
    ] = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show gross gaming revenue: stakes minus wins of the bets settled in [from, to), less those undone in it."""
    wish = GgrParams(from_=from_, to=to, by=by)
    rows = ask(look.ggr, wish)
    wanted = wish.dimensions()
    shown = [name for name in DIMENSIONS if name in wanted]
    columns = [*shown, "currency", *(f">{name}" for name in AMOUNTS)]
    names = [*shown, "currency", *AMOUNTS]
    lines = [[getattr(row, name) for name in names] for row in rows]
    if xlsx is not None:
        write_sheet(xlsx, names, lines)
        note(f"{xlsx} has the report: {len(lines)} lines.")
    elif as_json:
        show_json(rows)
    else:
        show_list(f"GGR from {from_} to {to} (that day not counted)", columns, lines, as_csv=as_csv)
