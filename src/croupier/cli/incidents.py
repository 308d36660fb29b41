"""`croupier incidents`: the list of what needs a person, and closing one. Spec: operate.md 2, money.md 2.1."""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.cli.running import AsCsv, AsJson, Author, Reason, with_hub, with_look
from croupier.cli.sentences import NotFound
from croupier.cli.show import instant, say, show_json, show_list, show_table
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.views.incidents import OpenPayment, ReviewLists, review_lists

app = typer.Typer(help="Show what needs a person, or close an incident.", invoke_without_command=True)

MOST = 200
OPEN_FOR_S = 30.0
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
    """Show open incidents, incomplete games, parked payments, and payments without an outcome with their next action."""
    if context.invoked_subcommand is not None:
        return

    async def work(hub: Hub, _: Settings) -> ReviewLists:
        return await review_lists(hub.store.db, hub.clock.now_ms() - round(open_for * 1000), MOST)

    found = with_look(work)
    if as_json:
        show_json(found)
    elif as_csv:
        show_list("To review", CSV_COLUMNS, _lines(found), as_csv=True)
    else:
        _show(found)


@app.command()
def close(
    incident_id: Annotated[int, typer.Argument(metavar="ID", help="The number that `croupier incidents` shows.")],
    *,
    reason: Reason,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Close an incident. It opens again if the same thing happens again."""

    async def work(hub: Hub, _: Settings) -> bool:
        return await hub.store.incidents.close(incident_id, author, reason)

    if not with_hub(work):
        raise NotFound(f"there is no open incident {incident_id}: `croupier incidents` shows them")
    if as_json:
        show_json({"incident_id": incident_id, "closed": True})
    else:
        say(f"Incident {incident_id} is closed.")


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
