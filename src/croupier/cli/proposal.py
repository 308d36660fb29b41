"""`croupier proposal`: decisions about money that wait for a second person. Spec: operate.md 2, decision 0101."""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import decisions
from croupier.admin_api.decisions import ProposalParams, ProposalRecord, ProposalsParams, RefuseParams
from croupier.cli.running import AsCsv, AsJson, Reason, ask
from croupier.cli.show import instant, say, show_json, show_list

app = typer.Typer(help="Approve or refuse what another person proposed.")

WAITS = "nothing is sent to the casino"
"""What waits while no hub serves."""
COLUMNS = (">id", "what", "reason", "by", "?since", "state", "??decided by", "??outcome")
Id = Annotated[int, typer.Argument(metavar="ID", help="The number that `croupier proposal list` shows.")]
Propose = Annotated[
    bool,
    typer.Option("--propose", help="Let a second person approve it first. CROUPIER_FOUR_EYES=1 asks for that always."),
]


@app.command("list")
def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were decided.")] = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show what waits for a second person."""
    found = ask(decisions.proposals, ProposalsParams(all=everything))
    if as_json:
        show_json(found)
        return
    rows = [
        (p.proposal_id, p.command, p.reason, p.made_by, instant(p.made_ms), p.state, p.decided_by, p.outcome)
        for p in found
    ]
    show_list("Proposals", COLUMNS, rows, as_csv=as_csv)


@app.command()
def approve(proposal_id: Id, *, as_json: AsJson = False) -> None:
    """Approve what another person proposed, and carry it out. CROUPIER_TOKEN holds your token."""
    _show(ask(decisions.approve, ProposalParams(proposal_id=proposal_id), waits=WAITS), as_json=as_json)


@app.command()
def refuse(proposal_id: Id, *, reason: Reason, as_json: AsJson = False) -> None:
    """Refuse a proposal, or take back your own. CROUPIER_TOKEN holds your token."""
    _show(ask(decisions.refuse, RefuseParams(proposal_id=proposal_id, reason=reason), waits=WAITS), as_json=as_json)


def say_proposed(proposal: ProposalRecord) -> None:
    """Say that a second person must approve it."""
    number = proposal.proposal_id
    say(f"Proposal {number} waits for a second person: `croupier proposal approve {number}`. Nothing was changed yet.")


def _show(done: ProposalRecord, *, as_json: bool) -> None:
    if as_json:
        show_json(done)
    else:
        say(f"Proposal {done.proposal_id} is {done.state}: {done.outcome}.")
