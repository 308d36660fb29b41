"""The epilogue of a world in which payments are parked: a person ends each, by the casino's book or by another try.

Owns: these acts, and the check that they leave nothing open. Never: decides what is right in a dispute: what the casino has
booked is accepted, and what it has not is given up. Spec: money.md 2.7.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from croupier.core.bet_requests import CannotDo
from croupier.core.proposal import Act, PersonAct
from croupier.core.readings import PaymentKind
from croupier.flows.person import do
from croupier.simulator.judge import Case, Judgement, key_of
from croupier.simulator.scene import Scene

TRIED_AGAIN: Final = 1 / 3
"""Share of parked payments that the person tries again first."""
PATIENCE_S: Final = 3600.0
"""Time after which the person looks again."""
AUTHOR: Final = "sim"

_PARKED: Final = "select subject_id, kind from payments where state = 'parked' order by 1, 2"
_OPEN: Final = """
select subject_id, kind, state from payments where state in ('created', 'sent', 'parked') and subject_id = any($1::bigint[])
order by 1, 2"""


async def end_what_is_parked(scene: Scene, cases: Iterable[Case], verdict: Judgement) -> bool:
    """End every parked payment. Return whether there was one."""
    known = {case.subject.subject_id: case for case in cases}
    ended: set[int] = set()
    for tries in (TRIED_AGAIN, 0.0):
        for row in await scene.stage.db.fetch(_PARKED):
            case, kind = known[row["subject_id"]], PaymentKind(row["kind"])
            chance = scene.chance.branch(f"desk {case.name} {kind.value} {tries}")
            act = Act.RETRY if chance.fraction() < tries else _by_the_book(case, kind)
            scene.seen[f"person {act.value}"] += 1
            ended.add(row["subject_id"])
            try:
                await do(scene.stage.hubs[0].hub, PersonAct(act, row["subject_id"], "simulated", kind), author=AUTHOR)
            except CannotDo as problem:
                verdict.wrong(
                    "I4", f"{case.name} {kind.value} is parked, and a person cannot {act.value} it: {problem}"
                )
        await scene.stage.clock.sleep(PATIENCE_S if ended else 0.0)
    for row in await scene.stage.db.fetch(_OPEN, sorted(ended)):
        verdict.wrong("I4", f"{known[row['subject_id']].name} {row['kind']} is {row['state']} after a person ended it")
    return bool(ended)


def _by_the_book(case: Case, kind: PaymentKind) -> Act:
    booking = case.casino.book.bookings.get(key_of(case, kind))
    booked = booking is not None and not booking.forgotten
    return Act.ACCEPT if booked else Act.GIVE_UP
