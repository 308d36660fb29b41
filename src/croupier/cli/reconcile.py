"""`croupier reconcile`: compare the hub's books with a casino's, and list the differences. Spec: money.md 8.

Owns: the words. Never: a rule. Exit code 1 where a casino did not answer, and otherwise 3 while a finding is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from croupier.admin_api import comparisons, oversight
from croupier.admin_api.comparisons import CompareBetParams
from croupier.admin_api.days import DAY_MS, day_ms
from croupier.admin_api.oversight import FindingsParams
from croupier.cli.close_options import Closed, CloseWish, closes
from croupier.cli.progress import progress_line
from croupier.cli.running import WAITS_FOR_A_PERSON, AsCsv, AsJson, ask, desk_of, settings, with_hub, with_look
from croupier.cli.show import instant, say, show_json, show_list, show_table
from croupier.core.reconciliation import Difference
from croupier.flows.hub import Hub
from croupier.flows.rate_limit import compare_all
from croupier.flows.reconcile import BetComparison, ComparisonResult
from croupier.kit.progress import Tell
from croupier.kit.settings import Settings
from croupier.store.oversight.findings import Finding

app = typer.Typer(help="Compare hub, casino and provider, bet by bet.", invoke_without_command=True)

MOST = 200
COLUMNS = (
    ">id", ">bet", "?casino", "what differs", "??seen", "the hub says", "the casino says", "?the provider was told", "??last",
)  # fmt: skip
TO_DO = {
    Difference.BOOKED_TWICE: "ask the casino to take one booking back; money moved twice in its wallet",
    Difference.NOT_IN_HUB: "ask the casino who ordered it; after a restore see `croupier recover status`",
    Difference.FORGOTTEN: "ask the casino for its books of the bet; the hub keeps the accept that it got",
    Difference.BOOKED_AFTER_ALL: "have the casino undo it, or `croupier payment accept` takes it as booked",
    Difference.AMOUNT: "compare with the casino and have it correct its booking",
    Difference.PLAYER: "compare with the casino; it booked for another player",
    Difference.TAX: "compare with the casino; it withheld another tax than the hub stated",
    Difference.NUMBER: "ask the casino which of its numbers is the booking",
    Difference.TOLD: "look at `croupier trace`; agree with the provider",
    Difference.UNKNOWN_BET: "the hub lost this bet: ask the provider, then have the casino undo it",
}
"""The advice for each kind of finding, in one line."""


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The result of the command: what was compared and what is open now."""

    asked: bool
    """False if only the findings were listed."""
    compared: Sequence[BetComparison]
    not_asked: int
    cashbacks: int | None
    """Number of the day's cashbacks, for which the protocol has no query. None without --day."""
    findings: Sequence[Finding]
    open_findings: int

    @property
    def whole(self) -> bool:
        """Return whether every casino that was queried answered."""
        return not self.not_asked and all(one.result is not ComparisonResult.UNUSABLE for one in self.compared)

    @property
    def holds(self) -> bool:
        """Return whether every compared bet agrees and no finding is open."""
        return self.whole and not self.open_findings


@dataclass(frozen=True, slots=True)
class _Wish:
    casino: str | None
    day: str | None
    open_window: bool
    per_second: int | None


