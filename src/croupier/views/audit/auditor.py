"""The auditor: every invariant of money.md 5, checked against one snapshot of the database.

Owns: the list of invariants, what rows can show of each, and the run. Never: writes, repairs, or calls the code that it
audits. Spec: money.md 5 and 6, operate.md 2 (`croupier audit`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from croupier.kit.progress import Tell, tell_nobody
from croupier.kit.signed_lines import SignedLines
from croupier.store.db import Db, Tx
from croupier.views.audit import jackpots, ledger, life_cycles
from croupier.views.audit.slices import FIRST, LAST, parts, plan_by_parts, set_plan_for
from croupier.views.audit.violations import QueryScope, SubjectRange, Violation
from croupier.views.trail.verify import verify_trail

MOST = 100
InvariantQuery = Callable[[Tx, QueryScope], Awaitable[list[Violation]]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One invariant. `query` is None where rows cannot show it; `unseen` says what they do not show, and why."""

    name: str
    says: str
    query: InvariantQuery | None
    unseen: str | None = None


@dataclass(frozen=True, slots=True)
class InvariantResult:
    """The result of one invariant's query."""

    name: str
    says: str
    checked: bool
    """False where rows cannot show it, so that nothing was queried."""
    unseen: str | None
    violations: tuple[Violation, ...]
    """Empty if the invariant holds; cut at the requested number."""


_LEDGER, _LIVES = ledger, life_cycles
TRAIL = "I12"

INVARIANTS: tuple[Invariant, ...] = (
    Invariant("I1", "an entry moves one amount between two accounts, in one transition of its subject", _LEDGER.i1),
    Invariant(
        "I2",
        "a wallet changes by its accepted payments",
        None,
        "left out: the wallets are the casinos', so reconciliation compares them",
    ),
    Invariant(
        "I3",
        "what the provider was told equals what is stored",
        _LIVES.i3,
        "the bytes that went out: what is stored is what repeats get",
    ),
    Invariant(
        "I4", "every bet ends, or stands in a list", _LIVES.i4, "how long it takes: that depends on the peers' faults"
    ),
    Invariant(
        "I5",
        "one effective movement per payment, one return per stake",
        _LEDGER.i5,
        "what a casino booked without saying so: reconciliation asks it",
    ),
    Invariant("I6", "yes to a provider only after the acceptance", _LIVES.i6, "the moment at which the answer left"),
    Invariant(
        "I7",
        "a bet refused or refunded nets 0 at the casino, or the difference is named",
        _LEDGER.i7,
        "what a casino booked without saying so: reconciliation asks it",
    ),
    Invariant("I8", "no payout before acceptance, after a return or on a tombstone", _LIVES.i8),
    Invariant(
        "I9",
        "same id, same contents: the same answer; other contents change nothing",
        _LIVES.i9,
        "requests that were refused: they leave no rows",
    ),
    Invariant("I10", "an undecided payment has exactly one next action", _LIVES.i10),
    Invariant(
        "I11",
        "transitions go along the table",
        _LIVES.i11,
        "a payment's states before its present one: the database's trigger judged them as they were written",
    ),
    Invariant(
        TRAIL,
        "the audit chain verifies to its last signed checkpoint",
        None,
        "not shown by rows: it is asked where the signed checkpoints are at hand",
    ),
    Invariant("I13", "open-bets equals the stakes of the bets that are on", _LEDGER.i13),
    Invariant(
        "I14",
        "no answer to one counterparty contains another's row",
        _LIVES.i14,
        "the answers themselves: rows show that nothing hangs on another's row",
    ),
    Invariant(
        "I15",
        "no float touches an amount",
        _LIVES.i15,
        "the code between the wire and the rows: its types and tests hold that",
    ),
    Invariant("I16", "every request is answered inside its hold time", None, "not shown by rows: answers have no row"),
    Invariant(
        "I17", "calls never exceed the schedule", None, "not shown by rows: a call that was made and repeated has none"
    ),
    Invariant(
        "I18", "clock skew changes only latency", None, "not shown by rows: it compares two runs; the simulator does"
    ),
    Invariant(
        "I19",
        "planted secrets appear nowhere",
        None,
        "not shown by rows: logs and exports are no rows; tests plant them",
    ),
    Invariant(
        "I20",
        "reports from rows equal reports by a model",
        _LEDGER.i20,
        "the report as printed, and wins that a person gave up: the simulator's model compares those",
    ),
    Invariant(
        "I21",
        "a pot holds its seeds and shares less its wins, and every win is paid once",
        jackpots.i21,
        "stakes that a pot should have read and did not: the simulator's model compares those",
    ),
    Invariant("owed", "owed equals the gives decided and not accepted", _LEDGER.owed),
    Invariant("suspense", "suspense equals the stakes accepted for bets that are not on", _LEDGER.suspense),
)
"""Every invariant of section 5 in its order, then the sums of section 6 that none of them covers."""

_NOT_YET = "what was changed before it was bound and signed: `croupier audit --trail` tells how much that may be"

PART = 20_000
"""The number of bets and cashbacks in one part."""

# A small database is read in one part: memory for the joins is cheaper than the temporary files of the default.
_ROOM = "set local work_mem = '128MB'"


async def audit(
    db: Db, most: int = MOST, notary: SignedLines | None = None, *, tell: Tell = tell_nobody
) -> list[InvariantResult]:
    """Check every invariant against the same snapshot, for at most `most` violations each.

    A large database is read part by part, so that no query reaches the statement timeout. The audit trail is verified only
    with its notary: after the snapshot, page by page. `tell` is called before each query.
    """
    async with db.transaction(snapshot=True) as tx:
        found = await _ask_all(tx, most, tell)
    findings = [_finding(invariant, found[invariant.name][:most]) for invariant in INVARIANTS]
    if notary is None:
        return findings
    tell("Verifying the audit trail", 0, 0)
    trail = await _find_trail(db, notary, most)
    return [trail if finding.name == TRAIL else finding for finding in findings]


async def _ask_all(tx: Tx, most: int, tell: Tell) -> dict[str, list[Violation]]:
    """Return the violations by invariant. An invariant that has reached `most` is not queried again."""
    found: dict[str, list[Violation]] = {invariant.name: [] for invariant in INVARIANTS}
    done = 0
    async for part in parts(tx, PART):
        whole = part == SubjectRange(FIRST, LAST)
        await (tx.execute(_ROOM) if whole else plan_by_parts(tx))
        for invariant in INVARIANTS:
            told = found[invariant.name]
            if invariant.query is not None and len(told) < most:
                tell(f"Checking {invariant.name}, {done * PART:,} bets done", 0, 0)
                if not whole:
                    await set_plan_for(tx, invariant.name)
                told += [
                    v for v in await invariant.query(tx, QueryScope(most, None if whole else part)) if v not in told
                ]
        done += 1
    return found


async def _find_trail(db: Db, notary: SignedLines, most: int) -> InvariantResult:
    report = await verify_trail(db, notary, most)
    violations = tuple(Violation(None, found.what) for found in report.breaks[:most])
    says = next(i.says for i in INVARIANTS if i.name == TRAIL)
    return InvariantResult(TRAIL, says, checked=True, unseen=_NOT_YET, violations=violations)


def _finding(invariant: Invariant, found: list[Violation]) -> InvariantResult:
    return InvariantResult(invariant.name, invariant.says, invariant.query is not None, invariant.unseen, tuple(found))
