"""Who runs a command, proven by the token of an account.

Owns: reading the token. Never: a token as a word of the command: every user of the machine sees those. Spec: decision 0101.
"""

from __future__ import annotations

import getpass
import sys

from croupier.admin_api.errors import NotAllowed, NotSignedIn
from croupier.core.account import Account, Role
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings


async def signed_in(hub: Hub, settings: Settings, needed: Role) -> Account:
    """Return the account of CROUPIER_TOKEN, or of the token typed at a terminal. Raises NotSignedIn, NotAllowed."""
    account = await hub.store.accounts.by_token(token_of(settings))
    if account is None:
        raise NotSignedIn("the token is of no open account: `croupier account list` shows the accounts")
    if not account.role.may(needed):
        raise NotAllowed(f"{account.name} has the role {account.role.value}: this needs the role {needed.value}")
    return account


def token_of(settings: Settings) -> str:
    """Return the token of CROUPIER_TOKEN, or the one typed at a terminal. Raises NotSignedIn."""
    if settings.token is not None:
        return settings.token.value.strip()
    if not sys.stdin.isatty():
        raise NotSignedIn("this needs your account: put its token into CROUPIER_TOKEN, or run it at a terminal")
    return getpass.getpass("Your token: ").strip()
