"""`croupier audit --trail`: verification of the audit trail up to its last signed checkpoint. Spec: money.md 5 (I12).

Owns: how that is shown, and a person's word for a trail that is right though it is not the one that was signed. Exit
code 1 if it does not verify.
"""

from __future__ import annotations

import typer

from croupier.admin_api.errors import CommandError
from croupier.cli.running import author_of, with_hub, with_look
from croupier.cli.show import instant, say, show_facts, show_json, show_table
from croupier.core.account import Role
from croupier.flows.hub import Hub
from croupier.flows.keep_trail import vouch
from croupier.kit.settings import Settings
from croupier.views.trail.verify import TrailReport, verify_trail


def show_trail(*, as_json: bool) -> None:
    """Verify the audit trail and show the result."""

    async def work(hub: Hub, _: Settings) -> TrailReport:
        return await verify_trail(hub.store.db, hub.notary)

    report = with_look(work)
    if as_json:
        show_json(report)
    else:
        _show(report)
    if not report.holds:
        raise typer.Exit(1)


def vouch_for_trail(author: str, reason: str) -> None:
    """Sign the trail as it is, on the word of a person."""

    async def work(hub: Hub, loaded: Settings) -> bool:
        return await vouch(hub, await author_of(hub, loaded, author, needed=Role.ADMINISTER), reason)

    if not with_hub(work):
        raise CommandError(
            "nothing was signed: nothing is bound yet, or another process signed at the same moment; try again"
        )


def _show(report: TrailReport) -> None:
    signed = report.signed
    facts = {
        "bound": f"{report.rows} rows in {report.links} links, the last one {instant(report.bound_ms) or 'never'}",
        "signed": None if signed is None else f"{signed.rows} rows, up to link {signed.link}, {instant(signed.at_ms)}",
        "not signed yet": f"{report.not_signed} bound rows",
        "not bound yet": ", ".join(f"{w.rows} rows of {w.table}" for w in report.waiting if w.rows) or "no row",
        "checkpoints": f"{report.checkpoints} in {report.notary}",
        "signing key": report.key_id,
    }
    show_facts("Audit trail", facts)
    for remark in report.remarks:
        say(f"Note: {remark}.")
    show_table(
        "What is not as it was bound or signed",
        ("kind", ">link", "table", ">row", "what"),
        [(b.kind, b.link, b.table, b.row_id, b.what) for b in report.breaks],
    )
    say("The trail verifies." if report.holds else "THE TRAIL IS BROKEN: see OPERATIONS, The audit trail.")
