"""A win or a refund was refused at the door while its bet is on: the provider alone would know, so a person is called.

Owns: that incident, once a minute for a bet. Never: the refusal, which stands. Spec: provider.md 2.1.
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
    """Tell of a `verb` of a bet that is on, which was refused for `why` (a field, or its age). Never raises for the database."""
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
