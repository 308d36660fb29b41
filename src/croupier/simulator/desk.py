"""The epilogue of a world: a person ends every parked payment, by the casino's book or by another try, and every bet that stands.

Owns: these acts, and the check that they leave nothing open. Never: decides what is right in a dispute: what the casino has
booked is accepted, and what it has not is given up. Spec: money.md 2.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from croupier.core.bet import Bet, BetState, Origin
from croupier.core.bet_requests import CannotDo
from croupier.core.proposal import Act, PersonAct
from croupier.core.readings import PaymentKind
from croupier.flows.person import do
from croupier.simulator.amounts import text_of
from croupier.simulator.judge import Case, Judgement, key_of
from croupier.simulator.scene import Scene

TRIED_AGAIN: Final = 1 / 3
"""Share of parked payments that the person tries again first."""
MOST_WON: Final = 5_000
"""Largest win that the person settles a bet with, in minor units."""
PATIENCE_S: Final = 3600.0
"""Time after which the person looks again."""
AUTHOR: Final = "sim"
REASON: Final = "simulated"

_PARKED: Final = "select subject_id, kind from payments where state = 'parked' order by 1, 2"
_OPEN: Final = """
select subject_id, kind, state from payments where state in ('created', 'sent', 'parked') and subject_id = any($1::bigint[])
order by 1, 2"""


async def end_by_hand(scene: Scene, cases: Sequence[Case], verdict: Judgement) -> bool:
    """End every bet that stands and every parked payment. Return whether there was one."""
    known = {case.subject.subject_id: case for case in cases}
    ended = {case.subject.subject_id for case in cases if await _bet_ended(scene, case, verdict)}
    for tries in (TRIED_AGAIN, 0.0):
        ended |= await _parked_ended(scene, known, tries, verdict=verdict)
        await scene.stage.clock.sleep(PATIENCE_S if ended else 0.0)
    for row in await scene.stage.db.fetch(_OPEN, sorted(ended)):
        verdict.wrong("I4", f"{known[row['subject_id']].name} {row['kind']} is {row['state']} after a person ended it")
    return bool(ended)


async def _parked_ended(scene: Scene, known: Mapping[int, Case], tries: float, *, verdict: Judgement) -> set[int]:
    """End every parked payment, or try it again: a share of `tries`. Return the bets and cashbacks."""
    found = await scene.stage.db.fetch(_PARKED)
    for row in found:
        case, kind = known[row["subject_id"]], PaymentKind(row["kind"])
        chance = scene.chance.branch(f"desk {case.name} {kind.value} {tries}")
        act = Act.RETRY if chance.fraction() < tries else _by_the_book(case, kind)
        if act is Act.ACCEPT:
            case.casino.witness.spoke(key_of(case, kind))
        await _act(scene, case, PersonAct(act, row["subject_id"], REASON, kind), verdict=verdict)
    return {row["subject_id"] for row in found}


def _by_the_book(case: Case, kind: PaymentKind) -> Act:
    return Act.ACCEPT if case.casino.book.holds(key_of(case, kind)) else Act.GIVE_UP


async def _bet_ended(scene: Scene, case: Case, verdict: Judgement) -> bool:
    """Return or settle a bet that stands, because its provider is gone. Return whether there was such a bet."""
    bet = case.subject
    if not isinstance(bet, Bet) or bet.state not in (BetState.ON, BetState.UNCLAIMED):
        return False
    chance = scene.chance.branch(f"desk {case.name}")
    settled = bet.origin is not Origin.PAY_IN_OUT and chance.fraction() < 1 / 2
    win = text_of(int(chance.fraction() * MOST_WON), bet.currency) if settled else None
    act = Act.SETTLE if settled else Act.RETURN
    what = PersonAct(act, bet.bet_id, REASON, win=win, above_limits=settled)
    await _act(scene, case, what, verdict=verdict)
    return True


async def _act(scene: Scene, case: Case, what: PersonAct, *, verdict: Judgement) -> None:
    scene.seen[f"person {what.act.value}"] += 1
    try:
        await do(scene.stage.hubs[0].hub, what, author=AUTHOR)
    except CannotDo as problem:
        verdict.wrong("I4", f"a person cannot end {case.name}: {what.words}: {problem}")
