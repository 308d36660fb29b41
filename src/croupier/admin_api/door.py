"""Who is let in to the admin API, and the record of every use.

Owns: tokens of persons, roles, scopes, rates, and the row of each use, which is written before the work. What only reads, or is
refused, is recorded once a minute. Never: a command's work. Spec: decision 0102.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import msgspec
from starlette.requests import Request

from croupier.admin_api.command import Command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import NotAllowed, NotSignedIn
from croupier.core.account import Account, Role
from croupier.flows.hub import Hub
from croupier.flows.inbound_limits import RateExceeded
from croupier.kit.addresses import network_of
from croupier.kit.inbound import address_of, bearer_of
from croupier.kit.log import get
from croupier.kit.networks import may_call
from croupier.kit.recent_map import RecentMap
from croupier.kit.settings import Settings
from croupier.kit.token_buckets import TokenBuckets

log = get("admin_api")

BURST_S: Final = 3
"""So many seconds' worth of requests may come at once."""
PLACES: Final = 4
"""So many commands of this process are at work at once: the payment path keeps the other connections."""
AGAIN_MS: Final = 60_000
"""The same read, or the same refusal, of the same person is recorded again after this time."""
MOST_KEPT: Final = 10_000
WRONG_PER_S: Final = 1.0
"""Requests a second with a wrong token that one address may send."""
SECRETS: Final = frozenset({"secret", "token", "password"})
"""The parameters whose values no record holds."""
HIDDEN: Final = "..."


class Door:
    """This API's state in one process."""

    def __init__(self, hub: Hub, settings: Settings) -> None:
        self.hub = hub
        self.settings = settings
        self.places = asyncio.Semaphore(PLACES)
        self._networks = settings.admin_networks
        self._rates = TokenBuckets(self._now_s, settings.admin_per_s, settings.admin_per_s * BURST_S)
        self._wrong = TokenBuckets(self._now_s, WRONG_PER_S, 10)
        self._recorded: RecentMap[tuple[str, str, str], int] = RecentMap(MOST_KEPT)

    def _now_s(self) -> float:
        return self.hub.clock.monotonic_s()

    async def admit(self, request: Request) -> Account:
        """Return who asks. Raises NotSignedIn, NotAllowed, RateExceeded."""
        address = address_of(request)
        # Without networks `may_call` would let everybody in.
        if not self._networks or not may_call(self._networks, address):
            raise NotAllowed(f"the admin API is not open to {address or 'this address'}: see CROUPIER_ADMIN_FROM")
        if self._wrong.empty_for_s(network_of(address)):
            self._too_often(address, self._wrong.empty_for_s(network_of(address)))
        token = bearer_of(request)
        account = None if token is None else await self.hub.store.accounts.by_token(token)
        if account is None:
            self._wrong.wait_s(network_of(address))
            log.warning("admin_api.unauthorized", client=address)
            raise NotSignedIn("the token is of no open account: an administrator gives one with `croupier account add`")
        wait_s = self._rates.wait_s(account.account_id)
        if wait_s:
            self._too_often(address, wait_s)
        return account

    def _too_often(self, address: str, wait_s: int) -> NoReturn:
        self.hub.inbound_limits.note_address(address, "admin_api")
        raise RateExceeded(wait_s)

    async def desk_of(self, account: Account, asked: Command[Any, Any], params: Any, *, address: str) -> Desk:  # noqa: ANN401 - the command's own
        """Record the use and return the desk at which the command works. Raises NotAllowed."""
        refused = _why_not(account, asked)
        await self._record(account, asked, told_of(params), address=address, refused=refused)
        if refused is not None:
            raise NotAllowed(refused)

        async def sign_in(needed: Role) -> Account:
            if not account.role.may(needed):
                raise NotAllowed(
                    f"{account.name} has the role {account.role.value}: this needs the role {needed.value}"
                )
            return account

        return Desk(self.hub, self.settings, account.name, sign_in, account.scope)

    async def _record(
        self, account: Account, asked: Command[Any, Any], told: str, *, address: str, refused: str | None
    ) -> None:
        key, now_ms = (account.name, asked.words, told), self.hub.clock.now_ms()
        last_ms = self._recorded.get(key)
        if (asked.reads or refused is not None) and last_ms is not None and now_ms - last_ms < AGAIN_MS:
            return
        await self.hub.store.admin_uses.put(account.name, asked.words, told, address=address, refused=refused)
        self._recorded.put(key, now_ms)


def told_of(params: Any) -> str:  # noqa: ANN401 - any command's parameters
    """Return the parameters for the record, as JSON without secrets and without those that have their default."""
    told: Mapping[str, Any] = msgspec.to_builtins(params)
    # A `false` or 0 without a default says something, as in `game switch --off`.
    given = [one.encode_name for one in msgspec.structs.fields(params) if getattr(params, one.name) != one.default]
    return msgspec.json.encode(_without_secrets({name: told[name] for name in given})).decode()


def _without_secrets(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values, those of secrets replaced. A person may write one among the settings of `set` by mistake."""
    return {
        name: HIDDEN if name.lower() in SECRETS else _without_secrets(value) if isinstance(value, Mapping) else value
        for name, value in told.items()
    }


def _why_not(account: Account, asked: Command[Any, Any]) -> str | None:
    if not account.role.may(asked.role):
        return f"{account.name} has the role {account.role.value}: `{asked.words}` needs the role {asked.role.value}"
    if asked.whole_hub and not account.scope.whole:
        return f"{account.name} sees some casinos or providers only: `{asked.words}` is about the whole hub"
    return None
