"""Synchronization of a provider's catalogue. New games follow the setting on the provider's row; vanished ones are disabled.

Owns: when it runs and what changes. Never: deletes a game. Spec: provider.md 3.1.
"""

from __future__ import annotations

from croupier.core.counterparty import Provider
from croupier.flows.bulkheads import BulkheadFull, SideCall
from croupier.flows.hub import Hub
from croupier.kit.log import get
from croupier.kit.wire import PeerError
from croupier.store.db import DbError, assert_no_tx
from croupier.store.parties.listings import Counts

log = get("games")


async def sync_games(hub: Hub, provider: Provider) -> Counts:
    """Fetch and store the catalogue; raises PeerError if the provider does not return one."""
    secret = (await hub.store.providers.secrets(provider.provider_id))[0]
    assert_no_tx()
    try:
        async with hub.bulkheads.place(f"provider {provider.provider_id}", SideCall.CATALOGUE):
            catalogue = await hub.provider_gateways[provider.protocol].catalogue(provider, secret)
    except BulkheadFull as error:
        raise PeerError("its games are being asked for already", sent=False, ours=True) from error
    kept: list[str] = []
    if catalogue.skipped:
        # An unreadable entry may be any known game, so no game counts as vanished.
        log.warning("games.skipped", provider=provider.name, count=len(catalogue.skipped), first=catalogue.skipped[:5])
        kept = [game.game_ref for game in await hub.store.games.all(provider.provider_id)]
    return await hub.store.games.take_listing(
        provider.provider_id, catalogue.games, enabled_for_new=provider.games_enabled, skipped_refs=kept,
        review=provider.review_games,
    )  # fmt: skip


async def sync_for_ever(hub: Hub, every_s: float) -> None:
    """Refresh every provider's catalogue in a loop."""
    while True:
        await hub.clock.sleep(every_s)
        for provider in await hub.store.providers.all():
            if provider.takes_new:
                await _try(hub, provider)


async def _try(hub: Hub, provider: Provider) -> None:
    try:
        counts = await sync_games(hub, provider)
        log.info(
            "games.synced", provider=provider.name, new=counts.new, vanished=counts.vanished, waiting=counts.waiting
        )
    except (PeerError, DbError) as error:
        log.warning("games.not_synced", provider=provider.name, problem=str(error))
