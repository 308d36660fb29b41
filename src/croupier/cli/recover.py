"""`croupier recover`: recovery mode after a restore from a backup. Spec: money.md 4.6, operate.md 2.

Owns: the options and the output. Never: the work (admin_api.recovery), or what recovery does (flows.recovery).
"""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import recovery
from croupier.admin_api.command import NoParams
from croupier.admin_api.recovery import MOST_S, BeginParams, EndParams, RecoveryState
from croupier.cli.running import AsJson, Author, Reason, ask
from croupier.cli.show import instant, say, show_facts, show_json, show_table
from croupier.core.recovery import LARGEST_ID
from croupier.flows.recovery import LOOK_BACK_S
from croupier.store.oversight.recoveries import Recovery, Share

app = typer.Typer(help="Enter, show and leave recovery mode: no new bets until what a restore lost is reconciled.")


@app.command()
def begin(
    *,
    reason: Reason,
    author: Author,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", help="Time of the backup in UTC, such as 2025-11-01T03:00:00; by default the last bet."
        ),
    ] = None,
    look_back: Annotated[
        int,
        typer.Option(
            "--look-back", min=0, max=MOST_S, help="Seconds before that time from which ended bets are compared too."
        ),
    ] = LOOK_BACK_S,
    last_id: Annotated[
        int | None, typer.Option("--last-id", min=1, max=LARGEST_ID, help="The highest BetId that a peer has seen.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Enter recovery mode, if the hub has not noticed a restore by itself. A running hub follows within 1 s."""
    wish = BeginParams(reason=reason, since=since, look_back=look_back, last_id=last_id)
    _tell(ask(recovery.begin, wish, author=author, waits="nothing is compared"), as_json=as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show the progress of recovery and what it waits for."""
    found = ask(recovery.status, NoParams())
    last = found.last
    if as_json or found.active:
        _tell(found, as_json=as_json)
    elif not isinstance(last, Recovery):
        say("There is no recovery, and there was none.")
    else:
        say(f"There is no recovery. The last one ended {instant(last.ended_ms)} by {last.ended_by}: {last.end_reason}")


@app.command()
def end(*, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Take new bets again before everything is reconciled. You must compare the rest yourself."""
    done = ask(recovery.end, EndParams(reason=reason), author=author)
    if as_json:
        show_json(done)
    else:
        say("Recovery is over: new bets are taken within a second.")


def _tell(found: RecoveryState, *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    now, shares = found.recovery, found.casinos
    assert isinstance(now, Recovery)
    assert isinstance(shares, tuple)
    show_facts("Recovery is on: no new bets at casinos that are not compared yet", {
        "because": now.why, "begun": f"{instant(now.begun_ms)} by {now.begun_by}",
        "the backup ends": instant(now.since_ms), "ids go on at": now.ids_next,
        "lost ids between": f"{now.ids_from} and {now.ids_to}",
    })  # fmt: skip
    show_table(
        "Compared",
        ("casino", ">bets", ">compared", ">lost ids to query", "takes new bets"),
        [(s.casino, s.bets, s.compared, _to_ask(s), "yes" if s.done else "not yet") for s in shares],
    )
    for line in found.waits_for or ():
        say(f"- {line}")
    say("The protocol has no query for cashbacks: compare those since the backup by hand.")


def _to_ask(share: Share) -> str | int:
    return share.to_probe if share.info else "no info call"
