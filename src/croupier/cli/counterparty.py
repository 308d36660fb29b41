"""The output that `croupier casino` and `croupier provider` share, and the check of an address before anything is made.

Owns: showing one with all its settings, and a new secret once. Never: the work (admin_api), or the options. Spec: operate.md 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from croupier.admin_api.casinos import CasinoSecret
from croupier.admin_api.peer_urls import check_peer
from croupier.admin_api.providers import ProviderSecret
from croupier.cli.running import settings
from croupier.cli.secret_options import new_file, show_secret
from croupier.cli.show import say, show_facts, show_json
from croupier.core.counterparty import Casino, Provider

P = TypeVar("P", Casino, Provider)


@dataclass(frozen=True, slots=True)
class CounterpartyOutput(Generic[P]):
    """The output of the commands, parametrized by the kind of counterparty."""

    title: str
    id_name: str
    """The name of its id in the contract."""
    facts: Callable[[P], dict[str, Any]]
    """Returns it for JSON and tables, with its id under `id_name`."""

    def hand_out(self, make: Callable[[], CasinoSecret | ProviderSecret], *, into: Path | None, as_json: bool) -> None:
        """Create a secret after its file is open, and show it once."""
        with new_file(into) as file:
            made = make()
            credentials = {self.id_name: msgspec.to_builtins(made)[self.id_name], "Secret": made.secret}
            show_secret(f"{self.title} {made.name}", credentials, into=file, as_json=as_json)

    def show(self, found: P, *, as_json: bool, says: str | None = None) -> None:
        """Show one with all its settings, then the message."""
        if as_json:
            show_json(self.facts(found))
            return
        show_facts(f"{self.title} {found.name}", self.facts(found))
        if says is not None:
            say(says.format(found.name))


def check_here(url: str) -> None:
    """Check a peer's address by the settings of this machine, if the work is done here. A wrong one makes no home."""
    loaded = settings()
    if loaded.hub_url is None:
        check_peer(url, loaded)
