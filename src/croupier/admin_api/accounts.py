"""Commands about the accounts of persons, and what was done with them. Spec: operate.md 2, decisions 0101 and 0102."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from croupier.admin_api.command import NoParams, Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import NotFound
from croupier.admin_api.words import check_name
from croupier.core.account import Account, Role, Scope
from croupier.store.oversight.admin_uses import AdminUse
from croupier.views.casino_books import TOP

MOST: Final = 1000
USUAL: Final = 100


class AddParams(Params, frozen=True, kw_only=True):
    """A new account."""

    name: Annotated[str, Meta(description="The person's name, as the books show it.")]
    role: Role
    casinos: Annotated[tuple[str, ...], Meta(description="Ids or names of the casinos that the person may see. Empty: all.")] = ()  # fmt: skip
    providers: Annotated[tuple[str, ...], Meta(description="The same of providers.")] = ()

    def check(self) -> None:
        """Raise BadParameter for a name that could be mistaken for another one."""
        check_name("name", self.name)


class NameParams(Params, frozen=True, kw_only=True):
    """An account by its name."""

    name: str


class UsesParams(Params, frozen=True, kw_only=True):
    """Which uses are listed."""

    name: Annotated[str | None, Meta(description="Only of this person.")] = None
    before_id: Annotated[int, Meta(ge=1, description="Only older ones than this.")] | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = USUAL


class AccountToken(Struct, frozen=True):
    """An account with its token, which nothing can show again."""

    name: str
    role: Role
    secret: str


@command("GET accounts", words="account list", role=Role.ADMINISTER, whole_hub=True)
async def accounts(desk: Desk, _: NoParams) -> list[Account]:
    """Show all accounts, closed ones too."""
    return await desk.hub.store.accounts.all()


@command("POST accounts", words="account add", role=Role.ADMINISTER, whole_hub=True)
async def add(desk: Desk, wish: AddParams) -> AccountToken:
    """Add a person and show the token, once."""
    casinos = frozenset([(await desk.casino(one)).casino_id for one in wish.casinos])
    providers = frozenset([(await desk.provider(one)).provider_id for one in wish.providers])
    scope = Scope(casinos or None, providers or None)
    account, token = await desk.hub.store.accounts.add(wish.name, wish.role, desk.author, scope=scope)
    return AccountToken(account.name, account.role, token)


@command("POST accounts/{name}/close", words="account close", role=Role.ADMINISTER, whole_hub=True)
async def close(desk: Desk, wish: NameParams) -> Account:
    """Close an account for good. Its token is refused at once, and its name is never given again."""
    account = await desk.hub.store.accounts.close(wish.name, desk.author)
    if account is None:
        raise _missing(wish.name)
    return account


@command("POST accounts/{name}/token", words="account token", role=Role.ADMINISTER, whole_hub=True)
async def renew(desk: Desk, wish: NameParams) -> AccountToken:
    """Give an account a new token and show it, once. The old one is refused at once."""
    made = await desk.hub.store.accounts.renew(wish.name)
    if made is None:
        raise _missing(wish.name)
    account, token = made
    return AccountToken(account.name, account.role, token)


@command("GET accounts/uses", words="account uses", role=Role.ADMINISTER, whole_hub=True)
async def uses(desk: Desk, asked: UsesParams) -> list[AdminUse]:
    """Show who asked for what over the admin API, newest first."""
    before_id = TOP if asked.before_id is None else asked.before_id
    return await desk.hub.store.admin_uses.newest(before_id, asked.limit, asked.name)


def _missing(name: str) -> NotFound:
    return NotFound(f"there is no open account {name[:128]!r}: `croupier account list` shows them")
