"""`croupier audit`: every invariant that rows can prove. Exit code 1 if one does not hold. Spec: operate.md 2, money.md 5."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from croupier.admin_api import health
from croupier.admin_api.command import NoParams
from croupier.cli.audit_archives import show_deleted
from croupier.cli.audit_trail import show_trail, vouch_for_trail
from croupier.cli.progress import progress_line
from croupier.cli.running import AsJson, Author, said_for_the_books, with_look
from croupier.cli.running import ask as ask_hub
from croupier.cli.show import instant, say, show_json, show_table
from croupier.core.money import format_amount
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.views.audit.auditor import INVARIANTS, InvariantResult
from croupier.views.audit.auditor import audit as ask
from croupier.views.sums import sums, totals


def audit(
    *,
    trail: Annotated[
        bool, typer.Option("--trail", help="Check the audit trail alone, and show everything about it.")
    ] = False,
    vouch: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            callback=said_for_the_books,
            help="With --trail: sign the trail as it is, whatever was signed before. Use it after a restore from a backup.",
        ),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Show also the part of each invariant that rows cannot prove.")
    ] = False,
    last: Annotated[
        bool,
        typer.Option("--last", help="Show what the serving hub's continuous auditor found last, without a new check."),
    ] = False,
    archives: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Check that the archive files of this directory hold every entry and event that was deleted.",
        ),
    ] = None,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Check the books: every invariant that rows can prove. Exit code 1 if one does not hold."""
    if vouch is not None and not trail:
        raise typer.BadParameter("goes with --trail", param_hint="--vouch")
    if last and (trail or whole):
        raise typer.BadParameter("goes with neither --trail nor --all", param_hint="--last")
    if archives is not None and (trail or whole or last):
        raise typer.BadParameter("goes with no other check", param_hint="--archives")
    if archives is not None:
        raise typer.Exit(show_deleted(archives, as_json=as_json))
    if last:
        raise typer.Exit(_show_last(as_json=as_json))
    if trail:
        if vouch is not None:
            vouch_for_trail(author, vouch)
        show_trail(as_json=as_json)
        return

    async def work(hub: Hub, _: Settings) -> tuple[list[InvariantResult], dict[str, str]]:
        found = totals(await sums(hub.store.db))
        texts = {currency: format_amount(total, currency) for currency, total in found.items()}
        return await ask(hub.store.db, notary=hub.notary, tell=tell), texts

    with progress_line("Adding up the ledger", as_json=as_json) as tell:
        findings, added_up = with_look(work)
    raise typer.Exit(_show(findings, added_up, whole=whole, as_json=as_json))


def _show_last(*, as_json: bool) -> int:
    """Show what the continuous auditor found last, and return the exit code."""
    found = ask_hub(health.last_audit, NoParams())
    if as_json:
        show_json(found)
        return 0 if found.holds else 1
    says = {one.name: one.says for one in INVARIANTS}
    rows = [
        (
            one.invariant,
            "BROKEN" if one.violations else "holds",
            one.violations,
            instant(one.at_ms),
            says.get(one.invariant),
        )
        for one in found.invariants
    ]
    show_table("Last checks", ("", "result", "?>violations", "checked", "??what must hold"), rows)
    say(f"All bets and cashbacks were checked once more by {instant(found.whole_ms) or 'no time yet'}.")
    return 0 if found.holds else 1


def _show(findings: list[InvariantResult], added_up: dict[str, str], *, whole: bool, as_json: bool) -> int:
    """Show the findings, and return the exit code."""
    holds = not any(finding.violations for finding in findings)
    if as_json:
        show_json({"holds": holds, "ledger_totals": added_up, "invariants": findings})
        return 0 if holds else 1
    columns = ("", "result", "what must hold", "not shown by rows")[: 4 if whole else 3]
    show_table("Invariants", columns, [_line(finding)[: len(columns)] for finding in findings])
    show_table(
        "Violations",
        ("", ">bet or cashback", "what"),
        [(finding.name, v.subject_id, v.what) for finding in findings for v in finding.violations],
    )
    show_table("All accounts of the ledger add up to", ("", ">total"), list(added_up.items()))
    return 0 if holds else 1


def _line(finding: InvariantResult) -> tuple[str, str, str, str | None]:
    result = "BROKEN" if finding.violations else "holds" if finding.checked else "not asked"
    return finding.name, result, finding.says, (finding.unseen or "").removeprefix("not shown by rows: ") or None