@app.callback()
def reconcile(
    context: typer.Context,
    *,
    casino: Annotated[str | None, typer.Option("--casino", help="Id or name of the casino.")] = None,
    day: Annotated[
        str | None,
        typer.Option("--day", help="Compare every bet of the casino made on this day, such as 2025-11-01, in UTC."),
    ] = None,
    open_window: Annotated[
        bool, typer.Option("--open", help="Compare every bet that is not over, of the casino or of all.")
    ] = False,
    bet: Annotated[
        str | None,
        typer.Option(
            "--bet", help="Compare one bet: BetId or provider:betId. With --casino it may be unknown to the hub."
        ),
    ] = None,
    per_second: Annotated[
        int | None,
        typer.Option("--per-second", min=1, max=1000, help="Maximum number of queries to a casino per second."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare, repair what a rule repairs, and list the rest. Without --day, --open or --bet, list the open findings.

    Exit code 3 while a finding is open, 1 where a casino did not answer.
    """
    if context.invoked_subcommand is not None:
        return
    if day is not None and casino is None:
        raise typer.BadParameter("--day needs --casino")
    if sum((day is not None, open_window, bet is not None)) > 1:
        raise typer.BadParameter("give one of --day, --open and --bet")
    if bet is not None:
        one = ask(comparisons.compare_bet, CompareBetParams(bet=bet, casino=casino))
        done = _Comparison(True, one.compared, one.not_asked, None, one.findings, one.open_findings)
    else:
        done = _here(_Wish(casino, day, open_window, per_second), as_json=as_json)
    if as_json:
        show_json(_report(done))
    else:
        _show(done)
    if not done.holds:
        raise typer.Exit(WAITS_FOR_A_PERSON if done.whole else 1)


@app.command("list")
def list_(
    *,
    casino: Annotated[str | None, typer.Option("--casino", help="Id or name of the casino.")] = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show the open findings, and nothing else. Exit code 3 if there are any."""
    findings = ask(oversight.findings, FindingsParams(casino=casino))
    if as_json:
        show_json(findings)
    else:
        show_list("Open findings", COLUMNS, _finding_lines(findings), as_csv=as_csv)
    if findings:
        raise typer.Exit(WAITS_FOR_A_PERSON)


@app.command()
@closes
def close(wish: CloseWish) -> None:
    """Close findings, by their ids or all that a filter fits. The same difference does not open one again; another does."""
    done = ask(oversight.close_findings, wish.params, author=wish.author)
    if done.dry_run and not wish.as_json:
        show_table("Chosen", COLUMNS, _finding_lines(done.chosen))
    chosen = [one.finding_id for one in done.chosen]
    Closed(chosen, done.closed, done.dry_run).show("finding", as_json=wish.as_json)


# --- comparison -------------------------------------------------------------------------------------------------


def _here(wish: _Wish, *, as_json: bool) -> _Comparison:
    """Compare many bets, or only list the findings, in this process."""

    async def work(hub: Hub, _: Settings) -> _Comparison:
        if wish.per_second is not None:
            hub.process_settings = replace(hub.process_settings, compare_per_s=wish.per_second)
        return await _asked(hub, wish, tell)

    with progress_line("Reading the books", as_json=as_json) as tell:
        return with_hub(work) if wish.open_window or wish.day is not None else with_look(work)


async def _asked(hub: Hub, wish: _Wish, tell: Tell) -> _Comparison:
    casino_id = None if wish.casino is None else (await desk_of(hub, settings()).casino(wish.casino)).casino_id
    compared, left, cashbacks = await _compared(hub, wish, casino_id, tell=tell)
    casino_ids = None if casino_id is None else (casino_id,)
    findings = await hub.store.findings.open_ones(MOST, casino_ids=casino_ids)
    asked = wish.open_window or wish.day is not None
    number = await hub.store.findings.count(casino_ids=casino_ids)
    return _Comparison(asked, compared, left, cashbacks, findings, number)


async def _compared(
    hub: Hub, wish: _Wish, casino_id: int | None, *, tell: Tell
) -> tuple[list[BetComparison], int, int | None]:
    """Return what was compared, how much was not, and the day's cashbacks."""
    store = hub.store.comparisons
    if wish.day is not None:
        assert casino_id is not None
        start_ms = day_ms(wish.day, "day")
        bets = await store.of_day(casino_id, start_ms, start_ms + DAY_MS)
        compared, left = await compare_all(hub, [(bet_id, casino_id) for bet_id in bets], tell=tell)
        return compared, left, await store.cashbacks(casino_id, start_ms, start_ms + DAY_MS)
    if wish.open_window:
        return *(await compare_all(hub, await store.open_window(casino_id), tell=tell)), None
    return [], 0, None


# --- output ------------------------------------------------------------------------------------------------


def _report(done: _Comparison) -> dict[str, Any]:
    counts = Counter(one.result.value for one in done.compared)
    return {
        "holds": done.holds,
        "compared": len(done.compared),
        **{result.value: counts[result.value] for result in ComparisonResult},
        "not_asked": done.not_asked,
        "cashbacks_not_comparable": done.cashbacks,
        "mended": [{"BetId": one.bet_id, "rules": one.rules} for one in done.compared if one.rules],
        "unusable_answers": [
            {"BetId": one.bet_id, "why": one.why} for one in done.compared if one.result is ComparisonResult.UNUSABLE
        ],
        "open_findings": done.open_findings,
        "findings": done.findings,
    }


def _show(done: _Comparison) -> None:
    if done.asked:
        counts = Counter(one.result for one in done.compared)
        parts = [f"{counts[result]} {result.value}" for result in ComparisonResult if counts[result]]
        say(
            f"Compared {len(done.compared)}: {', '.join(parts) or 'there was nothing to compare'}. Not asked: {done.not_asked}."
        )
    if done.not_asked:
        say("The casino does not answer: run it again when it does.")
    if done.cashbacks:
        say(f"{done.cashbacks} cashbacks cannot be compared: no call asks a casino after one.")
    _show_mended([one for one in done.compared if one.rules])
    _show_unusable([one for one in done.compared if one.result is ComparisonResult.UNUSABLE])
    _show_findings(done.findings, done.open_findings)


def _show_mended(mended: Sequence[BetComparison]) -> None:
    if mended:
        show_table("Mended", (">bet", "by rule"), [(one.bet_id, one.rules) for one in mended[:MOST]])


def _show_unusable(unusable: Sequence[BetComparison]) -> None:
    if unusable:
        show_table("Answers that say nothing", (">bet", "why"), [(one.bet_id, one.why) for one in unusable[:MOST]])


def _show_findings(findings: Sequence[Finding], number: int) -> None:
    show_table("Open findings", COLUMNS, _finding_lines(findings))
    names = {f.name for f in findings}
    for difference, words in TO_DO.items():
        if difference.value in names:
            say(f"{difference.value}: {words}.")
    if findings:
        say("When it is settled: `croupier reconcile --bet BETID` (closes what agrees), or "
            "`croupier reconcile close ID --reason TEXT`.")  # fmt: skip
    if number > len(findings):
        say(f"{number - len(findings)} more are open.")


def _finding_lines(findings: Sequence[Finding]) -> list[tuple[object, ...]]:
    return [
        (f.finding_id, f.subject_id or None, f.casino, f"{f.about}: {f.name}", f.words, _hub_says(f),
         _casino_says(f), _provider_says(f), instant(f.last_ms))
        for f in findings
    ]  # fmt: skip


def _hub_says(finding: Finding) -> str | None:
    hub = finding.evidence.get("hub")
    if hub is None:
        return "nothing"
    payments = [f"{p['kind']} {p['amount']} {p['state']}" for p in hub["payments"]]
    return f"{hub['state']}: {'; '.join(payments) or 'no payments'}"


def _casino_says(finding: Finding) -> str | None:
    lines = finding.evidence.get("casino")
    if lines is None:
        return None
    return "; ".join(f"{p['kind']} {p['amount']} {p['player']} {p['number']}" for p in lines) or "nothing"


def _provider_says(finding: Finding) -> str | None:
    told = finding.evidence.get("provider")
    if told is None:
        return None
    answers = [f"{verb} {told[verb]}" for verb in ("pay_in", "pay_out", "refund") if told.get(verb) is not None]
    return ", ".join(answers) or "nothing"
