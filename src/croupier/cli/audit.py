"""`croupier audit`: every invariant that rows can show. Exit code 1 if one does not hold. Spec: operate.md, money.md 5."""

from __future__ import annotations

from typing import Any

import typer

from croupier.cli.running import AsJson, with_hub
from croupier.cli.show import show_json, show_table
from croupier.core.money import format_amount
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.views.audit import Finding
from croupier.views.audit import audit as ask
from croupier.views.sums import sums, totals


def audit(as_json: AsJson = False) -> None:
    """Check the books: every invariant that rows can show. Exit code 1 if one does not hold."""

    async def work(hub: Hub, _: Settings) -> tuple[list[Finding], dict[str, str]]:
        found = totals(await sums(hub.store.db))
        texts = {currency: format_amount(total, currency) for currency, total in found.items()}
        return await ask(hub.store.db), texts

    findings, added_up = with_hub(work)
    if as_json:
        show_json(_report(findings, added_up))
    else:
        _show(findings, added_up)
    if any(finding.violations for finding in findings):
        raise typer.Exit(1)


def _report(findings: list[Finding], added_up: dict[str, str]) -> dict[str, Any]:
    holds = not any(finding.violations for finding in findings)
    return {"holds": holds, "ledger_totals": added_up, "invariants": findings}


def _show(findings: list[Finding], added_up: dict[str, str]) -> None:
    show_table(
        "Invariants", ("", "result", "what must hold", "not shown by rows"), [_line(finding) for finding in findings]
    )
    show_table(
        "Violations",
        ("", ">bet or cashback", "what"),
        [(finding.name, v.subject_id, v.what) for finding in findings for v in finding.violations],
    )
    show_table("All accounts of the ledger add up to", ("", ">total"), list(added_up.items()))


def _line(finding: Finding) -> tuple[str, str, str, str | None]:
    result = "BROKEN" if finding.violations else "holds" if finding.checked else "not asked"
    return finding.name, result, finding.says, (finding.unseen or "").removeprefix("not shown by rows: ") or None
