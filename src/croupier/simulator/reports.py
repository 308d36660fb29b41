"""What the hub tells others about a world at rest: its report of GGR, and what it keeps in words.

Owns: I20 (the report from rows equals a count by a model) and I19 (no secret in what is kept). Never: judges a bet
(judge). Spec: money.md sections 5 and 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from croupier.core.bet import Bet, BetState
from croupier.simulator.amounts import text_of
from croupier.simulator.judge import Case, Verdict
from croupier.simulator.scene import Scene
from croupier.views.ggr import ggr

COUNTED = (BetState.SETTLED, BetState.UNDOING, BetState.DISPUTED)
"""What was settled and not undone: a bet whose payout is being taken back is undone when it is back."""
FOR_EVER_MS = 10**14
_TOLD = """
select 'event ' || subject_id as what from events, unnest($1::text[]) s where position(s in detail) > 0
union all select 'incident ' || subject_id from incidents, unnest($1::text[]) s where position(s in note) > 0
union all select 'payment ' || subject_id from payments, unnest($1::text[]) s where position(s in coalesce(message, '')) > 0
limit 5"""


async def judge_reports(scene: Scene, cases: list[Case], verdict: Verdict) -> None:
    """Judge them."""
    await _ggr(scene, cases, verdict)
    await _secrets(scene, verdict, scene.secrets)


async def _ggr(scene: Scene, cases: list[Case], verdict: Verdict) -> None:
    counted: Counter[tuple[str, str, str]] = Counter()
    for case in cases:
        bet = case.subject
        if isinstance(bet, Bet) and bet.state in COUNTED and bet.was_on:
            place = (scene.casino_names[bet.casino_id], scene.provider_names[bet.provider_id], bet.currency)
            counted[place] += bet.stake - (bet.win or 0)
    told = {}
    for row in await ggr(scene.stage.db, 0, FOR_EVER_MS, by=("casino", "provider")):
        if row.provider is not None:
            told[str(row.casino), row.provider, row.currency] = row.ggr
    for place in sorted(counted.keys() | told.keys()):
        expected = _signed(counted[place], place[2])
        if told.get(place, _signed(0, place[2])) != expected:
            verdict.wrong("I20", f"the report says {told.get(place)} for {' '.join(place)}, a count says {expected}")


def _signed(minor: int, currency: str) -> str:
    return f"-{text_of(-minor, currency)}" if minor < 0 else text_of(minor, currency)


async def _secrets(scene: Scene, verdict: Verdict, secrets: Collection[str]) -> None:
    for row in await scene.stage.db.fetch(_TOLD, sorted(secrets)):
        verdict.wrong("I19", f"a secret stands in {row['what']}")
    log = "\n".join(scene.log)
    if any(secret in log for secret in secrets):
        verdict.wrong("I19", "a secret stands in the log")
