"""The decision loop: read a bet or cashback, apply a rule, commit, and start again if the race was lost.

Owns: the loop (at most five tries), and the reaction when an invariant stops a decision: the decision is aborted, the
payments in flight are parked, an incident is raised. Never: decides. Spec: money.md 3.10.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.pursuit import park
from croupier.core.records import evolve
from croupier.flows.hub import Hub
from croupier.kit.log import get
from croupier.store.money.group_commit import Broken

TRIES = 5
S = TypeVar("S", Bet, Cashback)
R = TypeVar("R")

log = get("advance")


class Contended(Exception):
    """Five decisions in a row lost their race. Nothing was written; the peer may repeat its request."""


async def terms_of(hub: Hub, subject: Bet | Cashback) -> Terms:
    """Return the terms for a decision about this subject, as of now."""
    store, provider, game = hub.store, None, None
    casino = store.casinos.at_hand(subject.casino_id) or await store.casinos.get(subject.casino_id)
    if isinstance(subject, Bet):
        provider = store.providers.at_hand(subject.provider_id) or await store.providers.get(subject.provider_id)
        if subject.may_win:
            game = store.games.at_hand(subject.game_id) or await store.games.recent(subject.game_id)
    assert casino is not None
    return Terms(
        now_ms=hub.clock.now_ms(),
        casino=casino,
        waits=hub.waits,
        luck=hub.chance.fraction(),
        provider=provider,
        process=hub.process_settings.process,
        game=game,
        large_win=hub.process_settings.large_win,
        recovering=hub.recovering(subject.casino_id),
    )


async def advance(
    hub: Hub,
    read: Callable[[], Awaitable[S | None]],
    rule: Callable[[S, Terms], Decision[S] | R],
    *,
    recall: Callable[[], Awaitable[S | None]] | None = None,
) -> Decision[S] | R | None:
    """Apply the rule, and commit the result if it is a decision. None if there is no such subject.

    `recall` returns the subject from memory, to be tried before it is read. Only a commit proves it current.

    Raises Contended, Broken (the decision broke an invariant; its payments were parked) and DbDown.
    """
    recalled = None if recall is None else await recall()
    if recalled is not None:
        ruling = await decide_once(hub, recalled, rule)
        if isinstance(ruling, Decision):
            return ruling
    for tried in range(TRIES):
        subject = await read()
        if subject is None:
            return None
        ruling = await decide_once(hub, subject, rule, again=tried > 0 or recalled is not None)
        if not isinstance(ruling, RaceLost):
            return ruling
    raise Contended


class RaceLost:
    """The decision lost its race. Nothing was written; read again."""


async def decide_once(
    hub: Hub, subject: S, rule: Callable[[S, Terms], Decision[S] | R], *, again: bool = False
) -> Decision[S] | R | RaceLost:
    """Apply the rule once to a subject that was just read, and commit a decision. Raises Broken, DbDown.

    A decision may name a PartnerTransactionId that another payment already has. The database does not write it then, as
    after a lost race. `again`: a decision was lost, so the ids are looked up, and the rule runs with that knowledge.
    """
    try:
        terms = await terms_of(hub, subject)
        ruling = rule(subject, terms)
        if again and isinstance(ruling, Decision) and ruling.named:
            held = await hub.store.partner_transactions.held(ruling)
            ruling = rule(subject, evolve(terms, held=held)) if held else ruling
        if not isinstance(ruling, Decision):
            return ruling
        written = await hub.group_commit.commit(ruling)
        if written is not None:
            return written
    except (Broken, AssertionError) as error:
        await _stop(hub, subject, error)
        raise Broken(str(error)) from error
    return RaceLost()


async def _stop(hub: Hub, subject: Any, error: Exception) -> None:  # noqa: ANN401 - a Bet or Cashback
    """Park the payments in flight after a decision that would have broken an invariant, and raise an incident."""
    log.error("invariant", subject=subject.subject_id, problem=str(error), exc_info=error)
    await hub.store.incidents.raise_for(subject.subject_id, "invariant", str(error)[:500])
    hub.metrics.count("croupier_incidents_total", "invariant")
    draft: Draft[Any] = Draft(subject, await terms_of(hub, subject))
    in_flight = [kind for kind, payment in subject.payments.items() if payment.undecided]
    for kind in in_flight:
        park(draft, kind, "a decision about it would have broken an invariant")
    if in_flight:
        await hub.group_commit.commit(draft.finish("stopped"))
