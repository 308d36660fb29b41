"""A provider's explicit balance query. Spec: money.md 7.1 and 7.3."""

from __future__ import annotations

import asyncio

from croupier.core.commands import Answer
from croupier.core.refusals import Refusal
from croupier.flows.balances import BalanceResult, query_balance
from croupier.flows.hub import Hub


async def balance(hub: Hub, provider_id: int, session_id: str) -> Answer:
    """Query the casino for the balance; OUTCOME_UNKNOWN if it does not answer within the hold time, RATE_LIMITED over the limit.

    If the casino answers with an unreadable balance, the request succeeds and the balance is left out.
    """
    provider = await hub.store.providers.get(provider_id)
    assert provider is not None
    wait_s = hub.inbound_limits.provider_wait_s(provider, "balance")
    if wait_s:
        return Answer(Refusal.RATE_LIMITED, retry_after_s=wait_s)
    session = await hub.store.sessions.get(session_id)
    if session is None or session.provider_id != provider_id or hub.clock.now_ms() >= session.expires_ms:
        return Answer(Refusal.SESSION_UNKNOWN)
    if session.demo:
        return Answer(None, await hub.store.demo.balance(session), session.currency)
    try:
        async with asyncio.timeout(provider.hold_s):
            told = await query_balance(hub, session)
    except TimeoutError:
        told = BalanceResult(answered=False)
    if not told.answered:
        return Answer(Refusal.OUTCOME_UNKNOWN)
    # The reported balance is answered even where an open payment kept it from becoming the base: it is the newest one.
    return Answer(None, told.amount, session.currency)
