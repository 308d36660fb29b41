"""Commands about casinos: list, show, add, set, disable, close, and another secret. Spec: operate.md 2 and 5.

Owns: the work and its parameters. What changes a casino holds for the games of all providers, so an account that sees some providers only
may not do it. Never: which settings there are (store.profiles).
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from croupier.admin_api.command import NoParams, Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.peer_urls import check_peer
from croupier.admin_api.settable import changes_of
from croupier.core.account import Role
from croupier.core.counterparty import Casino
from croupier.store.parties.key_rows import list_keys
from croupier.store.parties.profiles import CASINOS

MOST_KEPT_S: Final = 365 * 86_400.0
USUALLY_KEPT_S: Final = 86_400.0
CasinoField = Annotated[str, Meta(description="The casino's PartnerClientId or name.")]
SettingsField = Annotated[
    dict[str, str], Meta(description="Settings to change, as text. The value `default` resets one.")
]
KeepOldS = Annotated[float, Meta(ge=0, le=MOST_KEPT_S, description="Seconds for which the old secret stays valid. 0: not at all.")]  # fmt: skip


class OneCasinoParams(Params, frozen=True, kw_only=True):
    """A casino."""

    casino: CasinoField


class CloseCasinoParams(OneCasinoParams, frozen=True, kw_only=True):
    """A casino that is closed."""

    force: Annotated[bool, Meta(description="Close it even while payments are undecided.")] = False


class SetCasinoParams(OneCasinoParams, frozen=True, kw_only=True):
    """A casino and its new settings."""

    settings: SettingsField


class CasinoSecretParams(OneCasinoParams, frozen=True, kw_only=True):
    """A casino that gets another secret."""

    keep_old_s: KeepOldS = USUALLY_KEPT_S


class AddCasinoParams(Params, frozen=True, kw_only=True):
    """A new casino."""

    name: str
    url: Annotated[str, Meta(description="Base URL at which the hub calls the casino.")]
    currencies: Annotated[tuple[str, ...], Meta(description="The currencies of its players.")]
    alg: Annotated[str, Meta(description="Algorithm of the hub's signatures: RS256, ES256 or EdDSA.")] = "RS256"


class CasinoWithKeys(Struct, frozen=True):
    """A casino with all its settings, and the state of each key that signs calls to it."""

    casino: Casino
    signing_key: dict[str, str]


class CasinoSecret(Struct, frozen=True):
    """A casino's id and new secret, which nothing can show again."""

    casino_id: int = field(name="PartnerClientId")
    name: str
    secret: str = field(name="Secret")


@command("GET casinos", words="casino list", role=Role.LOOK)
async def casinos(desk: Desk, _: NoParams) -> list[Casino]:
    """Show every casino."""
    return [one for one in await desk.hub.store.casinos.all() if desk.scope.casino(one.casino_id)]


@command("GET casinos/{casino}", words="casino show", role=Role.LOOK)
async def show(desk: Desk, asked: OneCasinoParams) -> CasinoWithKeys:
    """Show one casino with all its settings."""
    casino = await desk.casino(asked.casino)
    signing = [row for row in await list_keys(desk.hub.store.db) if casino.name in row.casinos]
    return CasinoWithKeys(casino, {row.kid: row.state for row in signing})


@command("POST casinos", words="casino add", role=Role.ADMINISTER, whole_hub=True)
async def add(desk: Desk, wish: AddCasinoParams) -> CasinoSecret:
    """Add a casino and show its PartnerClientId and Secret. The secret is never shown again."""
    check_peer(wish.url, desk.settings)
    casino, secret = await desk.hub.store.casinos.add(wish.name, wish.url, wish.currencies, alg=wish.alg)
    return CasinoSecret(casino.casino_id, casino.name, secret)


@command("POST casinos/{casino}/set", words="casino set", role=Role.ADMINISTER)
async def set_(desk: Desk, wish: SetCasinoParams) -> Casino:
    """Change settings of a casino."""
    casino = await _to_change(desk, wish)
    return await desk.hub.store.casinos.change(casino.casino_id, changes_of(desk, wish.settings, CASINOS))


@command("POST casinos/{casino}/disable", words="casino disable", role=Role.OPERATE)
async def disable(desk: Desk, wish: OneCasinoParams) -> Casino:
    """Stop launches, new bets and new cashbacks of a casino. Open ones continue."""
    return await desk.hub.store.casinos.disable((await _to_change(desk, wish)).casino_id)


@command("POST casinos/{casino}/enable", words="casino enable", role=Role.OPERATE)
async def enable(desk: Desk, wish: OneCasinoParams) -> Casino:
    """Allow launches, bets and cashbacks again after `disable`. Use `open` for a closed casino."""
    return await desk.hub.store.casinos.enable((await _to_change(desk, wish)).casino_id)


@command("POST casinos/{casino}/close", words="casino close", role=Role.ADMINISTER)
async def close(desk: Desk, wish: CloseCasinoParams) -> Casino:
    """Close a casino: its secret, tokens and accepts are refused from now on. What is owed to it is still paid."""
    await desk.hub.store.casinos.close((await _to_change(desk, wish)).casino_id, force=wish.force)
    return await desk.casino(wish.casino)


@command("POST casinos/{casino}/open", words="casino open", role=Role.ADMINISTER)
async def open_(desk: Desk, wish: OneCasinoParams) -> Casino:
    """Reopen a closed casino. It is enabled or disabled as before."""
    await desk.hub.store.casinos.open((await _to_change(desk, wish)).casino_id)
    return await desk.casino(wish.casino)


@command("POST casinos/{casino}/secret/rotate", words="casino secret rotate", role=Role.ADMINISTER)
async def rotate_secret(desk: Desk, wish: CasinoSecretParams) -> CasinoSecret:
    """Create a new secret and show it once. Without time for the old one, access tokens given out before end too."""
    casino = await _to_change(desk, wish)
    secret = await desk.hub.store.casinos.rotate_secret(casino.casino_id, wish.keep_old_s)
    return CasinoSecret(casino.casino_id, casino.name, secret)


async def _to_change(desk: Desk, wish: OneCasinoParams) -> Casino:
    """Return the casino that the person may change. Raises NotFound, NotAllowed."""
    casino = await desk.casino(wish.casino)
    desk.need_all_providers("a change of a casino is about the games of all providers")
    return casino
