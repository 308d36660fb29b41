"""`croupier trace`: everything one bet or cashback did, on both sides, in order. Spec: operate.md 2."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from croupier.admin_api import look
from croupier.admin_api.look import TraceParams
from croupier.cli.running import AsJson, ask
from croupier.cli.show import instant, say, show_facts, show_json, show_table
from croupier.views.trace import Moment, Trace


def trace(
    which: Annotated[
        str | None, typer.Argument(metavar="[BETID]", help="A BetId, a CashbackId, or provider:betId.")
    ] = None,
    *,
    round_ref: Annotated[str | None, typer.Option("--round", help="The bet of this round.")] = None,
    last: Annotated[str | None, typer.Option("--last", metavar="PLAYER", help="The last bet of this player.")] = None,
    transaction: Annotated[
        str | None,
        typer.Option("--transaction", metavar="ID", help="The bet or cashback of this transaction of a casino."),
    ] = None,
    casino: Annotated[str | None, typer.Option("--casino", help="The casino, if several know the same id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show everything one bet or cashback did, on both sides, in order."""
    if sum(one is not None for one in (which, round_ref, last, transaction)) != 1:
        raise typer.BadParameter("give one of BETID, --round, --last and --transaction")
    wish = TraceParams(bet=which, round_ref=round_ref, last=last, transaction=transaction, casino=casino)
    found = ask(look.trace, wish)
    if as_json:
        show_json(found)
    else:
        _show(found)


def _show(found: Trace) -> None:
    about = {k: v for k, v in msgspec.to_builtins(found.subject).items() if not k.endswith("_ms")}
    subject = found.subject
    times = {"created": instant(subject.created_ms), "ended": instant(subject.ended_ms)}
    show_facts(f"{subject.thing.capitalize()} {subject.subject_id}", {**about, **times})
    if found.archived is not None:
        where = found.archived
        say(
            f"Its entries and events were deleted after {instant(where.at_ms)} by {where.author}: they are in part {where.part} of the "
            f"archive of {(instant(where.before_ms) or '')[:10]}, SHA-256 {where.sha256}."
        )
    if found.told:
        rows = [(t.request, t.answer, t.balance) for t in found.told]
        show_table("The provider is told", ("to its", "answer", ">balance"), rows)
    show_table("What happened", ("at (UTC)", "event", "then it was", "facts"), map(_moment, found.moments))
    show_table(
        "Ledger",
        (">version", "from", "to", ">amount", "why", "by"),
        [(m.version, e.source, e.target, e.amount, e.why, e.author) for m in found.moments for e in m.entries],
    )
    _show_payments(found)
    show_table(
        "Incidents",
        (">id", "what", ">times", "last", "closed", "note"),
        [(i.incident_id, i.name, i.times, instant(i.last_ms), instant(i.closed_ms), i.note) for i in found.incidents],
    )


def _show_payments(found: Trace) -> None:
    show_table(
        "Payments",
        ("payment", ">amount", ">tax", "state", "casino's id", "the casino said"),
        [
            (p.payment, p.amount, p.tax, p.state, p.partner_tx, None if p.code is None else f"{p.code} {p.message}")
            for p in found.payments
        ],
    )
    show_table(
        "Next actions",
        ("of", "what", "at (UTC)", ">failures", "in the hands of"),
        [(c.slot, c.step, instant(c.due_ms), c.failures, c.lease_owner) for c in found.calls],
    )


def _moment(moment: Moment) -> tuple[str | None, ...]:
    facts = [f"{name}={value}" for name, value in moment.detail.items()]
    if moment.author is not None:
        facts.append(f"author={moment.author}")
    return instant(moment.at_ms), moment.event, moment.state, " ".join(facts)
