"""`croupier recover`: recovery mode after a restore from a backup. Spec: money.md 4.6, operate.md 2.

Owns: the words. Never: what recovery does (flows.recovery).
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from croupier.admin_api.days import time_ms
from croupier.admin_api.errors import CommandError
from croupier.cli.running import AsJson, Author, Reason, with_hub, with_look
from croupier.cli.show import instant, say, show_facts, show_json, show_table
from croupier.core.recovery import Mark
from croupier.flows import recovery
from croupier.flows.hub import Hub
from croupier.flows.recovery import LOOK_BACK_S, RecoveryProgress
from croupier.kit.settings import Settings
from croupier.store.oversight.recoveries import Recovery, Share

app = typer.Typer(help="Enter, show and leave recovery mode: no new bets until what a restore lost is reconciled.")

MOST_S = 366 * 86_400


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
        int | None, typer.Option("--last-id", min=1, max=2**53 - 1, help="The highest BetId that a peer has seen.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Enter recovery mode, if the hub has not noticed a restore by itself. A running hub follows within 1 s."""
    since_ms = None if since is None else time_ms(since, "since") // 1000 * 1000
    seen = None if last_id is None else Mark(0, 0, last_id)

    async def work(hub: Hub, _: Settings) -> RecoveryProgress | None:
        begun = await recovery.begin(hub, reason, by=author, since_ms=since_ms, seen=seen, look_back_s=look_back)
        return None if begun is None else await recovery.progress(hub, begun)

    found = with_hub(work, waits="nothing is compared")
    if found is None:
        raise CommandError("recovery is on already: `croupier recover status` shows how far it is")
    _tell(found, as_json=as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show the progress of recovery and what it waits for."""

    async def work(hub: Hub, _: Settings) -> tuple[RecoveryProgress | None, Recovery | None]:
        active = await hub.store.recoveries.active()
        return None if active is None else await recovery.progress(hub, active), await hub.store.recoveries.last()

    found, last = with_look(work)
    if found is not None:
        _tell(found, as_json=as_json)
    elif as_json:
        show_json({"active": False, "last": last})
    elif last is None:
        say("There is no recovery, and there was none.")
    else:
        say(f"There is no recovery. The last one ended {instant(last.ended_ms)} by {last.ended_by}: {last.end_reason}")


@app.command()
def end(*, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Take new bets again before everything is reconciled. You must compare the rest yourself."""

    async def work(hub: Hub, _: Settings) -> bool:
        active = await hub.store.recoveries.active()
        return active is not None and await recovery.end(hub, active, by=author, reason=reason)

    if not with_hub(work):
        raise CommandError("there is no recovery to end")
    if as_json:
        show_json({"active": False})
    else:
        say("Recovery is over: new bets are taken within a second.")


def _tell(found: RecoveryProgress, *, as_json: bool) -> None:
    if as_json:
        show_json(_report(found))
        return
    now = found.recovery
    show_facts("Recovery is on: no new bets at casinos that are not compared yet", {
        "because": now.why, "begun": f"{instant(now.begun_ms)} by {now.begun_by}",
        "the backup ends": instant(now.since_ms), "ids go on at": now.ids_next,
        "lost ids between": f"{now.ids_from} and {now.ids_to}",
    })  # fmt: skip
    show_table(
        "Compared",
        ("casino", ">bets", ">compared", ">lost ids to query", "takes new bets"),
        [(s.casino, s.bets, s.compared, _to_ask(s), "yes" if s.done else "not yet") for s in found.shares],
    )
    for line in _waits_for(found):
        say(f"- {line}")
    say("The protocol has no query for cashbacks: compare those since the backup by hand.")


def _to_ask(share: Share) -> str | int:
    return share.to_probe if share.info else "no info call"


def _waits_for(found: RecoveryProgress) -> list[str]:
    lines = []
    if not found.settled:
        lines.append("calls in flight may still arrive; the comparison begins in a few seconds")
    if found.to_compare:
        lines.append(f"{found.to_compare} bets are still to be compared")
    if found.to_probe:
        lines.append(f"{found.to_probe} queries of lost ids are still to be sent")
    if found.standing:
        lines.append(
            f"{found.standing} bets are asked or unclaimed: their provider may have got the answer that they are on. Its"
            " pay-out, refund or retry ends that; so does `croupier bet return` or `bet settle`"
        )
    if found.lost_bets:
        lines.append(
            f"{found.lost_bets} bets are known to a peer and lost here: `croupier reconcile` shows them; close each when settled"
        )
    if found.without_info and found.to_compare:
        lines.append(f"{', '.join(found.without_info)} cannot be queried: compare by hand, then `croupier recover end`")
    return lines or ["nothing: it ends at the next check of a serving hub"]


def _report(found: RecoveryProgress) -> dict[str, Any]:
    return {
        "active": True,
        "recovery": found.recovery,
        "casinos": found.shares,
        "to_compare": found.to_compare,
        "to_probe": found.to_probe,
        "standing": found.standing,
        "lost_bets": found.lost_bets,
        "waits_for": _waits_for(found),
    }
