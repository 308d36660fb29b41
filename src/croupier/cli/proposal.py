"""`croupier proposal`: decisions about money that wait for a second person. Spec: operate.md 2, decision 0101."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from croupier.cli.running import AsCsv, AsJson, Reason, with_hub, with_look
from croupier.cli.show import instant, say, show_json, show_list
from croupier.cli.signed_in import signed_in
from croupier.core.account import Account, Role
from croupier.core.proposal import PersonAct, Proposal
from croupier.flows import proposals
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings

app = typer.Typer(help="Approve or refuse what another person proposed.")

MOST = 200
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

    async def work(hub: Hub, _: Settings) -> list[Proposal]:
        return await hub.store.proposals.newest(MOST, decided=everything)

    found = with_look(work)
    if as_json:
        show_json([facts(one) for one in found])
        return
    rows = [
        (
            p.proposal_id,
            p.what.words,
            p.what.reason,
            p.made_by,
            instant(p.made_ms),
            p.state.value,
            p.decided_by,
            p.outcome,
        )
        for p in found
    ]
    show_list("Proposals", COLUMNS, rows, as_csv=as_csv)


@app.command()
def approve(proposal_id: Id, *, as_json: AsJson = False) -> None:
    """Approve what another person proposed, and carry it out. CROUPIER_TOKEN holds your token."""

    async def work(hub: Hub, person: Account) -> Proposal:
        return await proposals.approve(hub, proposal_id, person)

    _decide(work, as_json=as_json)


@app.command()
def refuse(proposal_id: Id, *, reason: Reason, as_json: AsJson = False) -> None:
    """Refuse a proposal, or take back your own. CROUPIER_TOKEN holds your token."""

    async def work(hub: Hub, person: Account) -> Proposal:
        return await proposals.refuse(hub, proposal_id, person, reason=reason)

    _decide(work, as_json=as_json)


async def proposed(hub: Hub, settings: Settings, what: PersonAct) -> Proposal:
    """Propose an act in the name of the person who runs the command. Raises CommandError, CannotDo."""
    return await proposals.propose(hub, what, await signed_in(hub, settings, Role.DECIDE))


def show_proposed(proposal: Proposal, *, as_json: bool) -> None:
    """Say that a second person must approve it."""
    if as_json:
        show_json({"proposal": facts(proposal)})
    else:
        number = proposal.proposal_id
        say(
            f"Proposal {number} waits for a second person: `croupier proposal approve {number}`. Nothing was changed yet."
        )


def facts(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal for programs."""
    return {
        "proposal_id": proposal.proposal_id,
        "command": proposal.what.words,
        "reason": proposal.what.reason,
        "state": proposal.state.value,
        "made_by": proposal.made_by,
        "made_ms": proposal.made_ms,
        "expires_ms": proposal.expires_ms,
        "decided_by": proposal.decided_by,
        "decided_ms": proposal.decided_ms,
        "outcome": proposal.outcome,
    }


def _decide(work: Callable[[Hub, Account], Awaitable[Proposal]], *, as_json: bool) -> None:
    async def as_person(hub: Hub, settings: Settings) -> Proposal:
        return await work(hub, await signed_in(hub, settings, Role.DECIDE))

    done = with_hub(as_person, waits="nothing is sent to the casino")
    if as_json:
        show_json(facts(done))
    else:
        say(f"Proposal {done.proposal_id} is {done.state.value}: {done.outcome}.")
