"""The explicit balance call of a provider. Spec: money.md 7.1 and 7.3."""

from __future__ import annotations

import asyncio

from croupier.core.commands import Answer
from croupier.core.refusals import Refusal
from croupier.flows.balances import BalanceResult, query_balance
from croupier.flows.hub import Hub


async def balance(hub: Hub, provider_id: int, session_id: str) -> Answer:
    """Ask the casino anew; OUTCOME_UNKNOWN if it does not answer within the hold time.

    An answer whose balance cannot be read is an answer: success, with the balance left out.
    """
    session = await hub.store.sessions.get(session_id)
    if session is None or session.provider_id != provider_id or hub.clock.now_ms() >= session.expires_ms:
        return Answer(Refusal.SESSION_UNKNOWN)
    if session.demo:
        return Answer(None, await hub.store.demo.balance(session), session.currency)
    provider = await hub.store.providers.get(provider_id)
    assert provider is not None
    try:
        async with asyncio.timeout(provider.hold_s):
            told = await query_balance(hub, session)
    except TimeoutError:
        told = BalanceResult(answered=False)
    if not told.answered:
        return Answer(Refusal.OUTCOME_UNKNOWN)
    # As it came: where it became the base it is what is known, where it could not (an open payment) it is the news.
    return Answer(None, told.amount, session.currency)
