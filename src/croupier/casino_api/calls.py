"""One call of this API: what a handler is given, and what it gives back.

Owns: the two records and the handler's type. Never: how a call is admitted (routes).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from croupier.casino_api.door import Door, Guest, PlayerIn
from croupier.core.counterparty import Casino


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender was let in."""

    door: Door
    request: Request
    body: bytes
    casino: Casino
    player: PlayerIn | Guest | None = None
    """Of a call from a frame."""

    def path(self, name: str) -> str:
        """Return a parameter of the path."""
        return str(self.request.path_params[name])


@dataclass(frozen=True, slots=True)
class Reply:
    """The JSON of a good answer. `tagged`: what the entity tag is made of, if that is not all of it."""

    body: Mapping[str, object]
    status: int = 200
    tagged: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Reply]]
"""Does the work of one operation. Raises Problem, BadField, BadJson, LaunchRefused, DbError."""
