"""`croupier ggr`: the report from the ledger. Spec: operate.md 2, money.md 6.5."""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.cli.days import day_ms
from croupier.cli.running import AsJson, with_look
from croupier.cli.show import show_json, show_table
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.views.ggr import DIMENSIONS, GgrRow
from croupier.views.ggr import ggr as report


def ggr(
    *,
    from_: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, such as 2025-11-01, in UTC.")],
    to: Annotated[str, typer.Option("--to", metavar="DAY", help="The day after the last day.")],
    by: Annotated[
        str, typer.Option("--by", help="Dimensions of the report, a line for each: casino, provider, game.")
    ] = ",".join(DIMENSIONS),
    as_json: AsJson = False,
) -> None:
    """Show gross gaming revenue: stakes minus wins of the bets settled in [from, to), less those undone in it."""
    start_ms, end_ms = day_ms(from_, "--from"), day_ms(to, "--to")
    if end_ms <= start_ms:
        raise typer.BadParameter("--to is the first day that is not counted: it must be after --from")
    wanted = [name.strip() for name in by.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in DIMENSIONS]
    if unknown:
        raise typer.BadParameter(f"--by knows {', '.join(DIMENSIONS)}, not {unknown[0][:40]!r}")

    async def work(hub: Hub, _: Settings) -> list[GgrRow]:
        return await report(hub.store.db, start_ms, end_ms, by=wanted)

    rows = with_look(work)
    if as_json:
        show_json(rows)
        return
    columns = ("casino", "provider", "game", "", ">stakes", ">wins", ">corrections", ">GGR", ">jackpots", ">cashback")
    show_table(
        f"GGR from {from_} to {to} (that day not counted)",
        columns,
        [
            (r.casino, r.provider, r.game, r.currency, r.stakes, r.wins, r.corrections, r.ggr, r.jackpots, r.cashback)
            for r in rows
        ],
    )
