"""`croupier trace`: everything one bet or cashback did, on both sides, in order. Spec: operate.md 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import typer

from croupier.cli.find import casino_of
from croupier.cli.running import AsJson, with_look
from croupier.cli.sentences import NotFound
from croupier.cli.show import instant, show_facts, show_json, show_table
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.views.subjects import bet_of_round, last_bet, subject_of_transaction
from croupier.views.trace import Moment, Trace
from croupier.views.trace import trace as story


@dataclass(frozen=True, slots=True)
class _Which:
    subject: str | None
    round_ref: str | None
    last: str | None
    transaction: str | None
    casino: str | None

    def check(self) -> None:
        """Check that one thing is named. Raises typer.BadParameter."""
        if sum(one is not None for one in (self.subject, self.round_ref, self.last, self.transaction)) != 1:
            raise typer.BadParameter("give one of BETID, --round, --last and --transaction")
        if self.subject is not None and self.casino is not None:
            raise typer.BadParameter("--casino goes with --round, --last and --transaction")


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
    wanted = _Which(which, round_ref, last, transaction, casino)
    wanted.check()

    async def work(hub: Hub, _: Settings) -> Trace | None:
        named = await _named(hub, wanted)
        return None if named is None else await story(hub.store.db, named)

    found = with_look(work)
    if found is None:
        raise NotFound(_missing(wanted))
    if as_json:
        show_json(found)
    else:
        _show(found)


async def _named(hub: Hub, wanted: _Which) -> str | None:
    """Return the id of the bet or cashback. Raises SeveralFound, CommandError."""
    if wanted.subject is not None:
        return wanted.subject
    db, casino_id = hub.store.db, None if wanted.casino is None else (await casino_of(hub, wanted.casino)).casino_id
    if wanted.round_ref is not None:
        number = await bet_of_round(db, wanted.round_ref, casino_id)
    elif wanted.last is not None:
        number = await last_bet(db, wanted.last, casino_id)
    else:
        number = await subject_of_transaction(db, wanted.transaction or "", casino_id)
    return None if number is None else str(number)


def _missing(wanted: _Which) -> str:
    if wanted.round_ref is not None:
        return f"there is no bet of round {wanted.round_ref[:200]!r}: `croupier bet list` shows bets with their rounds"
    if wanted.last is not None:
        return f"there is no bet of player {wanted.last[:200]!r}: `croupier bet list` shows bets with their players"
    if wanted.transaction is not None:
        return (
            f"no casino accepted a payment as {wanted.transaction[:200]!r}: `croupier payment list` shows payments with "
            "the casinos' ids"
        )
    return f"there is no bet or cashback {str(wanted.subject)[:200]!r}: give a BetId, a CashbackId or provider:betId"


def _show(found: Trace) -> None:
    about = {k: v for k, v in msgspec.to_builtins(found.subject).items() if not k.endswith("_ms")}
    subject = found.subject
    times = {"created": instant(subject.created_ms), "ended": instant(subject.ended_ms)}
    show_facts(f"{subject.thing.capitalize()} {subject.subject_id}", {**about, **times})
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
