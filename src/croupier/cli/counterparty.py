"""Shared commands of `croupier casino` and `croupier provider`: set, disable, enable, close, open, rotate, show.

Owns: the work and its output. Never: the commands, whose names and options differ. Spec: operate.md 2.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from croupier.cli.running import with_hub
from croupier.cli.secret_options import new_file, show_secret
from croupier.cli.settable import changes_of
from croupier.cli.show import say, show_facts, show_json
from croupier.core.counterparty import Casino, Provider
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.store.parties.counterparties import Counterparties
from croupier.store.parties.profiles import Side

P = TypeVar("P", Casino, Provider)


@dataclass(frozen=True, slots=True)
class CounterpartyCommands(Generic[P]):
    """The shared part of the commands, parametrized by the kind of counterparty."""

    title: str
    id_name: str
    """The name of its id in the contract."""
    side: Side
    find: Callable[[Hub, str], Awaitable[P]]
    table: Callable[[Hub], Counterparties[P]]
    key: Callable[[P], int]
    """The id of its row."""
    facts: Callable[[P], dict[str, Any]]
    """Returns it for JSON and tables, with its id under `id_name`."""

    def change(self, which: str, assignments: list[str], *, as_json: bool) -> None:
        """Change settings by assignments KEY=VALUE."""

        async def work(hub: Hub, settings: Settings) -> P:
            found = await self.find(hub, which)
            changes = changes_of(assignments, self.side, settings)
            return await self.table(hub).change(self.key(found), changes)

        self.show(with_hub(work), as_json=as_json)

    def disable(self, which: str, *, as_json: bool, says: str) -> None:
        """Stop new launches and bets. `says` is the message for the person."""

        async def work(hub: Hub, _: Settings) -> P:
            return await self.table(hub).disable(self.key(await self.find(hub, which)))

        self.show(with_hub(work), as_json=as_json, says=says)

    def enable(self, which: str, *, as_json: bool) -> None:
        """Allow new launches and bets again."""

        async def work(hub: Hub, _: Settings) -> P:
            return await self.table(hub).enable(self.key(await self.find(hub, which)))

        self.show(with_hub(work), as_json=as_json)

    def close(self, which: str, *, force: bool, as_json: bool, says: str) -> None:
        """Refuse its requests from now on. `says` is the message for the person."""

        async def work(hub: Hub, _: Settings) -> P:
            await self.table(hub).close(self.key(await self.find(hub, which)), force=force)
            return await self.find(hub, which)

        self.show(with_hub(work), as_json=as_json, says=says)

    def open(self, which: str, *, as_json: bool) -> None:
        """Undo `close`."""

        async def work(hub: Hub, _: Settings) -> P:
            await self.table(hub).open(self.key(await self.find(hub, which)))
            return await self.find(hub, which)

        self.show(with_hub(work), as_json=as_json)

    def rotate(self, which: str, keep_old_s: float, *, into: Path | None, as_json: bool) -> None:
        """Create a new secret and show it once."""

        async def work(hub: Hub, _: Settings) -> tuple[P, str]:
            found = await self.find(hub, which)
            return found, await self.table(hub).rotate_secret(self.key(found), keep_old_s)

        self.hand_out(lambda: with_hub(work), into=into, as_json=as_json)

    def hand_out(self, make: Callable[[], tuple[P, str]], *, into: Path | None, as_json: bool) -> None:
        """Create a secret after its file is open, and show it once."""
        with new_file(into) as file:
            made, secret = make()
            credentials = {self.id_name: self.facts(made)[self.id_name], "Secret": secret}
            show_secret(f"{self.title} {made.name}", credentials, into=file, as_json=as_json)

    def show(self, found: P, *, as_json: bool, says: str | None = None) -> None:
        """Show one with all its settings, then the message."""
        if as_json:
            show_json(self.facts(found))
            return
        show_facts(f"{self.title} {found.name}", self.facts(found))
        if says is not None:
            say(says.format(found.name))
