"""Commands about providers: list, show, add, set, disable, close, fetch the games, and another secret. Spec: operate.md 2.

Owns: the work and its parameters. What changes a provider holds for the players of all casinos, so an account that sees some casinos only
may not do it. Never: which settings there are (store.profiles).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from croupier.admin_api.casinos import USUALLY_KEPT_S, KeepOldS, SettingsField
from croupier.admin_api.command import NoParams, Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import CommandError
from croupier.admin_api.peer_urls import check_peer
from croupier.admin_api.settable import changes_of
from croupier.core.account import Role
from croupier.core.counterparty import Provider
from croupier.flows.sync_games import sync_games
from croupier.kit.wire import PeerError
from croupier.store.parties.profiles import PROVIDERS

ProviderField = Annotated[str, Meta(description="The provider's CounterpartyId, number or name.")]


class OneProviderParams(Params, frozen=True, kw_only=True):
    """A provider."""

    provider: ProviderField


class CloseProviderParams(OneProviderParams, frozen=True, kw_only=True):
    """A provider that is closed."""

    force: Annotated[bool, Meta(description="Close it even while bets are undecided. They then stay open.")] = False


class SetProviderParams(OneProviderParams, frozen=True, kw_only=True):
    """A provider and its new settings."""

    settings: SettingsField


class ProviderSecretParams(OneProviderParams, frozen=True, kw_only=True):
    """A provider that gets another secret."""

    keep_old_s: KeepOldS = USUALLY_KEPT_S


class AddProviderParams(Params, frozen=True, kw_only=True):
    """A new provider."""

    name: str
    url: Annotated[str, Meta(description="Base URL at which the hub calls the provider.")]


class ProviderSecret(Struct, frozen=True):
    """A provider's id and new secret, which nothing can show again."""

    counterparty_id: str = field(name="CounterpartyId")
    name: str
    secret: str = field(name="Secret")


class SyncedGames(Struct, frozen=True):
    """The number of games that the provider's list changed, or would change once a person has reviewed it (`waiting`)."""

    counterparty_id: str = field(name="CounterpartyId")
    provider_id: int
    name: str
    new: int
    changed: int
    vanished: int
    waiting: int


@command("GET providers", words="provider list", role=Role.LOOK)
async def providers(desk: Desk, _: NoParams) -> list[Provider]:
    """Show every provider."""
    return [one for one in await desk.hub.store.providers.all() if desk.scope.provider(one.provider_id)]


@command("GET providers/{provider}", words="provider show", role=Role.LOOK)
async def show(desk: Desk, asked: OneProviderParams) -> Provider:
    """Show one provider with all its settings."""
    return await desk.provider(asked.provider)


@command("POST providers", words="provider add", role=Role.ADMINISTER, whole_hub=True)
async def add(desk: Desk, wish: AddProviderParams) -> ProviderSecret:
    """Add a provider and show its CounterpartyId and Secret. The secret is never shown again."""
    check_peer(wish.url, desk.settings)
    provider, secret = await desk.hub.store.providers.add(wish.name, wish.url)
    return ProviderSecret(provider.counterparty_id, provider.name, secret)


@command("POST providers/{provider}/set", words="provider set", role=Role.ADMINISTER)
async def set_(desk: Desk, wish: SetProviderParams) -> Provider:
    """Change settings of a provider."""
    provider = await _to_change(desk, wish)
    return await desk.hub.store.providers.change(provider.provider_id, changes_of(desk, wish.settings, PROVIDERS))


@command("POST providers/{provider}/disable", words="provider disable", role=Role.OPERATE)
async def disable(desk: Desk, wish: OneProviderParams) -> Provider:
    """Stop launches and new bets of a provider's games. Open bets continue."""
    return await desk.hub.store.providers.disable((await _to_change(desk, wish)).provider_id)


@command("POST providers/{provider}/enable", words="provider enable", role=Role.OPERATE)
async def enable(desk: Desk, wish: OneProviderParams) -> Provider:
    """Allow launches and bets of a provider's games again after `disable`. Use `open` for a closed provider."""
    return await desk.hub.store.providers.enable((await _to_change(desk, wish)).provider_id)


@command("POST providers/{provider}/close", words="provider close", role=Role.ADMINISTER)
async def close(desk: Desk, wish: CloseProviderParams) -> Provider:
    """Close a provider: its requests are refused from now on, payouts and refunds included."""
    await desk.hub.store.providers.close((await _to_change(desk, wish)).provider_id, force=wish.force)
    return await desk.provider(wish.provider)


@command("POST providers/{provider}/open", words="provider open", role=Role.ADMINISTER)
async def open_(desk: Desk, wish: OneProviderParams) -> Provider:
    """Reopen a closed provider. It is enabled or disabled as before."""
    await desk.hub.store.providers.open((await _to_change(desk, wish)).provider_id)
    return await desk.provider(wish.provider)


@command("POST providers/{provider}/secret/rotate", words="provider secret rotate", role=Role.ADMINISTER)
async def rotate_secret(desk: Desk, wish: ProviderSecretParams) -> ProviderSecret:
    """Create a new secret and show it once. The old one stays valid for a while."""
    provider = await _to_change(desk, wish)
    secret = await desk.hub.store.providers.rotate_secret(provider.provider_id, wish.keep_old_s)
    return ProviderSecret(provider.counterparty_id, provider.name, secret)


@command("POST providers/{provider}/sync", words="provider sync", role=Role.OPERATE)
async def sync(desk: Desk, wish: OneProviderParams) -> SyncedGames:
    """Fetch the provider's games. New ones are added; missing ones are switched off and never deleted."""
    provider = await _to_change(desk, wish)
    try:
        counts = await sync_games(desk.hub, provider)
    except PeerError as error:
        raise CommandError(
            f"provider {provider.name} gave no games from {provider.url} ({error}): see that it runs there and has the "
            "secret that this hub gave it"
        ) from error
    return SyncedGames(
        provider.counterparty_id, provider.provider_id, provider.name,
        new=counts.new, changed=counts.changed, vanished=counts.vanished, waiting=counts.waiting,
    )  # fmt: skip


async def _to_change(desk: Desk, wish: OneProviderParams) -> Provider:
    """Return the provider that the person may change. Raises NotFound, NameAmbiguous, NotAllowed."""
    provider = await desk.provider(wish.provider)
    desk.need_all_casinos("a change of a provider is about the players of all casinos")
    return provider
