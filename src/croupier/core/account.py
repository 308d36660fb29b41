"""Accounts of persons, their roles, and the casinos and providers that each may see.

Owns: the roles and what each may do, and the scope of an account. Never: how somebody proves who they are. Spec: operate.md 2, decision 0101.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.words import Word


class Role(Word):
    """What a person may do. Each role may do what those before it may."""

    LOOK = "look"
    """Read everything."""
    OPERATE = "operate"
    """Change games, players and incidents."""
    DECIDE = "decide"
    """Decide about payments and bets, and approve what another person proposed."""
    ADMINISTER = "administer"
    """Manage counterparties, keys and accounts."""

    def may(self, needed: Role) -> bool:
        """Return whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Scope:
    """The casinos and providers that an account may see and change. None: all of them."""

    casino_ids: frozenset[int] | None = None
    provider_ids: frozenset[int] | None = None

    @property
    def whole(self) -> bool:
        """Return whether it is the whole hub."""
        return self.casino_ids is None and self.provider_ids is None

    def casino(self, casino_id: int) -> bool:
        """Return whether this casino belongs to it."""
        return self.casino_ids is None or casino_id in self.casino_ids

    def provider(self, provider_id: int) -> bool:
        """Return whether this provider belongs to it."""
        return self.provider_ids is None or provider_id in self.provider_ids


@dataclass(frozen=True, slots=True)
class Account:
    """A person who is known by a token."""

    account_id: int
    name: str
    role: Role
    created_ms: int
    created_by: str
    closed_ms: int | None = None
    closed_by: str | None = None
    casino_ids: tuple[int, ...] | None = None
    """The casinos that the person may see; None: all."""
    provider_ids: tuple[int, ...] | None = None

    @property
    def scope(self) -> Scope:
        """Return what the person may see and change."""
        casinos, providers = self.casino_ids, self.provider_ids
        return Scope(
            None if casinos is None else frozenset(casinos), None if providers is None else frozenset(providers)
        )
