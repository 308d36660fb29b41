"""The check of restrictions: a restricted bet is not opened, and a bet without a restriction is not refused.

Owns: comparing restrictions of players, games and sessions with bets and answers to providers. Spec: provider.md 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping

from croupier.core.bet import Bet, Origin
from croupier.simulator.faults import BRIEF_S
from croupier.simulator.judge import Case, Judgement
from croupier.simulator.restrictions import Restriction
from croupier.simulator.scene import Scene
from croupier.simulator.sim_provider import ProviderBet
from croupier.simulator.stage import START_MS

EARLY_REFUSALS = {2, 4}
"""Codes of a bet that was refused and never opened."""


def judge_restrictions(
    scene: Scene, cases: list[Case], told: Mapping[tuple[int, str], ProviderBet], *, verdict: Judgement
) -> None:
    """Check every bet against every restriction. Nothing is certain if the hub's clock jumped."""
    if scene.dials.skew_ms:
        return
    known = set()
    for case in cases:
        if isinstance(case.subject, Bet):
            known.add((case.subject.provider_id, case.subject.bet_ref))
            _opened(scene, case.subject, verdict)
    for key, bet in told.items():
        if key not in known:
            _never_opened(scene, bet, verdict)


def _opened(scene: Scene, bet: Bet, verdict: Judgement) -> None:
    if bet.origin not in (Origin.PAY_IN, Origin.PAY_IN_OUT):
        return
    at_s = (bet.created_ms - START_MS) / 1000
    of_session = {"game": (bet.casino_id, bet.game_id), "session_id": bet.session_id}
    # A request that came in time may wait for a slow database before its bet is opened.
    came_s = at_s - (scene.watch.lateness_s if scene.dials.slow_db_s > BRIEF_S else 0.0)
    for restriction in scene.restrictions:
        held = restriction.holds(came_s) and restriction.holds(at_s)
        if held and restriction.concerns(player_id=bet.player_id, **of_session):  # type: ignore[arg-type] # a dict
            verdict.wrong("limits", f"{bet.bet_ref} was opened at {at_s:.2f} s, for {restriction.what}")


def _never_opened(scene: Scene, bet: ProviderBet, verdict: Judgement) -> None:
    """Report a refusal without a reason."""
    codes = set(bet.pay_in) & EARLY_REFUSALS
    if codes and not any(may_explain(scene, restriction, bet) for restriction in scene.restrictions):
        verdict.wrong("limits", f"{bet.ref} was refused with {sorted(codes)}, and nothing forbade it")


def may_explain(scene: Scene, restriction: Restriction, bet: ProviderBet) -> bool:
    """Return whether this restriction may be the reason for the refusal of a bet."""
    _, game, casino, ref = bet.session.split("-")
    player_id = next(number for at, number, name in scene.players if (at, name) == (int(casino), ref))
    mine = restriction.concerns(player_id=player_id, game=(int(casino), int(game)), session_id=bet.session)
    # A session is over by the clock of the process that is asked. A clock that jumped ends it early, and for a moment.
    early_s = scene.dials.skew_ms / 1000 if restriction.session_id is not None else 0.0
    return mine and restriction.touches(bet.span_s[0] - early_s, bet.span_s[1] + early_s)
