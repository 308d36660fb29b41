"""The port for outgoing HTTP: one request in, one bounded answer out, or a peer error.

Owns: the value types and the port. Implementations: `kit.http` (real network, SSRF-safe) and `kit.inprocess`
(an ASGI app in this process, for the simulator). Redirects are never followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol


class PeerError(Exception):
    """The peer could not be reached, was too slow, or answered more than we read. Never a refusal.

    `sent` is False only if it is certain that no byte of the request left this process. `ours`: it is not the peer's
    doing either, as where this machine has no socket left.
    """

    def __init__(self, why: str, *, sent: bool = True, ours: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
        self.ours = ours


class PeerForbidden(PeerError):
    """The address is private or otherwise not allowed (SSRF). Nothing was sent."""

    def __init__(self, why: str) -> None:
        super().__init__(why, sent=False)


class TooLate(PeerError):
    """The time in which the request could leave was over before it did. Nothing was sent, and the peer had no part."""

    def __init__(self, why: str) -> None:
        super().__init__(why, sent=False)


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One outgoing request. Times are seconds; `total_s` bounds the whole call, body included."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    connect_s: float = 2.0
    total_s: float = 10.0
    max_bytes: int = 65536
    peer: str = ""
    """Whose call it is. Connections and look-ups of names are never shared between two peers; empty: by the address."""
    seal: Callable[[], bytes] | None = None
    """Makes the body at the moment the request leaves, after every wait for a name or a connection; raises TooLate."""

    def leaving(self) -> WireRequest:
        """The request with the body that it leaves with: the last thing that is asked for. Raises TooLate."""
        return self if self.seal is None else replace(self, body=self.seal(), seal=None)


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """What came back: status, headers (names lower-cased), the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(Protocol):
    """Sends one request to a peer."""

    async def send(self, request: WireRequest) -> WireAnswer:
        """Return the answer, whatever its status; raise PeerError if there is none in time and size."""
        ...
