"""Accounts of persons and their roles.

Owns: the roles and what each may do. Never: how somebody proves who they are. Spec: operate.md 2, decision 0101.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
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
class Account:
    """A person who is known by a token."""

    account_id: int
    name: str
    role: Role
    created_ms: int
    created_by: str
    closed_ms: int | None = None
    closed_by: str | None = None
