"""The check of the hub's reports at rest: the GGR report, and the text that it stores.

Owns: I20 (the report from rows equals a count by a model), the balance of I3, and I19 (no stored text contains a
secret). Never: checks a bet (judge). Spec: money.md 5 (I20) and money.md 6.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from croupier.core.bet import Bet, BetState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.amounts import text_of
from croupier.simulator.judge import Case, Judgement
from croupier.simulator.scene import Scene
from croupier.views.ggr import ggr

COUNTED = (BetState.SETTLED, BetState.UNDOING, BetState.DISPUTED)
"""States of bets that were settled and not undone. A bet is undone once its payout has been taken back."""
FOR_EVER_MS = 10**14
_TOLD = """
select 'event ' || subject_id as what from events, unnest($1::text[]) s where position(s in detail) > 0
union all select 'incident ' || subject_id from incidents, unnest($1::text[]) s where position(s in note) > 0
union all select 'payment ' || subject_id from payments, unnest($1::text[]) s where position(s in coalesce(message, '')) > 0
limit 5"""


async def judge_reports(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """Run all three checks."""
    await _ggr(scene, cases, verdict)
    await _balances(scene, cases, verdict)
    await _secrets(scene, verdict, scene.secrets)


async def _ggr(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    counted: Counter[tuple[str, str, str]] = Counter()
    for case in cases:
        bet = case.subject
        if isinstance(bet, Bet) and bet.was_on:
            place = (scene.casino_names[bet.casino_id], scene.provider_names[bet.provider_id], bet.currency)
            counted[place] += _revenue(bet)
    told = {}
    for row in await ggr(scene.stage.db, 0, FOR_EVER_MS, by=("casino", "provider")):
        if row.provider is not None:
            told[str(row.casino), row.provider, row.currency] = row.ggr
    for place in sorted(counted.keys() | told.keys()):
        expected = _signed(counted[place], place[2])
        if told.get(place, _signed(0, place[2])) != expected:
            verdict.wrong("I20", f"the report says {told.get(place)} for {' '.join(place)}, a count says {expected}")


def _revenue(bet: Bet) -> int:
    """Return what is left of a bet. What a person gave up paying stays with the house."""
    kept = {kind for kind, payment in bet.payments.items() if payment.state is PaymentState.REFUSED}
    if bet.state in COUNTED:
        return bet.stake - (0 if PaymentKind.PAYOUT in kept else bet.win or 0)
    return bet.stake if PaymentKind.BET_RETURN in kept else 0


async def _balances(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """I3: at rest, the hub's balance equals the casino's, for players whose payments were all accepted.

    A clock that jumped may have put the casino's report before or after a payment. A balance is for information only.
    """
    if scene.dials.skew_ms:
        return
    store = scene.stage.hubs[0].hub.store
    unclear = {case.subject.player_id for case in cases if not case.truthful or case.incidents or _not_plain(case)}
    for casino_id, player_id, ref in scene.players:
        known = None if player_id in unclear else await store.balances.known(player_id)
        has = scene.casinos[casino_id].purse + scene.casinos[casino_id].book.wallet(ref)
        if known is not None and known.amount != has:
            verdict.wrong("I3", f"{ref} of casino {casino_id} would be told {known.amount} and has {has}")


def _not_plain(case: Case) -> bool:
    """Return whether a payment ended otherwise, so that it may have been booked for a while."""
    return any(payment.state is not PaymentState.ACCEPTED for payment in case.subject.payments.values())


def _signed(minor: int, currency: str) -> str:
    return f"-{text_of(-minor, currency)}" if minor < 0 else text_of(minor, currency)


async def _secrets(scene: Scene, verdict: Judgement, secrets: Collection[str]) -> None:
    for row in await scene.stage.db.fetch(_TOLD, sorted(secrets)):
        verdict.wrong("I19", f"a secret stands in {row['what']}")
    log = "\n".join(scene.log)
    if any(secret in log for secret in secrets):
        verdict.wrong("I19", "a secret stands in the log")
