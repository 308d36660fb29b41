"""Incidents for a win or refund that was refused before processing while its bet is on. Only the provider knows the intent,
so a person must look.

Owns: that incident, at most once a minute per bet. Never: the refusal, which stands. Spec: provider.md 2.1.
"""

from __future__ import annotations

from croupier.core.bet import IS_ON
from croupier.core.counterparty import Provider
from croupier.flows.hub import Hub
from croupier.kit.log import get
from croupier.store.db import DbError

log = get("provider")

LONGEST_NOTE = 500


async def refused_win(hub: Hub, provider: Provider, bet_ref: str, *, verb: str, why: str) -> None:
    """Raise an incident for a refused `verb` of a bet that is on. `why`: the bad field, or the age of the request.

    Never raises for the database.
    """
    if not hub.throttle.allows(("win_refused", provider.provider_id, bet_ref)):
        return
    try:
        bet = await hub.store.bets.by_ref(provider.provider_id, bet_ref)
        if bet is None or bet.state not in IS_ON:
            return
        note = f"a {verb} of provider {provider.name} for betId {bet_ref} was refused: {why}"
        await hub.store.incidents.raise_for(bet.bet_id, "win_refused", note[:LONGEST_NOTE])
    except DbError as error:
        log.info("provider.refusal_not_told", problem=str(error))
        return
    hub.metrics.count("croupier_incidents_total", "win_refused")
    log.warning("provider.win_refused", provider=provider.name, bet=bet_ref, verb=verb, why=why)
