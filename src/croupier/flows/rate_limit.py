"""Rate-limited queries to casinos. Each casino has its own rate, and casinos are queried in parallel.

Owns: the rate, and when to stop querying a casino. Never: what is queried. Spec: money.md 4.6 and 8.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from croupier.core.counterparty import Casino
from croupier.flows.advance import Contended
from croupier.flows.hub import Hub
from croupier.flows.reconcile import BetComparison, ComparisonResult, reconcile_bet
from croupier.kit.log import get
from croupier.kit.progress import Tell, tell_nobody
from croupier.store.db import DbError
from croupier.store.money.group_commit import Broken

log = get("pace")

GIVE_UP_AFTER = 3

BetQuery = Callable[[int], Awaitable[BetComparison | None]]


def _always() -> bool:
    return True


async def query_at_rate(
    hub: Hub,
    casino: Casino,
    bet_ids: Iterable[int],
    *,
    ask: BetQuery,
    per_s: int = 0,
    go_on: Callable[[], bool] = _always,
) -> tuple[list[BetComparison], list[int]]:
    """Query bets one after the other at the casino's rate. Return the comparisons, and the bets that were not queried.

    `per_s`: a rate other than the usual one. The run stops when the casino fails to answer three times in a row, or when its
    breaker opens.
    """
    done: list[BetComparison] = []
    queue, silent = list(bet_ids), 0
    apart_s = 1 / (per_s or hub.process_settings.compare_per_s)
    while (
        queue
        and silent < GIVE_UP_AFTER
        and go_on()
        and not hub.state.closing
        # Last, for it takes the probe of an open breaker. Without it a casino that gets no new bets would never be asked again.
        and hub.admission.allows(casino.casino_id)
    ):
        compared = await _query_one(ask, queue.pop(0))
        if compared is not None:
            done.append(compared)
            silent = silent + 1 if compared.result is ComparisonResult.UNUSABLE else 0
        if queue:
            await hub.clock.sleep(apart_s)
    return done, queue


async def _query_one(ask: BetQuery, bet_id: int) -> BetComparison | None:
    """Compare one bet. On failure return None and leave the bet to the next run; the other bets are unaffected."""
    try:
        return await ask(bet_id)
    except (Contended, Broken, DbError) as error:
        log.warning("pace.bet_left", bet=bet_id, problem=str(error) or type(error).__name__)
        return None


async def compare_all(
    hub: Hub, wanted: Iterable[tuple[int, int]], *, tell: Tell = tell_nobody
) -> tuple[list[BetComparison], int]:
    """Compare these bets, given as (BetId, casino id), each casino at its own rate. `tell` is called after each.

    Return the comparisons, and the number of bets that were not queried.
    """
    by_casino: dict[int, list[int]] = {}
    asked = total = 0
    for bet_id, casino_id in wanted:
        by_casino.setdefault(casino_id, []).append(bet_id)
        total += 1

    async def compare(bet_id: int) -> BetComparison | None:
        nonlocal asked
        try:
            return await reconcile_bet(hub, bet_id)
        finally:
            asked += 1
            tell("Comparing bets", asked, total)

    rounds = []
    for casino_id, bet_ids in by_casino.items():
        casino = await hub.store.casinos.get(casino_id)
        assert casino is not None
        rounds.append(query_at_rate(hub, casino, bet_ids, ask=compare))
    ended = await asyncio.gather(*rounds)
    return [one for done, _ in ended for one in done], sum(len(left) for _, left in ended)
