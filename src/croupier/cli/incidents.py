"""`croupier incidents`: the list of what needs a person, and closing what was looked at. Spec: operate.md 2, money.md 2.1."""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import oversight
from croupier.admin_api.oversight import OPEN_FOR_S, ReviewParams
from croupier.cli.close_options import Closed, CloseWish, closes
from croupier.cli.running import WAITS_FOR_A_PERSON, AsCsv, AsJson, ask
from croupier.cli.show import instant, show_json, show_list, show_table
from croupier.views.incidents import OpenPayment, ReviewLists

app = typer.Typer(help="Show what needs a person, or close an incident.", invoke_without_command=True)

MOST_S = 1e9
CSV_COLUMNS = ("list", "id", "what", "casino", "player or bet", "amount", "currency", "when", "note")


@app.callback()
def incidents(
    context: typer.Context,
    *,
    open_for: Annotated[
        float,
        typer.Option(
            "--open-for", min=0, max=MOST_S, help="Seconds after which a bet that is on counts as incomplete."
        ),
    ] = OPEN_FOR_S,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show open incidents, incomplete games, parked payments, and payments without an outcome with their next action.

    Exit code 3 while an incident is open.
    """
    if context.invoked_subcommand is not None:
        return

    found = ask(oversight.incidents, ReviewParams(open_for=open_for))
    if as_json:
        show_json(found)
    elif as_csv:
        show_list("To review", CSV_COLUMNS, _lines(found), as_csv=True)
    else:
        _show(found)
    if found.incidents:
        raise typer.Exit(WAITS_FOR_A_PERSON)


@app.command()
@closes
def close(wish: CloseWish) -> None:
    """Close incidents, by their ids or all that a filter fits. One opens again if the same thing happens again."""
    done = ask(oversight.close_incidents, wish.params, author=wish.author)
    if done.dry_run and not wish.as_json:
        columns = (">id", "what", ">bet or cashback", "?last", "note")
        show_table(
            "Chosen",
            columns,
            [(i.incident_id, i.name, i.subject_id or None, instant(i.last_ms), i.note) for i in done.chosen],
        )
    chosen = [one.incident_id for one in done.chosen]
    Closed(chosen, done.closed, done.dry_run).show("incident", as_json=wish.as_json)


def _lines(found: ReviewLists) -> list[tuple[object, ...]]:
    """Return the four lists as one, with the columns of CSV_COLUMNS."""
    payments = (("parked", found.parked), ("unknown", found.unknown))
    return [
        *[("incident", i.incident_id, i.name, i.casino, i.subject_id or None, None, None, instant(i.last_ms), i.note)
          for i in found.incidents],
        *[("incomplete", g.bet_id, g.state, g.casino, g.player_ref, g.stake, g.currency, instant(g.created_ms), g.bet_ref)
          for g in found.incomplete],
        *[(name, p.payment, p.state, p.casino, p.player_ref, p.amount, p.currency, instant(p.created_ms), p.said)
          for name, those in payments for p in those],
    ]  # fmt: skip


def _show(found: ReviewLists) -> None:
    show_table(
        "Incidents",
        (">id", "what", ">bet or cashback", "?casino", "??>times", "?last", "note"),
        [
            (i.incident_id, i.name, i.subject_id or None, i.casino, i.times, instant(i.last_ms), i.note)
            for i in found.incidents
        ],
    )
    show_table(
        "Incomplete games",
        (">bet", "state", "?casino", "?player", "??provider", "??betId", ">stake", "", "since"),
        [
            (
                g.bet_id,
                g.state,
                g.casino,
                g.player_ref,
                g.provider,
                g.bet_ref,
                g.stake,
                g.currency,
                instant(g.created_ms),
            )
            for g in found.incomplete
        ],
    )
    _show_payments("Parked payments", found.parked)
    _show_payments("Payments without outcome", found.unknown)


def _show_payments(title: str, payments: tuple[OpenPayment, ...]) -> None:
    show_table(
        title,
        ("payment", "state", "?casino", "?player", ">amount", "", "next", "??at", "???>failures", "?the casino said"),
        [
            (p.payment, p.state, p.casino, p.player_ref, p.amount, p.currency, p.next_step, instant(p.next_ms),
             p.failures, p.said)
            for p in payments
        ],
    )  # fmt: skip
